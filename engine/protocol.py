"""The messages between the bot and the engine, and how they travel over a pipe. Knows no torch, no asyncio.

One frame is `>II` (header bytes, payload bytes), a JSON header in UTF-8, then the payload: the values of all
fields that are bytes (pictures, states), one after the other; the header's "blobs" has their lengths by name.
The parent writes `DreamRequest` and `Stop` to the child's stdin, the child writes events to its stdout.
For each request the child sends any number of `Fetching`, one `Started`, any number of `Progress`, and ends
with exactly one `Finished` or `Failed`. `Ready` comes once, when the child has started and can take requests;
where it cannot, a `Failed` of no dream says why, and the child ends.

Between the bot and a cluster's driver (`engine.cluster`) these frames travel in `Enveloped` ones, which name
the engine; the driver tells of each engine with `Joined` and `Left`.
"""

import json
import math
import struct
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from itertools import accumulate
from typing import Any, Literal, get_args

from engine.errors import FailureKind
from engine.sentences import NOTHING, Saying

MAX_HEADER = 1 * 1024 * 1024  # bytes; a longer header is a broken stream, not a message
MAX_PAYLOAD = 64 * 1024 * 1024  # bytes; a 512 px PNG and a dream's state stay under 1 MiB each
_LENGTHS = struct.Struct(">II")  # header bytes, payload bytes
PREFIX_SIZE = _LENGTHS.size  # bytes


class BrokenFrame(Exception):
    """The other process sent something that is not a message of this protocol."""


# How a search begins: afresh; exactly where a state was saved, as if it had never stopped; at a state's
# picture for `steps` more steps, perhaps towards another prompt; at a changed copy; between two states.
Begin = Literal["new", "resume", "continue", "vary", "blend"]


@dataclass(frozen=True, slots=True)
class DreamRequest:
    """One picture to dream."""

    id: str  # the sender's own name for it, given back in every event
    prompt: str  # as the user wrote it; cleaned and cut by the engine; phrases as `engine.prompt` reads them
    seed: int  # 0..engine.settings.MAX_SEED
    model: str = "auto"  # a name from engine.settings.MODELS
    steps: int | None = None  # 1..engine.settings.MAX_STEPS; None: the preset's, else the model's own default
    preview_every_s: float = 2.0  # seconds between pictures in Progress; 0: a picture at every step
    avoid: str = ""  # phrases whose likeness counts against the picture
    image: bytes | None = None  # an image prompt: a picture file that the dream shall resemble
    image_weight: float = 1.0  # how much it counts beside the phrases, whose weight is 1 unless they say more
    init: bytes | None = None  # a picture file: the search begins at the latents that come closest to it
    preset: str = ""  # "quick", "normal", "thorough"; "": the model's own settings
    recipe: str = ""  # the search algorithm, one of engine.settings.RECIPES; "": the default
    size: int | None = None  # side of the shown picture in pixels; None: the model's own, 512 at least
    most_steps: int | None = None  # where `steps` is None: no more than these; None: no such limit
    most_size: int | None = None  # where `size` is None: pixels, no more than these; None: no such limit
    settings: dict[str, float | str] = field(default_factory=dict)  # overrides, by DreamSettings' names
    begin: Begin = "new"
    state: bytes | None = None  # what `begin` goes on from: a Progress's or Finished's state
    other_state: bytes | None = None  # the second one of a blend
    strength: float = 0.5  # 0..1: how far to vary, or how much of a blend is the other one
    state_every_s: float = 0.0  # seconds between states in Progress; 0: none
    timelapse_bytes: int = 0  # the most bytes of a time-lapse in Finished; 0: none is made
    clip: str = ""  # what judges a large generator, as engine.settings.clips reads it; "": the setting's


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
            recipe: Recipe = _build(cls, json.loads(text))
            recipe._check()
        except (ValueError, TypeError) as error:
            raise ValueError(f"This is not a dream's recipe: {error}.") from error
        except RecursionError as error:
            raise ValueError("This is not a dream's recipe: its brackets nest too deep.") from error
        return recipe

    def _check(self) -> None:
        """Raises `TypeError` or `ValueError` for values of other kinds than a dream has written."""
        for name in ("prompt", "model", "generator", "perceptor", "version"):
            if type(getattr(self, name)) is not str:
                raise TypeError(f"{name} is no text")
        if type(self.seed) is not int or type(self.steps) is not int:
            raise TypeError("seed and steps must be whole numbers")
        if type(self.settings) is not dict:
            raise TypeError("the settings are no table")
        for value in self.settings.values():
            if type(value) not in (int, float, str):
                raise TypeError("a setting is neither a number nor a text")
            if not isinstance(value, str) and not math.isfinite(value):
                raise ValueError("a setting is not finite")


@dataclass(frozen=True, slots=True)
class Fetching:
    """A model's file is on its way from the network; comes before `Started`, several times a minute."""

    id: str
    model: str
    file: str  # "": another process fetches this model, and we wait for it
    done: int  # bytes
    total: int  # bytes; 0: unknown


@dataclass(frozen=True, slots=True)
class Started:
    """The models are loaded and the search begins."""

    id: str
    model: str  # the resolved pair
    steps: int
    notice: Saying = NOTHING  # for the user, e.g. that the prompt is long; often none


