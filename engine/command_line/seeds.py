"""Several seeds at once: a picture for each, and one picture of all of them."""

import argparse
import io
import math
from collections.abc import Sequence
from dataclasses import replace

from PIL import Image

from engine.command_line.console import Interrupts
from engine.command_line.options import SEED, Wish
from engine.command_line.outputs import Output, secured
from engine.command_line.results import keep, tell
from engine.command_line.running import Studio
from engine.errors import BadRequest, BadSetting
from engine.settings import MAX_SEED, whole

MAX_SEEDS = 64
TILE = 256  # pixels of a side in the picture of all
COUNT = whole("--seeds", 1, 1, MAX_SEEDS, "how many")


def read_seeds(given: argparse.Namespace, first: int) -> list[int]:
    """The seeds that --seeds means, counted on from `first`; none without it. Raises `DreamError`."""
    if given.seeds is None:
        return []
    if given.timelapse is not None:
        raise BadRequest("A film shows one dream; please give either --timelapse or --seeds.")
    if "," not in given.seeds:
        count = COUNT.read({COUNT.key: given.seeds or "?"})
        return [(first + index) % (MAX_SEED + 1) for index in range(count)]
    if given.seed is not None:
        raise BadRequest("A list of seeds leaves nothing for --seed; please give one of them.")
    try:
        seeds = [SEED.read({SEED.key: part.strip() or "?"}) for part in given.seeds.split(",")]
    except BadSetting as error:
        raise BadRequest(
            f"--seeds is {given.seeds[:80]!r}; it must be a number or a list like 1,2,3."
        ) from error
    if len(seeds) > MAX_SEEDS or len(set(seeds)) != len(seeds):
        raise BadRequest(f"--seeds must name at most {MAX_SEEDS} seeds, each once.")
    return seeds


def dream_all(studio: Studio, wish: Wish, seeds: Sequence[int], interrupts: Interrupts) -> int:
    """Dream each seed, and one picture of all. Ctrl-C ends the running one and leaves out the rest."""
    studio.say(f"Loading the models to dream {wish.words!r} with {len(seeds)} seeds ...")
    pictures: list[bytes] = []
    for seed in seeds:
        if interrupts.asked():
            break
        output = (
            Output(wish.output.path.with_stem(f"{wish.output.path.stem}-{seed}"), named=True)
            if wish.output.named
            else Output.by_default(wish.words, seed)
        )
        one = replace(
            wish,
            request=replace(wish.request, seed=seed),
            output=output,
            previews=wish.previews.of(output.path.stem),
        )
        finished = studio.dream(one.request, one.previews)
        keep(finished, one, studio.device, note=f"Seed {seed}")
        pictures.append(finished.picture)
    everything = wish.output if wish.output.named else Output.by_default(wish.words, "all")
    path, fault = secured(everything, grid(pictures))
    tell(f"All:     {path}")
    if fault is not None:
        raise fault
    return interrupts.exit_code


def grid(pictures: Sequence[bytes]) -> bytes:
    """Pictures, at least one, side by side in rows as a PNG, as near to a square as there are pictures."""
    columns = math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    sheet = Image.new("RGB", (columns * TILE, rows * TILE), "white")
    for index, picture in enumerate(pictures):
        with Image.open(io.BytesIO(picture)) as image:
            tile = image.convert("RGB").resize((TILE, TILE), Image.Resampling.LANCZOS)
        sheet.paste(tile, (index % columns * TILE, index // columns * TILE))
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()
