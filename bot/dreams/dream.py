"""What the bot remembers of a dream: frozen values, its states, and the one list of allowed transitions."""

import secrets
import unicodedata
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from engine.errors import BadRequest, FailureKind
from engine.prompt import phrases
from engine.protocol import Begin
from engine.sentences import Key
from engine.settings import MAX_SEED, MAX_STEPS, PRESETS, SIZES


class DreamState(StrEnum):
    """Where a dream stands; the value is what the database holds."""

    QUEUED = "queued"  # waits for its turn
    DREAMING = "dreaming"  # claimed by a process, under a lease
    DONE = "done"  # finished with a picture
    FAILED = "failed"  # ended without being finished; `failure` says why
    CANCELLED = "cancelled"  # stopped by a person; the best picture so far is kept

    @property
    def is_over(self) -> bool:
        return not TRANSITIONS[self]

    def may_become(self, other: "DreamState") -> bool:
        return other in TRANSITIONS[self]


class Gone(StrEnum):
    """Why the message that showed a dream is not there any more; the value is what the database holds."""

    NOT = ""  # it is there, as far as we know
    DELETED = "deleted"  # it, its thread or its channel was deleted
    LEFT = "left"  # we are not in its server any more; back with us


TRANSITIONS: dict[DreamState, frozenset[DreamState]] = {
    DreamState.QUEUED: frozenset({DreamState.DREAMING, DreamState.CANCELLED}),
    DreamState.DREAMING: frozenset(
        {DreamState.DONE, DreamState.FAILED, DreamState.CANCELLED, DreamState.QUEUED}
    ),  # back to QUEUED when the process ends before the dream does
    DreamState.DONE: frozenset(),
    DreamState.FAILED: frozenset(),
    DreamState.CANCELLED: frozenset(),
}


@dataclass(frozen=True, kw_only=True)
class What:
    """What is dreamt: one value, always copied whole.

    A new option of /dream is a field here, a migration that adds its column, and a parameter of the command
    with its description. What bears the engine's own name for it reaches the engine by itself.
    """

    prompt: str  # phrases as `engine.prompt` reads them
    seed: int  # 0..MAX_SEED
    steps: int | None = None  # 1..MAX_STEPS; None: the preset's or the model's own default
    model: str  # a name from engine.settings.MODELS
    avoid: str = ""  # phrases that count against the picture
    size: int | None = None  # one of engine.settings.SIZES; None: the model's own
    preset: str = ""  # one of engine.settings.PRESETS; "": the model's own settings
    spoiler: bool = False  # every picture of it is hidden until somebody clicks on it
    image_id: int | None = None  # a stored picture that the dream shall resemble
    begin: Begin = "new"  # never "resume": that is for whoever dreams it to find out
    parent_id: int | None = None  # the dream at whose end it begins; it waits until that one is over
    other_id: int | None = None  # the second one of a blend
    strength: float = 0.5  # 0..1: how far to vary, or how much of a blend is the other one


@dataclass(frozen=True, kw_only=True)
class Who:
    """Who asks for a dream, and where."""

    author_id: int
    guild_id: int | None  # None: a direct message
    channel_id: int
    origin: int  # the interaction's id, stored only once; of a later chapter, minus the dream before it
    language: str = "en"  # of the message that everybody sees


@dataclass(frozen=True, kw_only=True)
class Wish(What, Who):
    """What somebody asks for; `checked` before it is stored, where it becomes a `Dream`.

    `engine.command_line.options.Wish` is the same of somebody at a terminal, and shares nothing with it.
    """

    most_steps: int | None = None  # of a dream that names no steps, as moderators allow it; None: any
    most_size: int | None = None  # pixels, as `most_steps`
    chapter: int | None = None  # of a story: 1..chapters
    chapters: int | None = None
    choice_id: int | None = None  # the choice between beginnings that it belongs to
    candidate: int = 0  # the number of a beginning, 1..; 0: it is none
    decision: str = ""  # why this beginning goes on, a `bot.community.choices.Decision` as JSON

    @classmethod
    def of(cls, what: What, who: Who) -> "Wish":
        return cls(**shared(what, What), **shared(who, Who))

    @property
    def what(self) -> What:
        return What(**shared(self, What))


