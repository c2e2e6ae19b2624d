"""`dream "a prompt"`: dreams a picture, or the same words with several seeds."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from engine import __version__
from engine.command_line.console import Interrupts, repaired
from engine.command_line.options import (
    Wish,
    add_outputs,
    add_wishes,
    request_of,
    wish_of,
)
from engine.command_line.parsing import Parser
from engine.command_line.results import (
    DIFFERENT,
    FROM_ELSEWHERE,
    SAME,
    keep,
    keep_film,
    read_recipe,
)
from engine.command_line.running import Studio
from engine.command_line.seeds import dream_all, read_seeds
from engine.errors import BadRequest
from engine.pictures.embedded_state import parted
from engine.protocol import Recipe
from engine.settings import ENGINE_SETTINGS, environment

EPILOG = """\
examples:
  dream "a bowl of cherries"
  dream "a bowl of cherries" --seed 7 --out cherries.png
  dream --from cherries.png                repeat it: the same bytes on the same machine
  dream --from cherries.png --seed 8       the same wish, another picture
  dream "a house:2 | a tree" --avoid fog --timelapse house.webp
  dream "a cat" --init photo.jpg           begins at a picture
  dream "a cat" --seeds 4                  four pictures, and one of all of them
  dream continue cherries.png --steps 60   goes on from a picture's dream, perhaps to other words
  dream vary cherries.png --strength 0.3
  dream blend cherries.png house.png
  dream resume cherries.png                after Ctrl-C: ends as if it had never been stopped
  dream story "an egg" "a baby chick"      one dream after the other, from the same latents
  dream presets                            what quick, normal and thorough cost on this machine
  dream models                             the large models: fetch them, check them

A prompt's phrases are parted by | and may have weights, also negative ones: "a house:2 | fog:-0.5".
Words that are a command's name are dreamt after two hyphens: dream -- story

Ctrl-C stops the search after its running step and keeps the best picture; a second one leaves at once.

exit codes:
  0    the picture is written
  1    a fault of ours
  2    what was asked for cannot be dreamt, or a setting has a wrong value
  3    a model's file is missing or damaged
  4    the picture cannot be written: the disk is full, or there may be no file in that place; if that shows
       itself only in the end, the picture is kept in another folder, which is told
  5    not enough memory
  130  stopped by Ctrl-C, 143: by SIGTERM, 129: by SIGHUP, as when its terminal is closed; the best picture so
       far is written, if there was one

environment (also from the file .env in the working directory):
"""


def run(_name: str, arguments: Sequence[str], interrupts: Interrupts) -> int:
    """Dream as the arguments say. Returns the exit code."""
    given = parser().parse_intermixed_args(arguments)
    wish, repeats = read_wish(given, environment(), arguments)
    seeds = read_seeds(given, wish.request.seed)
    studio = Studio(data_dir=wish.data_dir, quiet=wish.quiet, interrupts=interrupts)
    if seeds:
        return dream_all(studio, wish, seeds, interrupts)
    studio.say(f"Loading the models to dream {wish.words!r} with seed {wish.request.seed} ...")
    finished = studio.dream(wish.request, wish.previews)
    keep(finished, wish, studio.device)
    keep_film([finished.timelapse], wish.film)
    if repeats is not None:
        studio.say(SAME if finished.picture == repeats else DIFFERENT)
    return interrupts.exit_code


def parser() -> Parser:
    """The options; ranges are checked by `read_wish`, so that a bad value is told in one sentence."""
    environ = "\n".join(f"  {s.key:<14} {s.help} Default: {s.shown or 'none'}." for s in ENGINE_SETTINGS)
    result = Parser("dream", "Dream a picture from words.", EPILOG + environ)
    add = result.add_argument
    add("prompt", nargs="*", help='what to dream, e.g. "a bowl of cherries"')
    add_wishes(result, init=True)
    add("--seeds", metavar="N", help="several dreams: how many, from --seed on, or a list like 1,2,3")
    add("--from", dest="source", metavar="PNG", help="repeat the dream of this picture, which carries its "
        "recipe; a prompt and options given beside it override the recipe")  # fmt: skip
    add_outputs(result, "dreams/<words>-<seed>.png, numbered if another picture has that name")
    add("--version", action="version", version=f"Oneiro {__version__}")
    return result


def read_wish(
    given: argparse.Namespace, environ: Mapping[str, str], typed: Sequence[str]
) -> tuple[Wish, bytes | None]:
    """Check all that can be checked before anything is loaded. Raises `DreamError` or `BadSetting`.

    Returns also the picture that is to come out again, byte for byte, if nothing but a repetition is asked.
    """
    prompt = repaired(" ".join(given.prompt))
    if given.source is None:
        if not given.prompt and given.image is None:
            raise BadRequest(
                'Please say what to dream, e.g. dream "a bowl of cherries"; dream --help explains all.'
            )
        request = request_of(given, environ, prompt, None)
        return wish_of(given, environ, request, typed, pictures=_count(given, request.seed)), None
    picture, recipe = read_recipe(Path(given.source))
    _check_repeatable(given, recipe)
    request = request_of(given, environ, prompt if given.prompt else recipe.prompt, recipe)
    request = replace(request, seed=recipe.seed if given.seed is None else request.seed)
    if request.steps is None and not given.preset and not given.recipe and request.model == recipe.model:
        request = replace(request, steps=recipe.steps)  # another model or preset has steps of its own
    wish = wish_of(given, environ, request, typed, pictures=_count(given, request.seed))
    return wish, parted(picture)[0] if wish.free and not given.prompt else None


def _count(given: argparse.Namespace, seed: int) -> int:
    """How many pictures there will be; with several seeds one more, of all of them."""
    return len(read_seeds(given, seed)) + 1 if given.seeds is not None else 1


def _check_repeatable(given: argparse.Namespace, recipe: Recipe) -> None:
    if "begin" in recipe.settings:
        raise BadRequest(
            f"{given.source} was dreamt on from another picture, so it cannot be repeated from itself alone; "
            "dream continue goes on from it."
        )
    for name in FROM_ELSEWHERE & recipe.settings.keys():
        if getattr(given, name) is None:
            raise BadRequest(
                f"{given.source} was dreamt with a picture; please give it again, with --{name}."
            )
