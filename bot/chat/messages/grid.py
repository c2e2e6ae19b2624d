"""Puts a few pictures side by side, each with its number, for people to choose from."""

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

CELL = 384  # pixels; two cells side by side are about as wide as Discord shows a picture
GAP = 8  # pixels between cells
BADGE = 56  # pixels; the number's disc
_DARK, _LIGHT, _ACCENT, _DIM = (30, 31, 34), (255, 255, 255), (233, 30, 99), (120, 122, 128)


def grid(pictures: Sequence[bytes | None], *, winner: int | None = None) -> bytes:
    """A PNG with the pictures (files; None: not there yet, or never) in cells numbered from 1, two in a row.

    `winner`: the number whose cell gets a frame, while the others fade.
    """
    rows = (len(pictures) + 1) // 2
    canvas = Image.new("RGB", (2 * CELL + GAP, rows * CELL + (rows - 1) * GAP), _DARK)
    draw = ImageDraw.Draw(canvas)
    for index, content in enumerate(pictures):
        left, top = (index % 2) * (CELL + GAP), (index // 2) * (CELL + GAP)
        if content is not None:
            cell = _cell(content)
            if winner is not None and winner != index + 1:
                cell = Image.blend(cell, Image.new("RGB", cell.size, _DARK), 0.6)
            canvas.paste(cell, (left, top))
        if winner == index + 1:
            draw.rectangle((left, top, left + CELL - 1, top + CELL - 1), outline=_ACCENT, width=6)
        _number(draw, index + 1, left, top, there=content is not None)
    buffer = io.BytesIO()
    canvas.save(buffer, "PNG")
    return buffer.getvalue()


def _cell(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as picture:
        return picture.convert("RGB").resize((CELL, CELL), Image.Resampling.LANCZOS)


def _number(draw: ImageDraw.ImageDraw, number: int, left: int, top: int, *, there: bool) -> None:
    x, y = left + GAP, top + GAP
    draw.ellipse((x, y, x + BADGE, y + BADGE), fill=_ACCENT if there else _DIM)
    font = ImageFont.load_default(size=BADGE * 0.7)
    draw.text((x + BADGE / 2, y + BADGE / 2), str(number), font=font, fill=_LIGHT, anchor="mm")
