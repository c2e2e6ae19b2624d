"""Takes one message of ours down for good, as far as Discord lets us."""

from bot.chat.messages.outbox import Later, believe
from bot.chat.messages.poster import Outcome, Poster, Shown
from bot.database.outbox import Owed

FORBIDDEN_S = 3600.0  # seconds until what we may not reach is tried to be taken down again


async def taken_down(poster: Poster, shown: Shown, owed: Owed) -> None:
    """Delete its message. Raises `Later` unless that is done, or it was gone."""
    outcome = await poster.delete(shown)
    if outcome is Outcome.GONE:
        believe(owed, "it is not there, says Discord")
    elif outcome is Outcome.FORBIDDEN:
        believe(owed, "we may not reach it, says Discord")
        raise Later("we may not reach it", pause_s=FORBIDDEN_S)
    elif outcome is not Outcome.SHOWN:
        raise Later("it still hangs there")
