"""`/moderate`: what moderators set and do. Each command checks, changes one thing, says what is new."""