@dataclass(frozen=True, kw_only=True)
class Dream(Wish):
    """A stored dream. Times are seconds since 1970, UTC."""

    id: int
    message_id: int | None  # the channel message that shows it, once it is posted
    state: DreamState
    attempts: int  # how often a process began to dream it; an orderly stop takes one back
    rescues: int = 0  # those of them that ended with the process: it was killed, or gone for too long
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    cancel_asked: bool = False  # somebody wants it stopped; its owner has yet to do so
    cancelled_by: int | None = None  # who wanted it stopped first, where that is known
    delivered: bool = False  # the channel shows how it ended
    failure: FailureKind | None = None  # why it failed
    failure_detail: str = ""  # what the engine said about it, a `Saying` as JSON
    notice: str = ""  # what the engine said as it began, e.g. that the prompt is long; as JSON, too
    score: float | None = None  # of the picture, -100..100
    best_step: int | None = None
    steps_done: int | None = None
    seconds: float | None = None  # of the search
    recipe: str = ""  # engine.Recipe as JSON
    moved_at: float | None = None  # a moderator moved it to the front of its server's line
    gallery_channel_id: int | None = None  # where its picture hangs in a gallery
    gallery_message_id: int | None = None
    nearest: str = ""  # a `Finished.nearest` as JSON: what the models know that is nearest to its words
    flagged: str = ""  # what the safety check found in the picture, e.g. "nudity"
    erased: bool = False  # its words and pictures are gone; the row tells that it was
    gone: Gone = Gone.NOT  # why nobody sees its message any more; its picture is still its author's

    @property
    def is_shown(self) -> bool:
        """Whether its message is there to be seen, so that it may be shown elsewhere too."""
        return self.message_id is not None and not self.erased and self.gone is Gone.NOT

    @property
    def wish(self) -> Wish:
        """As it was asked for."""
        return Wish(**shared(self, Wish))


@dataclass(frozen=True, slots=True)
class Picture:
    """The best picture of a dream."""

    content: bytes
    kind: str  # "png": final, with its recipe inside; "jpg": a preview, when there was no final one


def tidy(text: str) -> str:
    """The prompt as it is stored: what no database or pipe can hold (NUL, lone surrogates …) is left out."""
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs")).strip()


def checked(wish: Wish) -> Wish:
    """The wish as it can be stored. Raises `engine.BadRequest` (or a kind of it) with a sentence.

    The command's own ranges are Discord's to keep, but a changed client sends what it likes.
    """
    if not isinstance(wish.prompt, str) or not isinstance(wish.avoid, str):
        raise BadRequest
    phrases(wish.prompt, wish.avoid)  # the engine's own check, made here before anything waits for the GPU
    if not _is_whole(wish.seed, 0, MAX_SEED):
        raise BadRequest(Key.SEED_RANGE, most=MAX_SEED)
    if wish.steps is not None and not _is_whole(wish.steps, 1, MAX_STEPS):
        raise BadRequest(Key.STEPS_RANGE, most=MAX_STEPS)
    if wish.size is not None and not (_is_whole(wish.size, 1, max(SIZES)) and wish.size in SIZES):
        raise BadRequest(Key.SIZE_CHOICES, sizes=", ".join(map(str, SIZES)))
    if wish.preset != "" and wish.preset not in PRESETS:
        raise BadRequest(Key.PRESET_CHOICES, presets=", ".join(PRESETS))
    return replace(wish, prompt=tidy(wish.prompt), avoid=tidy(wish.avoid))


def _is_whole(value: object, low: int, high: int) -> bool:
    """Whether it is a whole number of this range; True and 1.0 are none, although Python compares them."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def new_seed() -> int:
    """One that nobody chose, 0..MAX_SEED."""
    return secrets.randbelow(MAX_SEED + 1)


def shared(value: object, *kinds: type) -> dict[str, Any]:
    """By name, those fields of a value that all of these dataclasses have."""
    names = set.intersection(*({field.name for field in fields(kind)} for kind in kinds))
    return {name: getattr(value, name) for name in sorted(names)}
