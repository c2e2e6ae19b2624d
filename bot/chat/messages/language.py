"""Which language a server is spoken to in, where nobody uses a command."""

import discord

from bot.sentences import Sentences, spoken
from bot.servers.settings import ServerSettings


def of_guild(guild: discord.Guild | None, settings: ServerSettings) -> Sentences:
    """The server's choice, else its Discord's language; `guild`: None while it is out of reach."""
    return spoken(settings.language, guild.preferred_locale.value if guild is not None else None)
