"""What the command line `dream` can do: modules with `run(name, arguments, interrupts)`, by their command."""

# First words that name a command, not a prompt, and their modules; `dream` itself needs no name.
COMMANDS: dict[str, str] = {
    "models": "models",
    "presets": "presets",
    "story": "story",
    "continue": "onward",
    "vary": "onward",
    "blend": "onward",
    "resume": "resume",
}
