"""What hears Discord's events: a cog of discord.py, with the client and the parts."""

import discord
from discord.ext import commands

from bot.chat.parts import Parts


class Listener(commands.Cog):
    """Its methods marked with `@commands.Cog.listener()` are called with the event of their name."""

    def __init__(self, *, client: discord.Client, parts: Parts) -> None:
        self.client = client
        self.parts = parts
