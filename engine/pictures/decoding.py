"""Pictures that people give: decoded safely from bytes, whatever they are, to plain upright RGB. No torch."""

import io
import warnings

from PIL import ExifTags, Image, ImageOps
from PIL.JpegImagePlugin import JpegImageFile

from engine.errors import BadRequest
from engine.pictures.headers import MAX_PIXELS as MAX_PIXELS  # for whoever fetches pictures
from engine.pictures.headers import check
from engine.pictures.headers import too_large as too_large
from engine.sentences import Key

MAX_BYTES = 20 * 1024 * 1024  # of a picture's file
MAX_SIDE = 1024  # pixels of what is kept; perceptors and generators see less
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "AVIF")
ROWS = 256  # of a large picture that are converted at once
# EXIF's orientations (2.32, 4.6.5.1) → what makes a picture upright.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIXTEEN_BIT = ("I", "I;16", "I;16L", "I;16B", "I;16N")


def decode(data: bytes) -> Image.Image:
    """The picture in these bytes: RGB, upright, its longer side at most `MAX_SIDE` pixels.

    Its content decides what it is, not a name or a type that somebody gave it. Of an animation the first
    frame is taken, what is transparent is white. Its memory is bounded, see `engine.pictures.headers`. Raises
    `BadRequest` with a sentence.
    """
    if len(data) > MAX_BYTES:
        raise BadRequest(Key.PICTURE_BYTES, size=_mb(len(data)), most=_mb(MAX_BYTES))
    Image.init()  # before, Pillow knows only its commonest formats
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Pillow's, about odd files; the sizes are checked here
        try:
            image = Image.open(io.BytesIO(data), formats=FORMATS)
        except Image.DecompressionBombError as error:
            raise too_large() from error
        except Exception as error:  # parsers of hostile files fail in every way; the file's fault, not ours
            _let_memory_errors_rise(error)
            raise BadRequest(Key.PICTURE_UNKNOWN) from error
        with image:
            check(image, data)
            try:
                _draft(image)
                image.load()
                return _plain(image)
            except Exception as error:  # as above
                _let_memory_errors_rise(error)
                raise BadRequest(Key.PICTURE_DAMAGED) from error


def square(image: Image.Image) -> Image.Image:
    """The middle of a picture, as large a square as there is in it."""
    return ImageOps.fit(image, (min(image.size),) * 2)


def _draft(image: Image.Image) -> None:
    """Let a large JPEG be decoded at an eighth, a quarter or half of its size at once."""
    times = max(image.size) // (2 * MAX_SIDE)
    if isinstance(image, JpegImageFile) and times > 1:
        image.draft("RGB", (max(1, image.width // times), max(1, image.height // times)))


def _plain(image: Image.Image) -> Image.Image:
    turn = _turn(image)
    small = _smaller(image)
    small.thumbnail((MAX_SIDE, MAX_SIDE))
    if small.mode == "RGBA":
        small = Image.alpha_composite(Image.new("RGBA", small.size, "white"), small)
    small = small.convert("RGB")
    return small if turn is None else small.transpose(turn)


def _smaller(image: Image.Image) -> Image.Image:
    """RGB or RGBA, a large one by a whole number of times smaller, at most twice as large as what is kept.

    Band by band: converted as a whole it would be in memory several times.
    """
    times = max(1, max(image.size) // (2 * MAX_SIDE))
    if times == 1:
        return _coloured(image)
    rows = max(1, ROWS // times) * times
    whole = None
    for top in range(0, image.height, rows):
        band = _coloured(image.crop((0, top, image.width, min(top + rows, image.height)))).reduce(times)
        if whole is None:
            whole = Image.new(band.mode, (band.width, -(-image.height // times)))
        whole.paste(band, (0, top // times))
    assert whole is not None  # no picture without rows is let in
    return whole


def _coloured(image: Image.Image) -> Image.Image:
    if image.mode in SIXTEEN_BIT:  # Pillow would clip to 255 instead of scaling; "I" is 16 bits in a PNG
        image = image.convert("I").point(lambda value: value / 257).convert("L")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What makes the picture upright, after its camera's EXIF data; damaged data says nothing."""
    try:
        return TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception as error:  # noqa: BLE001 - in whatever way it is damaged; the picture is whole
        _let_memory_errors_rise(error)
        return None


def _let_memory_errors_rise(error: Exception) -> None:
    if isinstance(error, MemoryError):
        raise error


def _mb(size: int) -> str:
    return f"{size / 2**20:.0f}"