@dataclass(frozen=True, slots=True)
class Progress:
    """One step done."""

    id: str
    step: int  # 1..steps
    steps: int
    score: float  # 100 × mean cosine of text and picture, -100..100
    best_score: float  # the highest score so far
    seconds_left: float  # below 1: about to end, or not known yet
    picture: bytes | None = None  # a JPEG preview, when one is due
    state: bytes | None = None  # from which this dream can be resumed at this step, when one is due
    flagged: str = ""  # what the safety check found in the picture, e.g. "nudity"; "": nothing, or no check


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
    state: bytes | None = None  # from which this dream can be continued, varied and blended
    timelapse: bytes | None = None  # animated WebP, when one was asked for and could be made
    flagged: str = ""  # as in Progress
    # What the models know that is nearest to the words, by language ("en", "it"), where the picture hardly
    # shows them and the models know names.
    nearest: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failed:
    """The dream ended without a picture."""

    id: str
    kind: FailureKind
    message: Saying = NOTHING  # one clear sentence for the user


@dataclass(frozen=True, slots=True)
class Joined:
    """Another engine of the cluster can dream."""

    engine: str  # its name, never given twice
    node: str  # of which machine, for the log
    device: str  # as in Ready


@dataclass(frozen=True, slots=True)
class Left:
    """An engine of the cluster is gone; to the driver: it is of no more use, end it."""

    engine: str


@dataclass(frozen=True, slots=True)
class Enveloped:
    """A frame to or from one of the cluster's engines, unread on its way."""

    engine: str
    frame: bytes


Message = (
    DreamRequest
    | Stop
    | Ready
    | Fetching
    | Started
    | Progress
    | Finished
    | Failed
    | Joined
    | Left
    | Enveloped
)
Event = Fetching | Started | Progress | Finished | Failed
_TYPES: dict[str, type] = {kind.__name__: kind for kind in get_args(Message)}


def fits(message: Message) -> bool:
    """Whether the message's pictures and states may travel in one frame."""
    values = (getattr(message, each.name) for each in fields(message))
    return sum(len(value) for value in values if isinstance(value, bytes)) <= MAX_PAYLOAD


def encode(message: Message) -> bytes:
    """The message as one frame; it has to fit."""
    header = asdict(message)
    blobs = {name: value for name, value in header.items() if isinstance(value, bytes)}
    header = {name: value for name, value in header.items() if name not in blobs}
    header |= {"type": type(message).__name__, "blobs": {name: len(value) for name, value in blobs.items()}}
    text = json.dumps(header, ensure_ascii=False).encode(errors="replace")
    payload = b"".join(blobs.values())
    return _LENGTHS.pack(len(text), len(payload)) + text + payload


def lengths(prefix: bytes) -> tuple[int, int]:
    """Header and payload length (bytes) from a frame's first `PREFIX_SIZE` bytes. Raises `BrokenFrame`."""
    header, payload = _LENGTHS.unpack(prefix)
    if not 0 < header <= MAX_HEADER or payload > MAX_PAYLOAD:
        raise BrokenFrame(f"A frame announced {header} + {payload} bytes.")
    return header, payload


def decode(header: bytes, payload: bytes) -> Message:
    """The message from a frame's two parts. Raises `BrokenFrame` for anything that is not one."""
    try:
        values = json.loads(header)
        kind = _TYPES[values.pop("type")]
        values |= _cut(payload, values.pop("blobs"))
        if kind is Finished:
            values["recipe"] = _build(Recipe, values["recipe"])
        if kind is Failed:
            values["kind"] = FailureKind(values["kind"])
        for name in values.keys() & {"notice", "message"}:
            values[name] = Saying.built(values[name]["parts"])
        return _build(kind, values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BrokenFrame(f"Not a message: {error}.") from error


def _cut(payload: bytes, sizes: dict[str, int]) -> dict[str, bytes]:
    """The payload's parts by name."""
    if any(type(size) is not int or size < 0 for size in sizes.values()) or sum(sizes.values()) != len(
        payload
    ):
        raise ValueError("the payload is not what its header says")
    ends = list(accumulate(sizes.values()))
    return {name: payload[end - size : end] for (name, size), end in zip(sizes.items(), ends, strict=True)}


def read(read_exactly: Callable[[int], bytes]) -> Message:
    """The next message from a blocking stream: `read_exactly(n)` gives n bytes or raises `EOFError`."""
    header, payload = lengths(read_exactly(PREFIX_SIZE))
    return decode(read_exactly(header), read_exactly(payload))


def opened(frame: bytes) -> Message:
    """The message of one whole frame. Raises `BrokenFrame`."""
    header, payload = lengths(frame[:PREFIX_SIZE]) if len(frame) >= PREFIX_SIZE else (0, 0)
    if len(frame) != PREFIX_SIZE + header + payload or not header:
        raise BrokenFrame(f"A frame of {len(frame)} bytes is not as long as it says.")
    return decode(frame[PREFIX_SIZE : PREFIX_SIZE + header], frame[PREFIX_SIZE + header :])


def kind_of(frame: bytes) -> type:
    """Which kind of message a whole frame says it is; the rest is not looked at. Raises `BrokenFrame`."""
    try:
        size = lengths(frame[:PREFIX_SIZE])[0]
        return _TYPES[json.loads(frame[PREFIX_SIZE : PREFIX_SIZE + size])["type"]]
    except (ValueError, KeyError, TypeError, struct.error) as error:
        raise BrokenFrame(f"Not a message: {error}.") from error


def _build(kind: type, values: Any) -> Any:
    if not isinstance(values, dict):
        raise TypeError("not a table of values")
    known = {f.name for f in fields(kind)}
    return kind(**{name: value for name, value in values.items() if name in known})
