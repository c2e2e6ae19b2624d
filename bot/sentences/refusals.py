"""Why somebody may not do what they ask for, in their language: one place for every refusal of the heart."""

from bot.community.choices import MAX_CANDIDATES, MIN_CANDIDATES
from bot.community.people import MAX_NAME, NameTaken, NoName
from bot.database.connection import StoreError
from bot.dreams.asking import MAX_CHAPTERS, CandidatesOutOfRange, StoryLength
from bot.dreams.ending import (
    AlreadyDecided,
    CancelFirst,
    NotVoting,
    NotYourChoice,
    NotYours,
    NotYoursToDelete,
)
from bot.dreams.onward import NoState, NotOver
from bot.queue.limits import (
    Banned,
    BannedWords,
    CoolingDown,
    DiskShort,
    LineFull,
    NoNewDreams,
    OnlyEmbedded,
    Refused,
    ServerFull,
    TooManyWaiting,
    TooMuch,
    TooOften,
    WrongChannel,
)
from bot.queue.turnstile import Crowded
from bot.sentences import Sentences
from bot.sentences.quoting import quoted
from engine import BadRequest

Refusal = (Refused, BadRequest, StoreError)  # what the heart raises for a person to read


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
        case DiskShort():
            return say.DISK_SHORT
        case NoNewDreams():
            return say.NO_NEW_DREAMS
        case OnlyEmbedded():
            return say.ONLY_EMBEDDED
        case Banned():
            return say.banned(error.until, quoted(error.reason, 300))
        case WrongChannel():
            return say.wrong_channel(error.channels)
        case BannedWords():
            return say.BANNED_WORDS
        case CandidatesOutOfRange():
            return say.out_of_range(MIN_CANDIDATES, MAX_CANDIDATES)
        case StoryLength():
            return say.story_length(MAX_CHAPTERS)
        case NotOver():
            return say.NOT_OVER
        case NoState():
            return say.NO_STATE
        case NotYoursToDelete():
            return say.NOT_YOURS_TO_DELETE
        case NotYours():
            return say.NOT_YOURS
        case CancelFirst():
            return say.CANCEL_FIRST
        case NotYourChoice():
            return say.NOT_YOUR_CHOICE
        case NotVoting():
            return say.NOT_VOTING
        case AlreadyDecided():
            return say.ALREADY_DECIDED
        case NoName():
            return say.no_name(MAX_NAME)
        case NameTaken():
            return say.NAME_TAKEN
        case Crowded():
            return say.STILL_BUSY if error.own else say.CROWDED
        case StoreError():
            return say.store_trouble(error)
        case BadRequest():
            return say.engine(error.said)
    raise TypeError(f"{error!r} is no refusal.")
