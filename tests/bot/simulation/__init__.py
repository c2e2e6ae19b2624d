"""Many people, servers and engines over days of simulated time: who waits how long, and what it costs.

`crowd` says who asks when, `line` lives through it with the bot's own turns and limits and no database,
`figures` are its figures, and `real_bot` is the whole bot on the same clock, for small sizes: there both must
agree (`test_simulation`).
"""
