"""What the bot remembers of a dream: a frozen value, its states, and the one list of allowed transitions."""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from engine.errors import BadRequest, FailureKind
from engine.prompt import clean
from engine.settings import MAX_SEED, MAX_STEPS


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


TRANSITIONS: dict[DreamState, frozenset[DreamState]] = {
    DreamState.QUEUED: frozenset({DreamState.DREAMING, DreamState.CANCELLED}),
    DreamState.DREAMING: frozenset(
        {DreamState.DONE, DreamState.FAILED, DreamState.CANCELLED, DreamState.QUEUED}
    ),  # back to QUEUED when the process ends before the dream does
    DreamState.DONE: frozenset(),
    DreamState.FAILED: frozenset(),
    DreamState.CANCELLED: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody asks for, checked by `wish`; it becomes a `Dream` once it is stored."""

    prompt: str
    seed: int  # 0..MAX_SEED
    steps: int | None  # 1..MAX_STEPS; None: the model's own default
    model: str  # a name from engine.settings.MODELS
    author_id: int
    guild_id: int | None  # None: a direct message
    channel_id: int
    origin: int  # the interaction's id: the same one is stored only once
    language: str = "en"  # of the message that everybody sees


@dataclass(frozen=True, slots=True, kw_only=True)
class Dream:
    """A stored dream. Times are seconds since 1970, UTC."""

    id: int
    prompt: str
    seed: int
    steps: int | None
    model: str
    author_id: int
    guild_id: int | None
    channel_id: int
    origin: int  # the interaction that asked for it
    message_id: int | None  # the channel message that shows it, once it is posted
    state: DreamState
    attempts: int  # how often a process began to dream it; an orderly stop takes one back
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    cancel_asked: bool = False  # somebody wants it stopped; its owner has yet to do so
    delivered: bool = False  # the channel shows how it ended
    failure: FailureKind | None = None  # why it failed
    failure_detail: str = ""  # the engine's sentence about it
    notice: str = ""  # a sentence of the engine's, e.g. that the prompt was cut
    score: float | None = None  # of the picture, -100..100
    best_step: int | None = None
    steps_done: int | None = None
    seconds: float | None = None  # of the search
    recipe: str = ""  # engine.Recipe as JSON
    language: str = "en"  # of the message that everybody sees
    moved_at: float | None = None  # a moderator moved it to the front of its server's line
    flagged: str = ""  # what the safety check found in the picture, e.g. "nudity"


@dataclass(frozen=True, slots=True)
class Picture:
    """The best picture of a dream."""

    content: bytes
    kind: str  # "png": final, with its recipe inside; "jpg": a preview, when there was no final one


def tidy(text: str) -> str:
    """The prompt as it is stored: what no database or pipe can hold (NUL, lone surrogates …) is left out."""
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs")).strip()


def wish(
    *,
    prompt: str,
    seed: int,
    steps: int | None,
    model: str,
    author_id: int,
    guild_id: int | None,
    channel_id: int,
    origin: int,
    language: str = "en",
) -> Wish:
    """A checked `Wish`. Raises `engine.BadRequest` (or `EmptyPrompt`) with a sentence for the person."""
    clean(prompt)  # the engine's own check, made here before anything waits for the GPU
    if not 0 <= seed <= MAX_SEED:
        raise BadRequest(f"The seed must be a whole number from 0 to {MAX_SEED}.")
    if steps is not None and not 1 <= steps <= MAX_STEPS:
        raise BadRequest(f"The steps must be a whole number from 1 to {MAX_STEPS}.")
    return Wish(
        prompt=tidy(prompt),
        seed=seed,
        steps=steps,
        model=model,
        author_id=author_id,
        guild_id=guild_id,
        channel_id=channel_id,
        origin=origin,
        language=language,
    )
