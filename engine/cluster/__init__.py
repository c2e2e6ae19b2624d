"""Engines on many machines, by Ray: the bot's side, the driver process between, the actors on the nodes."""
