"""The commands. Each checks, calls one thing, answers. Found by `bot.chat.features`."""
