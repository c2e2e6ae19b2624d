"""A dream as a short film: its pictures one after the other, the final one held, within a size in bytes.

Knows pictures, not searches. Imports no torch.
"""

import io
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, get_args

from PIL import Image, ImageSequence

from engine.errors import BadRequest
from engine.sentences import Key

Kind = Literal["webp", "gif", "mp4"]
KINDS: tuple[Kind, ...] = get_args(Kind)

MOST_FRAMES = 64  # of one dream
LENGTH_MS = 6000  # of a film without its last picture, where the frames allow it
FRAME_MS = (60, 240)  # the shortest and the longest time of a frame
HELD_MS = 2500  # how long the final picture stays
RATE = 25  # frames a second of an MP4; a WebP or GIF has a time a frame
MIN_BYTES = 20_000  # a smaller film would show nothing
SAMPLE_SIDE = 64  # pixels of a frame's width and height that choose the colours of a GIF's frame

Told = Callable[
    [int, int], None
]  # frames that are in the film, of how many; it begins anew when it is too long

# How a film is made smaller until it fits: side in pixels, quality (1..100), and which frames: every one,
# every second one ….
_RUNGS = (
    (512, 85, 1),
    (512, 70, 1),
    (512, 50, 1),
    (384, 60, 1),
    (384, 40, 1),
    (256, 50, 1),
    (256, 50, 2),
    (256, 30, 2),
    (192, 40, 2),
    (128, 40, 2),
    (128, 30, 4),
    (96, 20, 8),
    (64, 10, 16),
)


class Frames:
    """Pictures as they come, kept as JPEGs: evenly thinned, so that a search of any length fits."""

    def __init__(self, most: int = MOST_FRAMES) -> None:
        self._most = most
        self._kept: list[bytes] = []
        self._stride = 1
        self._seen = 0

    @property
    def wants_next(self) -> bool:
        """Whether the next picture would be kept; if not, it need not be made, only be counted by `skip`."""
        return self._seen % self._stride == 0

    def take(self, picture: Image.Image) -> None:
        """Keep this picture, if its turn has come."""
        if self.wants_next:
            if len(self._kept) == self._most:
                del self._kept[1::2]
                self._stride *= 2
            if self.wants_next:
                file = io.BytesIO()
                picture.save(file, "JPEG", quality=92)
                self._kept.append(file.getvalue())
        self._seen += 1

    def skip(self) -> None:
        """Count a picture that was not made."""
        self._seen += 1

    def film(self, final: Image.Image, kind: Kind, max_bytes: int) -> bytes:
        """The pictures and then the final one as a film. Raises as `encode`."""
        frames = [Image.open(io.BytesIO(data)) for data in self._kept]
        return encode([*frames, final], kind, max_bytes)


def _silent(_done: int, _total: int) -> None:
    """Nobody listens."""


def encode(frames: Sequence[Image.Image], kind: Kind, max_bytes: int, told: Told = _silent) -> bytes:
    """A film of at most `max_bytes` bytes: as large, fine and smooth as fits; the last frame stays longest.

    `frames` are at least one, square or not, all of one shape. The same frames give the same bytes. An MP4
    needs PyAV. Raises `BadRequest` when not even a tiny film fits, or PyAV is not there.
    """
    if max_bytes >= MIN_BYTES:
        tried: tuple[int, float] | None = None  # bytes and cost of the last rung that was tried
        for side, quality, stride in _RUNGS:
            cost = side**2 * (20 + quality) / stride
            hopeless = tried is not None and tried[0] * cost / tried[1] > 1.5 * max_bytes
            if hopeless and (side, quality, stride) != _RUNGS[-1]:
                continue
            film = _ENCODERS[kind](_chosen(frames, side, stride), quality, told)
            if len(film) <= max_bytes:
                return film
            tried = len(film), cost
    raise BadRequest(Key.TIMELAPSE_FRAMES, bytes=max_bytes)


def frames_of(film: bytes) -> list[Image.Image]:
    """The frames of a film that `encode` made as WebP or GIF, each RGB."""
    with Image.open(io.BytesIO(film), formats=["WEBP", "GIF"]) as image:
        return [frame.convert("RGB") for frame in ImageSequence.Iterator(image)]


def _chosen(frames: Sequence[Image.Image], side: int, stride: int) -> list[Image.Image]:
    """Every `stride`-th frame and the last one, `side` pixels at most, of even width and height."""
    last = len(frames) - 1
    kept = [frame for index, frame in enumerate(frames) if index == last or index % stride == 0]
    scale = min(1.0, side / max(frames[-1].size))
    width, height = (max(2, 2 * round(length * scale / 2)) for length in frames[-1].size)
    return [frame.convert("RGB").resize((width, height), Image.Resampling.LANCZOS) for frame in kept]


def _durations(count: int) -> list[int]:
    """Milliseconds of each frame."""
    shortest, longest = FRAME_MS
    each = min(max(LENGTH_MS // max(count - 1, 1), shortest), longest) // 10 * 10  # a GIF counts in 10 ms
    return [each] * (count - 1) + [HELD_MS]


def _counted(frames: Sequence[Image.Image], told: Told) -> Iterator[Image.Image]:
    """The frames, told of as they are taken."""
    for index, frame in enumerate(frames):
        told(index, len(frames))
        yield frame
    told(len(frames), len(frames))


def _webp(frames: Sequence[Image.Image], quality: int, told: Told) -> bytes:
    return _animated(_counted(frames, told), len(frames), "WEBP", quality=quality, method=2)


def _gif(frames: Sequence[Image.Image], quality: int, told: Told) -> bytes:
    """Each frame with a palette of its own, chosen by some of its pixels, which is ten times as fast."""
    colours = max(8, round(256 * quality / 100))
    mapped = (_in_colours(frame, colours) for frame in _counted(frames, told))
    return _animated(mapped, len(frames), "GIF", optimize=True)


def _in_colours(frame: Image.Image, colours: int) -> Image.Image:
    few = frame.resize((SAMPLE_SIDE, SAMPLE_SIDE), Image.Resampling.NEAREST)
    # Dithered, it would flicker and hardly compress.
    return frame.quantize(palette=few.quantize(colours), dither=Image.Dither.NONE)


def _animated(frames: Iterator[Image.Image], count: int, format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    next(frames).save(
        file,
        format,
        save_all=True,
        append_images=frames,
        duration=_durations(count) if count > 1 else HELD_MS,
        loop=0,
        **options,
    )
    return file.getvalue()


def _mp4(frames: Sequence[Image.Image], quality: int, told: Told) -> bytes:
    """H.264, which every chat and browser plays."""
    try:
        import av
    except ImportError as error:
        raise BadRequest(Key.MP4_NEEDS_PYAV) from error
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height = frames[0].size
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(round(45 - quality / 3)), "preset": "medium"}
        for frame, duration_ms in zip(_counted(frames, told), _durations(len(frames)), strict=True):
            for _ in range(math.ceil(duration_ms * RATE / 1000)):
                container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        container.mux(stream.encode(None))
    return file.getvalue()


_ENCODERS = {"webp": _webp, "gif": _gif, "mp4": _mp4}
