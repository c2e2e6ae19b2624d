"""What becomes of a picture in which the safety check found something: a server's own rule, in one place."""

from enum import Enum, auto

import discord

from bot.chat.visibility import is_age_restricted
from bot.dreams import Dream
from bot.guilds import NsfwPolicy, ServerSettings


class Veil(Enum):
    """How a picture may be shown."""

    OPEN = auto()  # as it is
    SPOILER = auto()  # hidden until somebody clicks on it
    WITHHELD = auto()  # not at all


def veil(flagged: str, policy: NsfwPolicy, *, age_restricted: bool) -> Veil:
    """`flagged`: what the check found, or ''; `age_restricted`: Discord shows the channel to adults only."""
    if not flagged or (policy is NsfwPolicy.AGE_RESTRICTED and age_restricted):
        return Veil.OPEN
    return Veil.SPOILER if policy is NsfwPolicy.SPOILER else Veil.WITHHELD


def veil_in(
    client: discord.Client,
    dream: Dream,
    settings: ServerSettings,
    *,
    channel_id: int | None = None,
    flagged: str | None = None,
) -> Veil:
    """How a dream's picture may be shown in this channel, by default its own; `flagged`: if not the end's."""
    guild = client.get_guild(dream.guild_id) if dream.guild_id is not None else None
    age_restricted = is_age_restricted(guild, dream.channel_id if channel_id is None else channel_id)
    return veil(dream.flagged if flagged is None else flagged, settings.nsfw, age_restricted=age_restricted)
