"""The engine's child process: the parent's side, the child itself, and where both run."""
