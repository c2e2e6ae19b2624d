"""When a dream's author is told that it is over. Discord tells nobody of an edited message."""

from typing import Final

from bot.dreams.dream import Dream, DreamState

OFF: Final = "off"
WAITED: Final = "waited"  # only a dream that took longer than anybody looks on
ALWAYS: Final = "always"
NOTICES = (OFF, WAITED, ALWAYS)
LONG_S = 60.0  # seconds from the wish to the end


def is_due(dream: Dream, notice: str) -> bool:
    """Whether a dream that is over is told to its author, who wants `notice`, one of `NOTICES`.

    Of a story only its end is told, of a choice only the dream that came of it. Whoever cancelled a dream
    knows that it is over.
    """
    if notice == OFF or not dream.state.is_over or dream.candidate or dream.erased:
        return False
    if dream.state is DreamState.CANCELLED and dream.cancelled_by in (None, dream.author_id):
        return False
    if dream.state is DreamState.DONE and dream.chapter != dream.chapters:
        return False
    waited_s = (dream.ended_at or dream.created_at) - dream.created_at
    return notice == ALWAYS or waited_s > LONG_S
