"""Every sentence that a person reads in Discord. Knows no Discord objects, so that each stands in a test."""

from collections.abc import Sequence

from bot.database import StoreBusy, StoreError, StoreFull
from engine import FailureKind

COMMAND = "Dream a picture from words, and watch it take shape."
COMMAND_PROMPT = "What to dream, e.g. a bowl of cherries."
COMMAND_SEED = "Where the dream begins: the same words and seed give the same picture."
COMMAND_STEPS = "How long to dream: more steps take longer and come closer to the words."
CANCEL = "Cancel"

ONLY_IN_SERVERS = (
    "I dream in the channels of a server, where everybody can watch. Please use /dream in one that we share."
)
NOT_A_MEMBER = (
    "I am not a member of this server, so I cannot post a dream here. A moderator can invite me, please."
)
NOT_YOURS = "This dream belongs to somebody else; only they or a moderator can cancel it."
UNKNOWN_DREAM = "I don't remember this dream any more, sorry."
WITHDRAWN = "The dream is out of the line."
STOPPING = "The dream ends now; its best picture stays."
ALREADY_OVER = "This dream is over already."
APOLOGY = "Something went wrong on my side, sorry. It is in my log; please try again."
NO_CHANNEL = "I could not post in this channel, so I took your dream out of the line again, sorry."
TOO_LARGE = "The picture is too large for this server, sorry."


def queued(place: int | None) -> str:
    """The answer to /dream. `place`: 1 is next; None when it is being dreamt already."""
    if place is None:
        return "Your dream begins now. Watch it in this channel."
    where = "next in line" if place == 1 else f"number {place} in line"
    return f"Your dream is {where}. Watch it in this channel."


def waiting(place: int | None) -> str:
    """In the dream's message while it waits."""
    if place is None:
        return "Waits for its turn."
    return "Next in line." if place == 1 else f"Number {place} in line."


LOADING = "The dream begins …"
LOADING_AGAIN = "The dream engine stumbled; the dream begins again …"
PAUSED = "I am restarting; this dream goes on by itself in a moment."


def dreaming(*, step: int, steps: int, score: float, seconds_left: float) -> str:
    """In the dream's message while it takes shape."""
    done = round(10 * step / steps)
    bar = "▰" * done + "▱" * (10 - done)
    return f"{bar} step {step} of {steps} · score {score:.1f} · about {duration(seconds_left)} left"


def dreamer(author_id: int) -> str:
    """Who wishes it. A mention inside an embed shows a name and notifies nobody."""
    return f"A dream of <@{author_id}>"


SEED, MODELS, STEPS, SCORE, TIME = "Seed", "Models", "Steps", "Score", "Time"


def models(*, pair: str, generator: str, perceptor: str) -> str:
    return f"{pair} ({generator}, {perceptor})"


def cancelled(*, has_picture: bool) -> str:
    return "Cancelled; this is the best picture so far." if has_picture else "Cancelled before it began."


def alt_text(prompt: str) -> str:
    return f"A dreamt picture: {prompt}"


def failed(kind: FailureKind | None, detail: str) -> str:
    """Why a dream ended without being finished. `detail`: the engine's own sentence, or ''."""
    match kind:
        case FailureKind.CRASH:
            return "The dream engine broke down twice over this dream, so I let it go, sorry."
        case FailureKind.HANG:
            return "The dream engine got stuck twice over this dream, so I let it go, sorry."
        case FailureKind.INTERNAL | None:
            return APOLOGY
        case _:
            return detail or APOLOGY


def too_many_waiting(allowed: int) -> str:
    if allowed == 1:
        return "You have a dream waiting already. Please ask again when it has begun, or cancel it."
    return f"You have {allowed} dreams waiting already. Please ask again when one has begun, or cancel one."


def line_full(allowed: int) -> str:
    return f"The line is full with {allowed} dreams. Please ask again in a while."


def missing_permissions(names: Sequence[str]) -> str:
    """`names`: as Discord's settings show them, e.g. 'Attach Files'; at least one."""
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    word = "permission" if len(names) == 1 else "permissions"
    return f"I lack the {word} {listed} in this channel; a moderator can grant that in its settings."


def store_trouble(error: StoreError) -> str:
    """Nothing was changed, because the database could not be used."""
    if isinstance(error, StoreFull):
        return "My disk is full, so I cannot take this in, sorry. Please tell whoever runs me."
    if isinstance(error, StoreBusy):
        return "My notebook is in use by another program. Please try again in a moment."
    return "I cannot reach my notebook just now, so I took nothing in, sorry. Please try again later."


def duration(seconds: float) -> str:
    """Minutes and seconds, or hours, minutes and seconds: '0:42', '1:02:03'."""
    whole = max(0, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
