"""Who may do what: the bot where a dream was asked for, before anything waits for the GPU; moderators."""

from collections.abc import Sequence

import discord
from discord import app_commands

from bot.chat.language import personal
from bot.chat.parts import parts_of
from bot.dreams.dream import Dream
from bot.queue.limits import Asker
from bot.sentences import Sentences
from bot.servers.settings import ServerSettings

# What a dream's message needs, by discord.py's names.
_NEEDED = (
    "view_channel",
    "send_messages",
    "embed_links",
    "attach_files",
    "read_message_history",
    "add_reactions",
)
_NEEDED_IN_THREADS = tuple("send_messages_in_threads" if key == "send_messages" else key for key in _NEEDED)

# What it takes to show a picture elsewhere: a gallery, a hall of fame, a log.
POSTING = ("view_channel", "send_messages", "embed_links", "attach_files", "read_message_history")

# What an invitation asks for.
PERMISSIONS = discord.Permissions(**dict.fromkeys(_NEEDED + _NEEDED_IN_THREADS, True))


class NotAModerator(app_commands.CheckFailure):
    """Somebody who is no moderator used a moderators' command. Discord's own check is only a default."""


def missing(permissions: discord.Permissions, *, thread: bool) -> list[str]:
    """The permissions that the bot lacks, by discord.py's names."""
    needed = _NEEDED_IN_THREADS if thread else _NEEDED
    return [key for key in needed if not getattr(permissions, key)]


def lacking_in(channel: discord.abc.GuildChannel, needed: Sequence[str]) -> list[str]:
    """Which of these permissions the bot lacks in a channel of a server, by discord.py's names."""
    permissions = channel.permissions_for(channel.guild.me)
    return [key for key in needed if not getattr(permissions, key)]


def obstacle(interaction: discord.Interaction, say: Sentences) -> str | None:
    """The sentence that says why no dream can be posted here; None when it can."""
    if interaction.guild_id is None:
        return say.ONLY_IN_SERVERS
    if interaction.client.get_guild(interaction.guild_id) is None:  # installed by a user, not in the server
        return say.NOT_A_MEMBER
    lacking = missing(interaction.app_permissions, thread=isinstance(interaction.channel, discord.Thread))
    return say.missing_permissions(lacking) if lacking else None


def asker(interaction: discord.Interaction) -> Asker:
    """What the server's limits ask of whoever uses a command."""
    channel = interaction.channel
    around = (
        getattr(channel, "parent_id", None),  # a thread's channel
        getattr(getattr(channel, "parent", None) or channel, "category_id", None),
    )
    return Asker(roles=_roles(interaction), channels=frozenset(filter(None, around)))


def is_moderator(interaction: discord.Interaction, settings: ServerSettings) -> bool:
    """Whether this person may set what `settings` holds: Manage Server, or the role that was named for it."""
    return interaction.permissions.manage_guild or settings.moderator_role in _roles(interaction)


def may_tidy(interaction: discord.Interaction, settings: ServerSettings) -> bool:
    """Whether this person may end and delete other people's dreams here."""
    return interaction.permissions.manage_messages or is_moderator(interaction, settings)


async def unseen(interaction: discord.Interaction, dream: Dream | None, sentence: str) -> str:
    """`sentence` when this person may not look at the dream here, or one that says where; else ''."""
    if dream is None:
        return sentence
    found = await parts_of(interaction).sight.asked(interaction, dream)
    if found.tells:
        return ""
    return personal(interaction).FOR_ADULTS if found.adults_only else sentence


def _roles(interaction: discord.Interaction) -> frozenset[int]:
    return frozenset(role.id for role in getattr(interaction.user, "roles", ()))
