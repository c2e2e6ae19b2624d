"""/help: how to begin, and what one may do here."""

import discord
from discord import app_commands

from bot.chat.access import is_moderator, obstacle
from bot.chat.answers.answer import answer
from bot.chat.language import personal
from bot.chat.parts import parts_of
from bot.sentences import ENGLISH


@app_commands.command(name="help", description=ENGLISH.COMMAND_HELP)
@app_commands.allowed_installs(guilds=True, users=False)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
async def help_me(interaction: discord.Interaction) -> None:
    """Examples and commands, with the moderators' for moderators, and what stands in the way here."""
    parts = parts_of(interaction)
    say = personal(interaction)
    settings = parts.moderation.settings(interaction.guild_id)
    moderates = interaction.guild_id is not None and is_moderator(interaction, settings)
    embed = discord.Embed(title=say.HELP_TITLE, description=say.help_text(moderates=moderates))
    hindrance = obstacle(interaction, say)
    if hindrance is not None:
        embed.add_field(name=say.HERE, value=hindrance)
    await answer(interaction, embed=embed)
