"""The public wall: finished dreams of servers that want it, for everybody; nothing to write."""
