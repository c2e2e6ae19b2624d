"""One picture of many dreams: each with its words and whether the judge found them."""

from collections.abc import Iterable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

TILE = 144  # pixels, each side
LINE = 18  # pixels for the words under a picture
_RIGHT, _NEAR, _WRONG = "#1a7f37", "#9a6700", "#cf222e"


def write(path: Path, tiles: Iterable[tuple[Image.Image | None, str, int]], columns: int) -> None:
    """Pictures (None: the dream collapsed) with their words and ranks, `columns` side by side, as a JPEG.

    The words are green where the judge ranked them first, amber among the first five, red elsewhere.
    Raises `OSError`.
    """
    shown = list(tiles)
    columns = min(columns, len(shown))
    rows = -(-len(shown) // columns)
    sheet = Image.new("RGB", (columns * TILE, rows * (TILE + LINE)), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(12)
    for index, (image, words, rank) in enumerate(shown):
        left, top = index % columns * TILE, index // columns * (TILE + LINE)
        if image is not None:
            sheet.paste(
                image.convert("RGB").resize((TILE - 2, TILE - 2), Image.Resampling.LANCZOS), (left, top)
            )
        text = f"{rank} {words}"
        while draw.textlength(text, font) > TILE - 6:
            text = text[:-2].rstrip("…") + "…"
        colour = _RIGHT if rank == 1 else _NEAR if rank <= 5 else _WRONG
        draw.text((left + 3, top + TILE), text, fill=colour, font=font)
    sheet.save(path, "JPEG", quality=82)
