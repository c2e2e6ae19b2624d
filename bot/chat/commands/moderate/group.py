"""The group itself: hidden from others by default, checked again at each use; what its commands share."""

from collections.abc import Callable

import discord
from discord import app_commands

from bot.chat.access import NotAModerator, is_moderator
from bot.chat.answers.answer import answer
from bot.chat.language import personal
from bot.chat.parts import parts_of
from bot.sentences import ENGLISH, Sentences, audit_log
from bot.servers.moderation import AuditEntry
from bot.servers.settings import ServerSettings

SHOWN = 1900  # characters of an answer; a message holds 2000


class Guarded(app_commands.Group):
    """A group that only moderators may use; a group within it is guarded by itself."""

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        check(interaction)
        return True


moderate = Guarded(
    name="moderate",
    description=ENGLISH.COMMAND_MODERATE,
    default_permissions=discord.Permissions(manage_guild=True),
    guild_only=True,
    allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
)


def check(interaction: discord.Interaction) -> None:
    """Raises `NotAModerator`."""
    if not is_allowed(interaction):
        raise NotAModerator


def is_allowed(interaction: discord.Interaction) -> bool:
    """Whether this person may moderate; nobody where the bot is no member and knows no settings."""
    return interaction.guild is not None and is_moderator(interaction, settings(interaction))


def guild_id(interaction: discord.Interaction) -> int:
    """Of the server that the command is used in; `check` refuses where there is none."""
    assert interaction.guild_id is not None
    return interaction.guild_id


def settings(interaction: discord.Interaction) -> ServerSettings:
    """This server's, as they are now."""
    return parts_of(interaction).moderation.settings(interaction.guild_id)


async def change(
    interaction: discord.Interaction,
    change: Callable[[ServerSettings], ServerSettings],
    *,
    more: str = "",
) -> None:
    """Change this server's settings and say what is new. Raises `StoreError`.

    `more`: what the moderator has to know besides.
    """
    moderation = parts_of(interaction).moderation
    entries = await moderation.change(guild_id(interaction), by=interaction.user.id, change=change)
    await answer(interaction, "\n".join(filter(None, (changed(entries, personal(interaction)), more))))


def changed(entries: list[AuditEntry], say: Sentences) -> str:
    """What is new."""
    if not entries:
        return say.NOTHING_NEW
    return within([say.DONE, *(f"- {audit_log.deed(entry, say)}" for entry in entries)])


def within(lines: list[str], limit: int = SHOWN) -> str:
    """As many of these lines as one message can hold."""
    text = "\n".join(lines)
    return text if len(text) <= limit else text[:limit].rsplit("\n", 1)[0] + "\n…"
