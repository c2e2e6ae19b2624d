"""Pictures that people give, whatever they are."""

import io
import struct
import zlib

import pytest
from PIL import Image

from engine.errors import BadRequest
from engine.pictures.decoding import (
    FORMATS,
    MAX_BYTES,
    MAX_SIDE,
    decode,
    square,
)

RED, BLUE = (200, 30, 20), (10, 20, 220)


def two_halves(width: int = 40, height: int = 20) -> Image.Image:
    """Left red, right blue."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def file(image: Image.Image, format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def near(pixel: object, colour: tuple[int, int, int], within: int = 12) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(a - b) <= within for a, b in zip(pixel, colour, strict=True))


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_read(format: str) -> None:
    image = decode(file(two_halves(), format))
    assert (image.mode, image.size) == ("RGB", (40, 20))
    assert near(image.getpixel((4, 10)), RED) and near(image.getpixel((36, 10)), BLUE)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "CMYK"])
def test_every_kind_of_pixel_becomes_rgb(mode: str) -> None:
    image = decode(file(two_halves().convert(mode), "JPEG" if mode == "CMYK" else "PNG"))
    assert (image.mode, image.size) == ("RGB", (40, 20))
    if mode in ("RGBA", "P", "CMYK"):
        assert near(image.getpixel((4, 10)), RED, 30) and near(image.getpixel((36, 10)), BLUE, 30)


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    grey = Image.new("I;16", (8, 8), 0x8080)
    assert near(decode(file(grey, "PNG")).getpixel((0, 0)), (128, 128, 128), 1)
    rgb16 = png(8, 8, bit_depth=16, colour_type=2, pixels=(b"\x00" + b"\xff\xff\x80\x80\x00\x00" * 8) * 8)
    assert near(decode(rgb16).getpixel((0, 0)), (255, 128, 0), 1)


def test_what_is_transparent_is_white() -> None:
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert decode(file(clear, "PNG")).getpixel((0, 0)) == (255, 255, 255)
    palette = Image.new("P", (8, 8), 3)
    assert decode(file(palette, "GIF", transparency=3)).getpixel((0, 0)) == (255, 255, 255)
    assert decode(file(Image.new("RGB", (8, 8), "red"), "PNG", transparency=(255, 0, 0))).getpixel(
        (0, 0)
    ) == (255, 255, 255)


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "AVIF"])
def test_of_an_animation_the_first_frame_is_taken(format: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE, "green")]
    animated = file(frames[0], format, save_all=True, append_images=frames[1:])
    assert near(decode(animated).getpixel((4, 4)), RED)


def test_a_camera_s_orientation_is_heeded_and_a_damaged_one_ignored() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn by 90° clockwise
    turned = decode(file(two_halves(), "JPEG", exif=exif))
    assert turned.size == (20, 40)
    assert near(turned.getpixel((10, 4)), RED) and near(turned.getpixel((10, 36)), BLUE)
    broken = decode(file(two_halves(), "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff"))
    assert broken.size == (40, 20)


def test_a_large_picture_is_made_smaller_and_its_middle_is_square() -> None:
    image = decode(file(two_halves(5000, 1000), "PNG"))
    assert image.width == MAX_SIDE and image.height < MAX_SIDE
    assert square(image).size == (image.height, image.height)
    assert near(square(image).getpixel((4, 4)), RED)


def png(
    width: int, height: int, *, bit_depth: int = 8, colour_type: int = 0, pixels: bytes | None = None
) -> bytes:
    """A PNG by hand; without pixels, of zeros without end."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, bit_depth, colour_type, 0, 0, 0)
    packed = zlib.compress(bytes(1_000_000) if pixels is None else pixels)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def chunk_of_text(size: int) -> bytes:
    """A small picture with a text that unpacks to `size` bytes."""
    data = b"Comment\x00\x00" + zlib.compress(bytes(size))
    text = struct.pack(">I", len(data)) + b"zTXt" + data + struct.pack(">I", zlib.crc32(b"zTXt" + data))
    whole = file(two_halves(), "PNG")
    return whole[:33] + text + whole[33:]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not a picture"),
        (b"\x89PNG\r\n\x1a\n", "not a picture"),
        (b"MZ" + bytes(1000), "not a picture"),
        (bytes(MAX_BYTES + 1), "the limit is 20 MB"),
        (bytes(50 * 2**20), "has 50 MB"),
        (png(20_000, 20_000), "50 million pixels"),
        (png(2**31 - 1, 2**31 - 1), "50 million pixels"),
        (png(7000, 7000), "damaged"),  # fewer pixels than it says
        (chunk_of_text(500_000_000), "picture"),
        (file(two_halves(), "PNG")[:60], "damaged"),
        (file(two_halves(400, 400), "JPEG")[:700], "damaged"),
        (file(two_halves(400, 400), "WEBP")[:60], "picture"),
        (file(two_halves(), "GIF")[:-12], "damaged"),
        (file(two_halves(), "TIFF"), "not a picture"),
    ],
)
def test_what_is_no_picture_is_refused_with_a_sentence(data: bytes, told: str) -> None:
    with pytest.raises(BadRequest, match=told) as error:
        decode(data)
    assert str(error.value).endswith(".")


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_with_any_byte_changed_is_read_or_refused_and_nothing_else(format: str) -> None:
    whole = file(two_halves(), format)
    for at in range(0, len(whole), max(1, len(whole) // 150)):
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        try:
            assert decode(bytes(damaged)).mode == "RGB"
        except BadRequest as error:
            assert str(error).endswith(".")


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1", b"qt  "])
def test_what_cannot_be_read_names_what_can(brand: bytes) -> None:
    phone = struct.pack(">I", 24) + b"ftyp" + brand + bytes(4) + brand + b"mif1" + bytes(500)
    with pytest.raises(BadRequest, match=r"GIF, BMP and AVIF|damaged"):
        decode(phone)
