"""Chaos: the real bot, a crowd of eight and one random fault a round; afterwards every promise is looked for.

`make chaos N=20 SEED=1`; see README.md beside this file.
"""
