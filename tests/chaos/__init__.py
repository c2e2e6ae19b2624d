"""Chaos: the real bot, a crowd of eight and one random fault a round; afterwards every promise is looked for.

`make chaos N=20 SEED=1`, or `python -m tests.chaos --help`. A round is played from its seed (`rounds`): the
crowd asks for dreams, steers them, cancels, votes and takes votes back (`crowd`), a fault strikes (`faults`,
a function for each kind), and when all is quiet what the loopback Discord shows and what the database holds
is compared (`accounts`: lost, late, doubled, overwritten, wrong votes …).

The bot, its protocol with the engine's process, both databases and the sockets to Discord are the real ones;
only waiting times are shorter (`quick`), a disk is full on demand (`full_disk`), and no model dreams
(`dreamer`, in the real engine process). Bots are forked from a process that has imported everything already
(`nursery`, `processes`), since a round begins two or three of them.

A seed gives the same fault, database, people and moments; what happens between them is real time, so that a
broken promise may need several runs of its seed to show again. Results go to `build/chaos/rounds.jsonl`, and
the logs of rounds with a broken promise to `build/chaos/round-SEED`.
"""
