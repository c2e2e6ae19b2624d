"""Why somebody may not dream this here and now, in their language: one place for every way to a dream."""

from bot.chat.quoting import quoted
from bot.chat.sentences import Sentences
from bot.database.connection import StoreError
from bot.queue.limits import (
    Banned,
    BannedWords,
    CoolingDown,
    LineFull,
    NoNewDreams,
    Refused,
    ServerFull,
    TooManyWaiting,
    TooMuch,
    TooOften,
    WrongChannel,
)
from bot.queue.turnstile import Crowded
from engine import BadRequest

Refusal = (Refused, BadRequest, StoreError)  # what `Worker.submit` and `wish` raise for a person to read


def refusal(error: Exception, say: Sentences) -> str:
    """The sentence for one of `Refusal`."""
    match error:
        case TooManyWaiting(allowed=0):
            return say.NOT_ALLOWED
        case TooManyWaiting(allowed=allowed):
            return say.too_many_waiting(allowed)
        case ServerFull(allowed=allowed):
            return say.server_full(allowed)
        case LineFull(allowed=allowed):
            return say.line_full(allowed)
        case TooOften(allowed=0, all_together=False):
            return say.NOT_ALLOWED
        case TooOften():
            many = f"{say.so_many(error.asked)} " if error.asked > 1 else ""
            often = say.server_too_often if error.all_together else say.too_often
            return many + often(error.allowed, error.within_s, error.again_at)
        case CoolingDown():
            return say.cooling_down(error.cooldown_s, error.again_at)
        case TooMuch():
            return say.too_much(error.what, error.allowed)
        case NoNewDreams():
            return say.NO_NEW_DREAMS
        case Banned():
            return say.banned(error.until, quoted(error.reason, 300))
        case WrongChannel():
            return say.wrong_channel(error.channels)
        case BannedWords():
            return say.BANNED_WORDS
        case Crowded():
            return say.STILL_BUSY if error.own else say.CROWDED
        case StoreError():
            return say.store_trouble(error)
        case BadRequest():
            return say.engine(error.said)
    raise TypeError(f"{error!r} is no refusal.")
