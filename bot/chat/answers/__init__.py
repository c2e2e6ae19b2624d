"""What the bot says to one person, in answer to a command or a click."""
