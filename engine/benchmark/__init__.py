"""How fast dreams are, stage by stage, beside what the machine could do and beside another program."""
