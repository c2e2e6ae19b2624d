"""Who hears what Discord tells of beside commands and clicks. Found by `bot.chat.features`."""
