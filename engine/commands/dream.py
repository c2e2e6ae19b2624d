"""`dream "a prompt"`: dreams one picture and writes it to a file."""

import argparse
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine import __version__
from engine.commands.parsing import Parser, file, small, value
from engine.commands.results import DIFFERENT, SAME, keep, read_recipe
from engine.commands.running import NEVER_S, Previews, Studio
from engine.console import Interrupts, repaired
from engine.errors import BadRequest
from engine.outputs import Output, check
from engine.prompt import clean
from engine.protocol import DreamRequest
from engine.settings import (
    DATA_DIR,
    DREAM_CLIP,
    DREAM_MODEL,
    ENGINE_SETTINGS,
    MAX_SEED,
    MAX_STEPS,
    MODELS,
    choice,
    environment,
    number,
    whole,
)

SEED = whole("--seed", 0, 0, MAX_SEED, "the same seed gives the same picture")
CLIP = replace(DREAM_CLIP, key="--clip")
STEPS = whole("--steps", 1, 1, MAX_STEPS, "how long to search")
MODEL = choice("--model", "auto", MODELS, DREAM_MODEL.help)
PREVIEW_EVERY = number("--preview-every", 2.0, 0, 3600, "seconds between previews; 0: at every new picture")

EPILOG = """\
examples:
  dream "a bowl of cherries"
  dream "a bowl of cherries" --seed 7 --out cherries.png
  dream --from cherries.png                repeat it: the same bytes on the same machine
  dream --from cherries.png --seed 8       the same wish, another picture
  dream models                             the large models: fetch them, check them

Ctrl-C stops the search after its running step and keeps the best picture; a second one leaves at once.

exit codes:
  0    the picture is written
  1    a fault of ours
  2    what was asked for cannot be dreamt, or a setting has a wrong value
  3    a model's file is missing or damaged
  4    the picture cannot be written: the disk is full, or there may be no file in that place
  5    not enough memory
  130  stopped by Ctrl-C, 143: by SIGTERM; the best picture so far is written, if there was one

environment (also from the file .env in the working directory):
"""


@dataclass(frozen=True)
class Wish:
    """What the command line asks for, checked."""

    request: DreamRequest
    words: str  # the prompt as the engine reads it: one line, nothing that a terminal obeys
    output: Output
    preview: Path | None
    data_dir: Path
    quiet: bool
    repeats: bytes | None  # the picture that is to come out again, byte for byte


def run(arguments: Sequence[str], interrupts: Interrupts) -> int:
    """Dream as the arguments say. Returns the exit code."""
    wish = read_wish(parser().parse_intermixed_args(arguments), environment())
    studio = Studio(data_dir=wish.data_dir, quiet=wish.quiet, interrupts=interrupts)
    studio.say(f"Loading the models to dream {wish.words!r} with seed {wish.request.seed} ...")
    finished = studio.dream(wish.request, Previews(wish.preview))
    keep(finished, wish.output, studio.device)
    if wish.repeats is not None:
        studio.say(SAME if finished.picture == wish.repeats else DIFFERENT)
    return interrupts.exit_code


def parser() -> argparse.ArgumentParser:
    """The options; ranges are checked by `read_wish`, so that a bad value is told in one sentence."""
    environ = "\n".join(f"  {s.key:<14} {s.help} Default: {s.shown or 'none'}." for s in ENGINE_SETTINGS)
    result = Parser("dream", "Dream a picture from words.", EPILOG + environ)
    add = result.add_argument
    add("prompt", nargs="*", help='what to dream, e.g. "a bowl of cherries"')
    add("--seed", metavar="N", help=f"{SEED.help}; {SEED.allowed}; default: a random one, which is printed")
    add("--out", metavar="FILE", help="where the picture goes, a .png; a file there is overwritten; "
        "default: dreams/<words>-<seed>.png, numbered if another picture has that name")  # fmt: skip
    add("--model", metavar="NAME", help=f"{', '.join(MODELS)}; {small(MODEL.help)} Default: DREAM_MODEL")
    add("--clip", metavar="NAME", help="what judges a large model's picture: "
        f"{CLIP.allowed}; default: DREAM_CLIP")  # fmt: skip
    add("--steps", metavar="N", help=f"{STEPS.help}; {STEPS.allowed}; default: the model's own")
    add("--preview", metavar="FILE", help="where the picture is shown as it takes shape, a .jpg; default: "
        "beside the picture, e.g. cherries.preview.jpg for cherries.png")  # fmt: skip
    add("--preview-every", metavar="S", help=f"{PREVIEW_EVERY.help}; {PREVIEW_EVERY.allowed}; "
        f"default: {PREVIEW_EVERY.default:g}")  # fmt: skip
    add("--no-preview", action="store_true", help="write no preview")
    add("--from", dest="source", metavar="PNG", help="repeat the dream of this picture, which carries its "
        "recipe; a prompt and options given beside it override the recipe")  # fmt: skip
    add("--quiet", action="store_true", help="no progress, only the result")
    add("--version", action="version", version=f"Oneiro {__version__}")
    return result


def read_wish(given: argparse.Namespace, environ: Mapping[str, str]) -> Wish:
    """Check all that can be checked before anything is loaded. Raises `DreamError` or `BadSetting`."""
    model, data_dir = DREAM_MODEL.read(environ), DATA_DIR.read(environ)
    prompt = repaired(" ".join(given.prompt))
    seed, steps = value(SEED, given.seed), value(STEPS, given.steps)
    clip = value(CLIP, given.clip) or ""
    model_given = value(MODEL, given.model)
    every_s = value(PREVIEW_EVERY, given.preview_every)
    repeats = None
    if given.source is not None:
        picture, recipe = read_recipe(Path(given.source))
        if not given.prompt and seed is None and steps is None and model_given in (None, recipe.model):
            repeats = picture
        prompt = prompt if given.prompt else recipe.prompt
        seed = recipe.seed if seed is None else seed
        model = recipe.model
        clip = clip or str(recipe.settings.get("clip", ""))
        # Another model has steps of its own.
        steps = recipe.steps if steps is None and model_given in (None, recipe.model) else steps
    elif not given.prompt:
        raise BadRequest(
            'Please say what to dream, e.g. dream "a bowl of cherries"; dream --help explains all.'
        )
    seed = secrets.randbelow(MAX_SEED + 1) if seed is None else seed
    words = clean(prompt)
    output = Output(file(given.out, ".png"), named=True) if given.out else Output.by_default(words, seed)
    check(output.path)
    preview = None
    if not given.no_preview:
        preview = file(given.preview, ".jpg", ".jpeg") if given.preview else output.beside(".preview.jpg")
        check(preview)
    return Wish(
        request=DreamRequest(
            id="dream",
            prompt=prompt,
            seed=seed,
            model=model_given or model,
            steps=steps,
            clip=clip,
            preview_every_s=NEVER_S
            if preview is None
            else PREVIEW_EVERY.default
            if every_s is None
            else every_s,
        ),
        words=words,
        output=output,
        preview=preview,
        data_dir=data_dir,
        quiet=given.quiet,
        repeats=repeats,
    )
