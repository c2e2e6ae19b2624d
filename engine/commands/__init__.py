"""What the command line `dream` can do: a module a command, each with `run(arguments, interrupts)`.

The name of a command is its module's; `dream` itself, which needs no name, dreams a picture.
"""

COMMANDS: tuple[str, ...] = ("models",)  # first words that name a command, not a prompt
