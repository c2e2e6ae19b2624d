"""What it takes to decode a picture, known from its header, before a single pixel is unpacked. No torch."""

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from engine.errors import BadRequest
from engine.sentences import Key

MAX_PIXELS = 50_000_000  # of a picture's canvas; a telephone's largest photographs have 50 million
MAX_EDGE = 30_000  # pixels of one side: Pillow fills whole rows of a BMP, 255 at a time, for one byte of file
# Bytes that a picture may take while it is decoded: 13 million pixels of WebP or AVIF, an ordinary
# telephone's photograph, and 43 million of a coloured PNG.
MAX_MEMORY = 208 * 2**20
MAX_SCANS = 100  # of a progressive JPEG; each takes its time over all the pixels, and cameras use ten

# Bytes of a pixel while a file is decoded, measured with Pillow 13: what libwebp needs for an animation's
# canvases, twice what Pillow copies out of it …
_LAYERED = 16
_WHOLE = ("PNG", "GIF", "BMP")  # … and formats that are unpacked straight into the picture's own memory,
_SMALLER = 1  # of which the smaller picture takes a quarter at most, beside it
_SMALL_MODES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}  # all others: 4
# JPEG's markers (ITU T.81, table B.1): frames → whether they are progressive; those without a length.
_FRAMES = {0xC0: False, 0xC1: False, 0xC2: True, 0xC9: False, 0xCA: True}
_START_OF_SCAN, _LONE = 0xDA, (0x00, 0x01, *range(0xD0, 0xDA))


def check(image: Image.Image, data: bytes) -> None:
    """Raises `BadRequest` with a sentence when this opened picture, of this file, takes too much to decode.

    A JPEG has to be told its reduced size (`Image.draft`) only afterwards.
    """
    if min(image.size) < 1:
        raise too_large(MAX_PIXELS)
    each = _bytes_a_pixel(image, data)
    most = min(MAX_PIXELS, int(MAX_MEMORY / each))
    if image.width * image.height > most:
        raise too_large(most)
    if max(image.size) > MAX_EDGE:
        raise BadRequest(Key.PICTURE_EDGE, most=MAX_EDGE)


def too_large(most: int = MAX_PIXELS) -> BadRequest:
    """The refusal of a picture with more than `most` pixels."""
    return BadRequest(Key.PICTURE_PIXELS, most=most // 1_000_000)


def _bytes_a_pixel(image: Image.Image, data: bytes) -> float:
    if isinstance(image, JpegImageFile):
        stored, scans = _scans(data)
        if scans > MAX_SCANS:
            raise BadRequest(Key.PICTURE_SCANS, scans=scans, most=MAX_SCANS)
        # In several scans libjpeg keeps all coefficients, 2 bytes each; a draft has a quarter of the pixels.
        return 1 + 2 * stored
    if image.format in _WHOLE:
        return _SMALL_MODES.get(image.mode, 4) + _SMALLER
    return _LAYERED


def _scans(data: bytes) -> tuple[float, int]:
    """How many coefficients of a pixel a JPEG's decoder has to keep, 0 in a single scan, and the scans.

    The frame's header says how finely each channel is sampled. Within a scan 0xFF is followed by a marker
    only at its end (ITU T.81, B.1.1.5), so all scans after the first can be counted; those of a thumbnail,
    in the headers before it, are not.
    """
    at, channels, progressive = 2, b"", False
    while at + 4 <= len(data):
        marker = data[at + 1]
        if data[at] != 0xFF or marker == 0xFF:
            at += 1
        elif marker in _LONE:
            at += 2
        elif marker == _START_OF_SCAN:
            several = progressive or data[at + 4] < len(channels)
            return _samples(channels) if several else 0, data.count(b"\xff\xda", at)
        else:
            if marker in _FRAMES and at + 9 < len(data):
                progressive = _FRAMES[marker]
                channels = data[at + 11 : at + 10 + 3 * data[at + 9] : 3]
            at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return 4, 0  # no scan at all: decoding it will say so


def _samples(channels: bytes) -> float:
    """Samples of a pixel: each channel's byte holds its rates, across and down (same, B.2.2)."""
    rates = [(byte >> 4 or 1, byte & 15 or 1) for byte in channels] or [(1, 1)]
    finest = max(across for across, _ in rates) * max(down for _, down in rates)
    return sum(across * down for across, down in rates) / finest
