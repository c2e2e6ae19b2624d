"""May the bot post a dream where it was asked for? Asked before anything waits for the GPU."""

import discord

from bot.chat import sentences

# What a dream's message needs, and the names by which Discord's settings show them (2026-11).
_NEEDED = {
    "view_channel": "View Channel",
    "send_messages": "Send Messages",
    "embed_links": "Embed Links",
    "attach_files": "Attach Files",
    "read_message_history": "Read Message History",
    "add_reactions": "Add Reactions",
}
_NEEDED_IN_THREADS = {
    "send_messages_in_threads" if key == "send_messages" else key: name for key, name in _NEEDED.items()
} | {"send_messages_in_threads": "Send Messages in Threads"}

# What an invitation asks for.
PERMISSIONS = discord.Permissions(**dict.fromkeys(_NEEDED | _NEEDED_IN_THREADS, True))


def missing(permissions: discord.Permissions, *, thread: bool) -> list[str]:
    """Names of the permissions that the bot lacks."""
    needed = _NEEDED_IN_THREADS if thread else _NEEDED
    return [name for key, name in needed.items() if not getattr(permissions, key)]


def obstacle(interaction: discord.Interaction) -> str | None:
    """The sentence that says why no dream can be posted here; None when it can."""
    if interaction.guild_id is None:
        return sentences.ONLY_IN_SERVERS
    if interaction.client.get_guild(interaction.guild_id) is None:  # installed by a user, not in the server
        return sentences.NOT_A_MEMBER
    lacking = missing(interaction.app_permissions, thread=isinstance(interaction.channel, discord.Thread))
    return sentences.missing_permissions(lacking) if lacking else None
