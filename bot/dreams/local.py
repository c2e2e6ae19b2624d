"""The local channel, which the page shows without any account: its place among servers, channels and people.

Discord's ids are snowflakes, which count from 2^22 on (milliseconds since 2015 stand in their upper bits), so
that smaller numbers are free for what is ours. One database holds both. Knows no Discord.
"""

GUILD_ID = CHANNEL_ID = 2**22 - 1  # the local channel, and the server whose only one it is
MAX_PERSON = 2**22 - 2  # people of the page are counted from 1 on


def is_local(guild_id: int | None) -> bool:
    """Whether a dream, a choice or a contest of this server belongs to the local channel."""
    return guild_id == GUILD_ID
