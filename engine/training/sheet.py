"""Dreams a list of prompts with the embedded models and puts the pictures on one sheet, to be looked at."""

import argparse
import io
import sys
from pathlib import Path

from PIL import Image, ImageDraw
from tqdm import tqdm

from engine.dreaming.dreamer import Dreamer
from engine.protocol import DreamRequest, Failed, Finished
from engine.training import lists

PROMPTS = lists.lines("sheet")
TILE = 192  # pixels
LINE = 16  # pixels for the words under a picture


def main(argv: list[str]) -> int:
    """Write the sheet; a row of the sheet is a prompt's seeds. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m engine.training sheet", description=__doc__)
    parser.add_argument(
        "prompts", nargs="*", default=PROMPTS, help="what to dream (default: those of the README)"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("sheet.jpg"), help="the sheet (default: %(default)s)"
    )
    parser.add_argument("--seeds", type=int, default=1, help="pictures a prompt, seeds 1.. (default: 1)")
    parser.add_argument("--columns", type=int, default=5, help="prompts side by side (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=None, help="steps a dream (default: the models' own)")
    options = parser.parse_args(argv)

    dreamer = Dreamer(data_dir=Path("data"), device="cpu")
    tiles: list[Image.Image] = []
    wanted = [(prompt, seed) for prompt in options.prompts for seed in range(1, options.seeds + 1)]
    for prompt, seed in tqdm(wanted, unit="dream", file=sys.stderr):
        request = DreamRequest(prompt, prompt, seed, "pocket", options.steps)
        *_, end = dreamer.dream(request, lambda: False)
        if isinstance(end, Failed):
            print(f"{prompt}: {end.message}", file=sys.stderr)
            return 1
        assert isinstance(end, Finished)
        tiles.append(_tile(end, f"{prompt}   {end.score:.0f}"))
    columns = options.columns * options.seeds
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (min(columns, len(tiles)) * TILE, rows * (TILE + LINE)), "white")
    for index, tile in enumerate(tiles):
        sheet.paste(tile, (index % columns * TILE, index // columns * (TILE + LINE)))
    sheet.save(options.out, quality=85)
    print(options.out)
    return 0


def _tile(end: Finished, words: str) -> Image.Image:
    tile = Image.new("RGB", (TILE, TILE + LINE), "white")
    with Image.open(io.BytesIO(end.picture)) as picture:
        tile.paste(picture.resize((TILE, TILE), Image.Resampling.LANCZOS))
    ImageDraw.Draw(tile).text((4, TILE + 2), words, fill="black")
    return tile
