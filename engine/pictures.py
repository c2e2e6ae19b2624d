"""Pictures that people give: decoded safely from bytes, whatever they are, to plain upright RGB. No torch."""

import io
import warnings

from PIL import Image, ImageOps

from engine.errors import BadRequest

MAX_BYTES = 20 * 1024 * 1024  # of a picture's file
MAX_PIXELS = 50_000_000  # of its canvas: decoded, 200 MB at most
MAX_SIDE = 1024  # pixels of what is kept; perceptors and generators see less
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "AVIF")
SIXTEEN_BIT = ("I", "I;16", "I;16L", "I;16B", "I;16N")

NOT_A_PICTURE = "This is not a picture that I can read; I know PNG, JPEG, WebP, GIF, BMP and AVIF."
DAMAGED = "This picture is damaged, so I cannot read it."


def decode(data: bytes) -> Image.Image:
    """The picture in these bytes: RGB, upright, its longer side at most `MAX_SIDE` pixels.

    Its content decides what it is, not a name or a type that somebody gave it. Of an animation the first
    frame is taken, what is transparent is white. Raises `BadRequest` with a sentence.
    """
    if len(data) > MAX_BYTES:
        raise BadRequest(f"This picture has {_mb(len(data))} MB; {_mb(MAX_BYTES)} MB is the most.")
    Image.init()  # before, Pillow knows only its commonest formats
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Pillow's, about odd files; the sizes are checked here
        try:
            image = Image.open(io.BytesIO(data), formats=FORMATS)
        except Image.DecompressionBombError as error:
            raise _too_large() from error
        except Exception as error:  # parsers of hostile files fail in every way; the file's fault, not ours
            _let_memory_errors_rise(error)
            raise BadRequest(NOT_A_PICTURE) from error
        with image:
            if min(image.size) < 1 or image.width * image.height > MAX_PIXELS:
                raise _too_large()
            try:
                image.draft("RGB", (2 * MAX_SIDE, 2 * MAX_SIDE))  # a large JPEG is decoded small at once
                image.load()
                return _plain(image)
            except Exception as error:  # as above
                _let_memory_errors_rise(error)
                raise BadRequest(DAMAGED) from error


def square(image: Image.Image) -> Image.Image:
    """The middle of a picture, as large a square as there is in it."""
    return ImageOps.fit(image, (min(image.size),) * 2)


def _plain(image: Image.Image) -> Image.Image:
    if image.mode in SIXTEEN_BIT:  # Pillow would clip to 255 instead of scaling; "I" is 16 bits in a PNG
        image = image.convert("I").point(lambda value: value / 257).convert("L")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image.thumbnail((MAX_SIDE, MAX_SIDE))
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert("RGB")
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    return _upright(image)


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception as error:  # noqa: BLE001 - damaged EXIF data, in whatever way; the picture is whole
        _let_memory_errors_rise(error)
        return image


def _too_large() -> BadRequest:
    return BadRequest(f"This picture is too large; {MAX_PIXELS // 1_000_000} million pixels are the most.")


def _let_memory_errors_rise(error: Exception) -> None:
    if isinstance(error, MemoryError):
        raise error


def _mb(size: int) -> str:
    return f"{size / 2**20:.0f}"
