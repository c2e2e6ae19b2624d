"""What decoding a picture may take: known from the header, whatever the pixels turn out to be."""

import io
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image

from engine.errors import BadRequest
from engine.pictures.decoding import MAX_SIDE, decode
from engine.pictures.headers import MAX_EDGE, MAX_MEMORY, MAX_SCANS

ROOT = Path(__file__).parents[3]
RED, BLUE = (200, 30, 20), (10, 20, 220)


def file(image: Image.Image, format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def blank(mode: str, width: int, height: int, format: str, **options: object) -> bytes:
    return file(Image.new(mode, (width, height)), format, **options)


def many_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again: a few bytes each, all pixels' work each."""
    whole = blank("RGB", 4000, 4000, "JPEG", progressive=True)
    end = whole.rindex(b"\xff\xda")
    return whole[:end] + whole[end:-2] * count + b"\xff\xd9"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (lambda: blank("RGB", 7000, 7000, "PNG"), "43 million pixels"),
        (lambda: blank("RGBA", 7000, 7000, "PNG"), "43 million pixels"),
        (lambda: blank("RGB", 4000, 4000, "WEBP", lossless=True, method=0), "13 million pixels"),
        (lambda: blank("RGB", 6000, 6000, "JPEG", progressive=True, subsampling=0), "31 million pixels"),
        (lambda: many_scans(MAX_SCANS), "scans"),
        (lambda: blank("L", MAX_EDGE + 1, 1, "PNG"), "too wide or too high"),
        (lambda: blank("L", 1, MAX_EDGE + 1, "PNG"), "too wide or too high"),
        (lambda: gif_of(60_000, 60_000), "million pixels"),
    ],
)
def test_what_would_take_too_much_is_refused_before_it_is_decoded(data: object, told: str) -> None:
    with pytest.raises(BadRequest, match=told):
        decode(data())  # type: ignore[operator]  # made in the test, not while tests are collected


def gif_of(width: int, height: int) -> bytes:
    """A GIF whose canvas is as large as it says, with one small frame on it."""
    small = bytearray(blank("P", 8, 8, "GIF"))
    small[6:10] = struct.pack("<HH", width, height)
    return bytes(small)


@pytest.mark.parametrize(
    ("mode", "format", "options"),
    [
        ("RGB", "JPEG", {}),  # in one scan: a telephone's largest photographs
        ("L", "PNG", {}),
        ("P", "GIF", {}),
        ("1", "PNG", {}),
    ],
)
def test_a_picture_of_49_million_pixels_is_read_where_that_takes_little(
    mode: str, format: str, options: dict[str, object]
) -> None:
    assert decode(blank(mode, 7000, 7000, format, **options)).size == (MAX_SIDE, MAX_SIDE)


@pytest.mark.parametrize(
    ("size", "format", "options"),
    [
        ((4032, 3024), "WEBP", {"method": 0}),
        ((3120, 4208), "WEBP", {"method": 0}),
        ((4032, 3024), "AVIF", {"speed": 10}),
        ((4208, 3120), "AVIF", {"speed": 10}),
    ],
)
def test_a_telephones_ordinary_photograph_is_read_in_every_format(
    size: tuple[int, int], format: str, options: dict[str, object]
) -> None:
    assert max(decode(blank("RGB", *size, format, **options)).size) == MAX_SIDE


def test_a_photograph_with_a_thumbnail_of_its_own_is_still_in_one_scan() -> None:
    thumbnail = blank("RGB", 160, 160, "JPEG", progressive=True)
    exif = b"Exif\x00\x00" + thumbnail
    assert decode(blank("RGB", 7000, 6000, "JPEG", exif=exif)).width == MAX_SIDE


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "I;16", "RGBA", "LA", "CMYK"])
def test_made_smaller_band_by_band_a_picture_is_what_it_was(mode: str) -> None:
    grey = Image.linear_gradient("L").resize((4099, 1207))
    if mode == "I;16":
        picture = grey.convert("I").point(lambda value: value * 257).convert("I;16")
    else:
        picture = Image.merge("RGB", (grey, grey.rotate(180), grey)).convert(mode)
    small = decode(file(picture, "JPEG", quality=95) if mode == "CMYK" else file(picture, "PNG"))
    shown = grey if mode == "I;16" else picture
    expected = shown.convert("RGB").resize(small.size, Image.Resampling.BOX)
    differences = [abs(a - b) for a, b in zip(small.tobytes(), expected.tobytes(), strict=True)]
    assert sum(differences) / len(differences) < 3


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_no_picture_takes_more_than_its_share_of_memory(tmp_path: Path) -> None:
    pictures = {
        "colours": blank("RGB", 7680, 5600, "PNG", compress_level=1),  # the largest that is read
        "webp": blank("RGB", 4208, 3120, "WEBP", method=0),
        "avif": blank("RGB", 4208, 3120, "AVIF", speed=10, subsampling="4:4:4"),
        "palette": blank("P", 7000, 7000, "GIF"),
        "scans": blank("RGB", 5500, 5500, "JPEG", progressive=True),
    }
    for name, data in pictures.items():
        (tmp_path / name).write_bytes(data)
        taken = peak_while_decoding(tmp_path / name)
        assert taken < MAX_MEMORY + 32 * 2**20, name


def peak_while_decoding(path: Path) -> int:
    """Bytes by which a process grows that decodes this file."""
    lines = (
        "import re, sys, engine.pictures.decoding as pictures",
        "from PIL import Image",
        "def peak(): return int(re.search(r'VmHWM:\\s*(\\d+)', open('/proc/self/status').read())[1])",
        "data = open(sys.argv[1], 'rb').read(); Image.init(); before = peak()",
        "pictures.decode(data); print(peak() - before)",
    )
    command = [sys.executable, "-c", "\n".join(lines), str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return int(done.stdout) * 1024


def test_of_thousands_of_frames_only_the_first_is_decoded() -> None:
    frames = [Image.new("L", (16, 16), shade % 256) for shade in range(2000)]
    animated = file(frames[0], "GIF", save_all=True, append_images=frames[1:], disposal=2)
    cut = animated[: len(animated) // 2]  # the second half would be missed
    assert decode(cut).size == (16, 16)


@pytest.mark.parametrize("kind", [b"iTXt", b"zTXt", b"iCCP", b"eXIf"])
def test_what_is_packed_beside_the_pixels_does_not_unpack(kind: bytes) -> None:
    packed = zlib.compress(bytes(80_000_000))
    beside = {
        b"iTXt": b"a\x00\x01\x00\x00\x00" + packed,
        b"zTXt": b"a\x00\x00" + packed,
        b"iCCP": b"a\x00\x00" + packed,
        b"eXIf": packed,
    }[kind]
    chunk = struct.pack(">I", len(beside)) + kind + beside + struct.pack(">I", zlib.crc32(kind + beside))
    whole = blank("RGB", 8, 8, "PNG")
    try:
        assert decode(whole[:33] + chunk + whole[33:]).size == (8, 8)
    except BadRequest as error:
        assert re.search(r"picture.*\.$", str(error))
