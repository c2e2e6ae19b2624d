"""May the bot post a dream where it was asked for? Asked before anything waits for the GPU."""

import discord

from bot.chat.sentences import Sentences

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

# What an invitation asks for.
PERMISSIONS = discord.Permissions(**dict.fromkeys(_NEEDED + _NEEDED_IN_THREADS, True))


def missing(permissions: discord.Permissions, *, thread: bool) -> list[str]:
    """The permissions that the bot lacks, by discord.py's names."""
    needed = _NEEDED_IN_THREADS if thread else _NEEDED
    return [key for key in needed if not getattr(permissions, key)]


def obstacle(interaction: discord.Interaction, say: Sentences) -> str | None:
    """The sentence that says why no dream can be posted here; None when it can."""
    if interaction.guild_id is None:
        return say.ONLY_IN_SERVERS
    if interaction.client.get_guild(interaction.guild_id) is None:  # installed by a user, not in the server
        return say.NOT_A_MEMBER
    lacking = missing(interaction.app_permissions, thread=isinstance(interaction.channel, discord.Thread))
    return say.missing_permissions(lacking) if lacking else None
