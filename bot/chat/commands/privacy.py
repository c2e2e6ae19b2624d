"""/privacy: whether one's own dreams may hang on the public wall, and under which name."""

import discord
from discord import app_commands

from bot.chat.answers.answer import answer
from bot.chat.language import personal
from bot.chat.parts import parts_of
from bot.community.privacy import MAX_NAME
from bot.queue.limits import are_allowed
from bot.sentences import ENGLISH
from bot.sentences.quoting import quoted

_NO_NAME = "-"


@app_commands.command(name="privacy", description=ENGLISH.COMMAND_PRIVACY)
@app_commands.describe(wall=ENGLISH.COMMAND_PRIVACY_WALL, name=ENGLISH.COMMAND_PRIVACY_NAME)
@app_commands.allowed_installs(guilds=True, users=False)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
async def privacy(
    interaction: discord.Interaction,
    wall: bool | None = None,
    name: app_commands.Range[str, 1, MAX_NAME] | None = None,
) -> None:
    """Change what was given, for old dreams too, and say how everything is now. Raises `StoreError`."""
    parts, say = parts_of(interaction), personal(interaction)
    wanted = "" if name is not None and name.strip() == _NO_NAME else name
    if wanted and not are_allowed(parts.moderation.settings(interaction.guild_id), wanted):
        await answer(interaction, say.BAD_NAME)
        return
    chosen = await parts.privacy.choose(interaction.user.id, wall=wall, name=wanted)
    said = say.privacy(wall=chosen.wall, name=quoted(chosen.name, MAX_NAME) if chosen.name else "")
    await answer(interaction, said if parts.has_wall else f"{said}\n{say.NO_WALL}")
