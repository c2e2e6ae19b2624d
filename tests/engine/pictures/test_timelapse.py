"""Films of dreams: whole, within their size, the final picture held."""

import io
import itertools
import math
import sys

import pytest
from PIL import Image, ImageChops, ImageStat

from engine.errors import BadRequest
from engine.pictures.timelapse import (
    HELD_MS,
    KINDS,
    MIN_BYTES,
    Frames,
    Kind,
    encode,
    frames_of,
)


def picture(at: float, side: int = 256) -> Image.Image:
    """A picture with detail that changes with `at` (0..1): what a search might show."""
    noise = Image.effect_noise((side, side), 40)
    wave = Image.radial_gradient("L").resize((side, side)).rotate(360 * at)
    tint = Image.new("RGB", (side, side), (int(255 * at), 80, int(255 * (1 - at))))
    return Image.blend(Image.merge("RGB", (wave, noise, wave)), tint, 0.5)


@pytest.fixture(scope="module")
def search() -> list[Image.Image]:
    return [picture(index / 11) for index in range(12)]


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean absolute difference of the pixels, 0..255."""
    return max(ImageStat.Stat(ImageChops.difference(one, other.resize(one.size))).mean)


def opened(film: bytes) -> list[tuple[Image.Image, float]]:
    """Each frame with its time in milliseconds, as another program reads it."""
    if film[4:8] == b"ftyp":
        import av

        with av.open(io.BytesIO(film)) as container:
            (stream,) = container.streams.video
            assert stream.average_rate is not None
            each_ms = 1000 / float(stream.average_rate)
            return [(frame.to_image(), each_ms) for frame in container.decode(stream)]
    with Image.open(io.BytesIO(film)) as image:
        found = []
        for index in range(image.n_frames):
            image.seek(index)
            image.load()
            found.append((image.convert("RGB"), float(image.info["duration"])))
        return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("max_bytes", [1_500_000, 200_000, 40_000])
def test_a_film_fits_its_size_and_ends_with_the_final_picture_held(
    search: list[Image.Image], kind: Kind, max_bytes: int
) -> None:
    film = encode(search, kind, max_bytes)
    assert len(film) <= max_bytes
    shown = opened(film)
    last, held_ms = shown[-1]
    if kind == "mp4":
        same = [ms for frame, ms in shown if difference(frame, last) < 6]
        assert sum(same) >= HELD_MS * 0.9
    else:
        assert held_ms == HELD_MS
        assert len({round(ms) for _, ms in shown[:-1]}) == 1
    assert difference(last, search[-1]) < difference(last, search[-2])
    assert difference(shown[0][0], search[0]) < difference(shown[0][0], search[3])
    assert encode(search, kind, max_bytes) == film


def test_more_bytes_give_a_larger_film(search: list[Image.Image]) -> None:
    small, large = (frames_of(encode(search, "webp", size)) for size in (40_000, 1_500_000))
    assert large[0].size == (256, 256) and len(large) == 12
    assert small[0].width < 256


def test_one_picture_is_a_film_too() -> None:
    for kind in KINDS:
        assert len(opened(encode([picture(0.5)], kind, 500_000))) >= 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_size_that_nothing_fits_is_told(search: list[Image.Image], kind: Kind) -> None:
    with pytest.raises(BadRequest, match="does not fit into 1000 bytes"):
        encode(search, kind, 1000)


def test_the_smallest_size_that_is_taken_is_kept_to(search: list[Image.Image]) -> None:
    assert len(encode(search, "webp", MIN_BYTES)) <= MIN_BYTES


def test_without_pyav_an_mp4_is_refused_and_the_others_are_named(
    monkeypatch: pytest.MonkeyPatch, search: list[Image.Image]
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)  # as Python marks what cannot be imported
    with pytest.raises(BadRequest, match=r"pip install av"):
        encode(search, "mp4", 500_000)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 100, 1000])
def test_frames_of_a_long_search_are_thinned_evenly(count: int) -> None:
    frames = Frames(most=8)
    made = 0
    for index in range(count):
        if frames.wants_next:
            frames.take(Image.new("RGB", (1 + index, 8)))  # its width is its number
            made += 1
        else:
            frames.skip()
    numbers = [Image.open(io.BytesIO(data)).width - 1 for data in frames._kept]
    assert numbers[0] == 0 and min(count, 4) <= len(numbers) <= 8
    gaps = {b - a for a, b in itertools.pairwise(numbers)}
    assert len(gaps) <= 1
    assert count - 1 - numbers[-1] < 2 * max(gaps, default=1)
    assert made <= 8 + 4 * math.log2(max(count, 2)), "what is not kept need not be made"


def test_collected_frames_become_a_film_with_the_final_picture_at_its_end(search: list[Image.Image]) -> None:
    frames = Frames()
    for frame in search[:4]:
        frames.take(frame)
    shown = frames_of(frames.film(search[-1], "webp", 1_000_000))
    assert len(shown) == 5
    assert difference(shown[0], search[0]) < 12 and difference(shown[-1], search[-1]) < 12


def test_colours_that_only_some_frames_have_are_in_the_film() -> None:
    colours = ["red", "lime", "blue", "yellow", "black", "white", "magenta"]
    frames = [Image.new("RGB", (64, 64), colour) for colour in colours for _ in range(10)]
    shown = [frame for frame, _ in opened(encode(frames, "gif", 500_000))]
    found = {frame.getpixel((32, 32)) for frame in shown}
    assert found == {frame.getpixel((32, 32)) for frame in frames}


def test_a_gif_looks_as_its_frames_do(search: list[Image.Image]) -> None:
    shown = [frame for frame, _ in opened(encode(search, "gif", 10**8))]
    assert max(difference(*pair) for pair in zip(search, shown, strict=True)) < 6


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_waits_hears_of_each_frame(search: list[Image.Image], kind: Kind) -> None:
    heard: list[tuple[int, int]] = []
    encode(search, kind, 10**8, lambda done, total: heard.append((done, total)))
    assert heard == [(done, 12) for done in range(13)]
