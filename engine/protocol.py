"""The messages between the bot and the engine, and how they travel over a pipe. Knows no torch, no asyncio.

One frame is `>II` (header bytes, picture bytes), a JSON header in UTF-8, then the picture's bytes.
The parent writes `DreamRequest` and `Stop` to the child's stdin, the child writes events to its stdout.
For each request the child sends one `Started`, any number of `Progress`, and ends with exactly one
`Finished` or `Failed`. `Ready` comes once, when the child has started and can take requests.
"""

import json
import struct
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from engine.errors import FailureKind

MAX_HEADER = 1 * 1024 * 1024  # bytes; a longer header is a broken stream, not a message
MAX_PICTURE = 64 * 1024 * 1024  # bytes; a 512 px PNG stays under 1 MiB
_LENGTHS = struct.Struct(">II")  # header bytes, picture bytes
PREFIX_SIZE = _LENGTHS.size  # bytes


class BrokenFrame(Exception):
    """The other process sent something that is not a message of this protocol."""


@dataclass(frozen=True, slots=True)
class DreamRequest:
    """One picture to dream."""

    id: str  # the sender's own name for it, given back in every event
    prompt: str  # as the user wrote it; cleaned and cut by the engine
    seed: int  # 0..engine.settings.MAX_SEED
    model: str = "auto"  # a name from engine.settings.MODELS
    steps: int | None = None  # 1..engine.settings.MAX_STEPS; None: the model's own default
    preview_every_s: float = 2.0  # seconds between pictures in Progress; 0: a picture at every step


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop the dream with this id at the next step and keep its best picture; unknown ids are ignored."""

    id: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The child is up."""

    version: str
    device: str  # "cpu", "cuda", "mps"


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that is needed to dream the same picture again: same recipe, same hardware, same bytes."""

    prompt: str
    seed: int
    steps: int
    model: str  # the resolved pair, never "auto"
    generator: str
    perceptor: str
    version: str  # of Oneiro
    settings: dict[str, float | str] = field(default_factory=dict)  # learning rate, cutouts …, by name

    def to_json(self) -> str:
        """As one line of JSON, keys sorted: what the PNG's metadata holds."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Recipe":
        """Read `to_json`'s line. Raises `ValueError` with a sentence when it is not a recipe."""
        try:
            return _build(cls, json.loads(text))
        except (ValueError, TypeError) as error:
            raise ValueError(f"This is not a dream's recipe: {error}.") from error


@dataclass(frozen=True, slots=True)
class Started:
    """The models are loaded and the search begins."""

    id: str
    model: str  # the resolved pair
    steps: int
    notice: str = ""  # a sentence for the user, e.g. that the prompt was cut; "" for none


@dataclass(frozen=True, slots=True)
class Progress:
    """One step done."""

    id: str
    step: int  # 1..steps
    steps: int
    score: float  # 100 × mean cosine of text and picture, -100..100
    best_score: float  # the highest score so far
    seconds_left: float
    picture: bytes | None = None  # a JPEG preview, when one is due


@dataclass(frozen=True, slots=True)
class Finished:
    """The dream is done, or was stopped: its best picture."""

    id: str
    recipe: Recipe
    score: float  # of the picture, -100..100
    best_step: int  # the step that made the picture
    steps_done: int
    seconds: float  # of the search, without loading
    stopped: bool  # True when it was asked to stop before its last step
    picture: bytes  # PNG, with the recipe in its metadata


@dataclass(frozen=True, slots=True)
class Failed:
    """The dream ended without a picture."""

    id: str
    kind: FailureKind
    message: str  # one clear sentence for the user


Message = DreamRequest | Stop | Ready | Started | Progress | Finished | Failed
Event = Started | Progress | Finished | Failed
_TYPES: dict[str, type] = {
    t.__name__: t for t in (DreamRequest, Stop, Ready, Started, Progress, Finished, Failed)
}


def encode(message: Message) -> bytes:
    """The message as one frame."""
    header = asdict(message)
    picture = header.pop("picture", None)
    text = json.dumps({"type": type(message).__name__, **header}, ensure_ascii=False).encode(errors="replace")
    return _LENGTHS.pack(len(text), len(picture or b"")) + text + (picture or b"")


def lengths(prefix: bytes) -> tuple[int, int]:
    """Header and picture length (bytes) from a frame's first `PREFIX_SIZE` bytes. Raises `BrokenFrame`."""
    header, picture = _LENGTHS.unpack(prefix)
    if not 0 < header <= MAX_HEADER or picture > MAX_PICTURE:
        raise BrokenFrame(f"A frame announced {header} + {picture} bytes.")
    return header, picture


def decode(header: bytes, picture: bytes) -> Message:
    """The message from a frame's two parts. Raises `BrokenFrame` for anything that is not one."""
    try:
        values = json.loads(header)
        kind = _TYPES[values.pop("type")]
        if "picture" in {f.name for f in fields(kind)}:
            values["picture"] = picture or None
        if kind is Finished:
            values["recipe"] = _build(Recipe, values["recipe"])
        if kind is Failed:
            values["kind"] = FailureKind(values["kind"])
        return _build(kind, values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BrokenFrame(f"Not a message: {error}.") from error


def read(read_exactly: Callable[[int], bytes]) -> Message:
    """The next message from a blocking stream: `read_exactly(n)` gives n bytes or raises `EOFError`."""
    header, picture = lengths(read_exactly(PREFIX_SIZE))
    return decode(read_exactly(header), read_exactly(picture))


def _build(kind: type, values: Any) -> Any:
    if not isinstance(values, dict):
        raise TypeError("not a table of values")
    known = {f.name for f in fields(kind)}
    return kind(**{name: value for name, value in values.items() if name in known})
