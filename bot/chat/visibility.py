"""Who may see what in a server's channels, by Discord's own permissions. Unknown channels are hidden."""

from collections.abc import Iterable

import discord


def can_see(guild: discord.Guild, channel_id: int, who: discord.Member | discord.Role) -> bool:
    """Whether they may read there; private threads are for those who are in them, and count as hidden."""
    channel = guild.get_channel_or_thread(channel_id)
    if channel is None:
        return False
    if isinstance(channel, discord.Thread):
        if channel.is_private() or channel.parent is None:
            return False
        channel = channel.parent
    return channel.permissions_for(who).read_messages


def visible(interaction: discord.Interaction, channels: Iterable[int]) -> set[int]:
    """Those of the channels that whoever uses the interaction may see, where they are included."""
    guild, user = interaction.guild, interaction.user
    if guild is None or not isinstance(user, discord.Member):
        return set()
    here = interaction.channel_id
    return {channel for channel in channels if channel == here or can_see(guild, channel, user)}


def is_public(guild: discord.Guild, channel_id: int) -> bool:
    """Whether everybody in the server may read there."""
    return can_see(guild, channel_id, guild.default_role)


def is_age_restricted(guild: discord.Guild | None, channel_id: int | None) -> bool:
    """Whether Discord shows the channel only to adults."""
    channel = guild.get_channel_or_thread(channel_id) if guild and channel_id else None
    return getattr(channel, "nsfw", False) or (
        isinstance(channel, discord.Thread) and channel.parent is not None and channel.parent.is_nsfw()
    )
