"""The options that the commands share, and the request and files that they mean. Imports no torch.

Ranges are checked when the values are read, so that a bad value is told in one sentence.
"""

import argparse
import importlib.util
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.command_line.console import repaired
from engine.command_line.links import picture
from engine.command_line.outputs import (
    STDOUT,
    Output,
    check,
    picture_bytes,
    preview_bytes,
    unused,
)
from engine.command_line.parsing import (
    Parser,
    file,
    small,
    value,
)
from engine.command_line.running import NEVER_S, Previews
from engine.data_dir import data_dir
from engine.errors import BadRequest, DiskError
from engine.pictures.timelapse import KINDS, MIN_BYTES, Kind
from engine.process.streams import check as check_stream
from engine.process.streams import claimed_stdout
from engine.prompt import MAX_WEIGHT, clean, unwanted, wanted
from engine.protocol import DreamRequest, Recipe
from engine.search.recipes import OPTIONS, checked, repeated
from engine.settings import (
    DREAM_CLIP,
    DREAM_MODEL,
    MAX_SEED,
    MAX_STEPS,
    MODELS,
    PRESETS,
    RECIPES,
    SIZES,
    choice,
    number,
    whole,
)

SEED = whole("--seed", 0, 0, MAX_SEED, "the same seed gives the same picture")
STEPS = whole("--steps", 1, 1, MAX_STEPS, "how long to search")
MODEL = choice("--model", "auto", MODELS, DREAM_MODEL.help)
CLIP = replace(DREAM_CLIP, key="--clip")
PRESET = choice("--preset", "normal", PRESETS, "how much the search may cost; dream presets measures it here")
RECIPE = choice("--recipe", RECIPES[0], RECIPES, "the way to search")
SIZE = choice("--size", "512", tuple(map(str, SIZES)), "side of the picture in pixels")
IMAGE_WEIGHT = number("--image-weight", 1.0, 0.001, MAX_WEIGHT, "what --image counts beside a phrase's 1")
PREVIEW_EVERY = number("--preview-every", 2.0, 0, 3600, "seconds between previews; 0: at every new picture")
FILM_BYTES = whole("--timelapse-bytes", 8_000_000, MIN_BYTES, 64_000_000, "the most bytes of the time-lapse")
DETOUR_BYTES = 32_000_000  # of the WebP that a GIF or an MP4 is made from
USUAL_FILM_BYTES = 1_000_000  # what a film takes unless its limit is below
SHOWN = 512  # side in pixels of a picture whose size was not given (engine.pictures.images.SHOWN)

SETTINGS = {name: option for name, option in OPTIONS.items() if name not in ("steps", "keep")}
# The options that change what is dreamt; a picture is repeated byte for byte only without any of them.
WISHES = ("seed", "steps", "preset", "recipe", "size", "avoid", "image", "image_weight", "init", "keep")


@dataclass(frozen=True)
class Film:
    """The time-lapse that is wanted."""

    path: Path
    kind: Kind
    max_bytes: int


@dataclass(frozen=True)
class Wish:
    """What the command line asks for, checked."""

    request: DreamRequest
    words: str  # the prompt as the engine reads it: one line, nothing that a terminal obeys
    output: Output
    previews: Previews
    film: Film | None
    data_dir: Path
    quiet: bool
    typed: tuple[str, ...]  # the arguments, for what no recipe repeats; none: neither do they
    free: bool  # whether nothing was asked for that changes the picture


def add_wishes(parser: Parser, *, init: bool) -> None:
    """What to dream beside the prompt, and how."""
    add = parser.add_argument
    add("--seed", metavar="N", help=f"{SEED.help}; {SEED.allowed}; default: a random one, which is printed")
    add("--avoid", metavar="WORDS", help="phrases whose likeness counts against the picture")
    add(
        "--image",
        metavar="FILE",
        help="a picture that the dream should resemble: a file, or an https:// address",
    )
    add("--image-weight", metavar="W", help=f"{IMAGE_WEIGHT.help}; {IMAGE_WEIGHT.allowed}; default: 1")
    if init:
        add("--init", metavar="FILE", help="a picture to begin at, likewise: first the closest picture that "
            "the generator can draw is searched")  # fmt: skip
    add("--size", metavar="N", help=f"{SIZE.help}: {', '.join(map(str, SIZES))}; default: the model's "
        "own, 512 at least")  # fmt: skip
    add("--model", metavar="NAME", help=f"{', '.join(MODELS)}; {small(MODEL.help)} Default: DREAM_MODEL")
    add("--clip", metavar="NAME", help=f"what judges a large model's picture: {CLIP.allowed}; default: "
        "DREAM_CLIP")  # fmt: skip
    add("--preset", metavar="NAME", help=f"{PRESET.help}; {', '.join(PRESETS)}; default: {PRESET.default}")
    add("--steps", metavar="N", help=f"{STEPS.help}; {STEPS.allowed}; default: the preset's")
    add("--recipe", metavar="NAME", help=f"{RECIPE.help}; {', '.join(RECIPES)}; default: {RECIPE.default}")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--best", dest="keep", action="store_const", const="best",
        help="keep the picture with the highest score; the default of most recipes")  # fmt: skip
    which.add_argument(
        "--last", dest="keep", action="store_const", const="last", help="keep the last picture"
    )
    group = parser.add_argument_group("how to search (default: what the recipe says)")
    for name, option in SETTINGS.items():
        told = f"{option.metadata['help']}; {option.metadata['range'].span}"
        group.add_argument(f"--{name.replace('_', '-')}", dest=f"set_{name}", metavar="X", help=told)


def add_outputs(parser: Parser, default: str) -> None:
    """Where pictures go, and what is shown meanwhile. `default` says where, without --out."""
    add = parser.add_argument
    add("--out", metavar="FILE", help="where the picture goes, a .png; a file there is overwritten; "
        f"-: stdout; default: {default}")  # fmt: skip
    add("--timelapse", metavar="FILE", help="a film of the dream, a .webp, .gif or .mp4 (needs PyAV)")
    add("--timelapse-bytes", metavar="N", help=f"{FILM_BYTES.help}; {FILM_BYTES.allowed}; "
        f"default: {FILM_BYTES.default}")  # fmt: skip
    add("--preview", metavar="FILE", help="where the picture is shown as it takes shape, a .jpg; default: "
        "beside the picture, e.g. cherries.preview.jpg for cherries.png")  # fmt: skip
    add("--previews", metavar="DIR", help="keep each new picture in this folder; --look-every says how many "
        "steps lie between two")  # fmt: skip
    add("--preview-every", metavar="S", help=f"{PREVIEW_EVERY.help}; {PREVIEW_EVERY.allowed}; "
        f"default: {PREVIEW_EVERY.default:g}")  # fmt: skip
    add("--no-preview", action="store_true", help="write no preview")
    add("--quiet", action="store_true", help="no progress, only the result")


def request_of(
    given: argparse.Namespace, environ: Mapping[str, str], prompt: str, recipe: Recipe | None
) -> DreamRequest:
    """The request that the options of `add_wishes` mean, over a picture's recipe, if there is one.

    The recipe's steps are not taken over. Raises `DreamError` or `BadSetting`.
    """
    model, preset, way = value(MODEL, given.model), value(PRESET, given.preset), value(RECIPE, given.recipe)
    clip, seed, size = value(CLIP, given.clip), value(SEED, given.seed), value(SIZE, given.size)
    weight = value(IMAGE_WEIGHT, given.image_weight)
    if weight is not None and given.image is None:
        raise BadRequest("--image-weight needs a picture: --image.")
    recorded: dict[str, float | str] = recipe.settings if recipe is not None else {}
    settings: dict[str, float | str] = {}
    if recipe is not None and not preset and not way and model in (None, recipe.model):
        settings = repeated(recorded)  # another model, recipe or preset has settings of its own
    for name in SETTINGS:
        text = getattr(given, f"set_{name}")
        settings |= {name: checked(name, text)} if text is not None else {}
    settings |= {"keep": given.keep} if given.keep else {}
    avoid = str(recorded.get("avoid", "")) if given.avoid is None else repaired(given.avoid)
    unwanted(avoid)
    default_model = recipe.model if recipe is not None else DREAM_MODEL.read(environ)
    return DreamRequest(
        id="dream",
        prompt=prompt,
        seed=secrets.randbelow(MAX_SEED + 1) if seed is None else seed,
        model=model or default_model,
        clip=clip or str(recorded.get("clip", "")),
        steps=value(STEPS, given.steps),
        preset=preset or "",
        recipe=way or "",
        settings=settings,
        avoid=avoid,
        image=picture(given.image) if given.image is not None else None,
        image_weight=1.0 if weight is None else weight,
        init=picture(given.init) if getattr(given, "init", None) is not None else None,
        size=int(size) if size is not None else recorded_size(recorded),
    )


def recorded_size(recorded: Mapping[str, float | str]) -> int | None:
    """The size in a recipe, if it holds one. Raises `BadRequest` for one that no picture has."""
    size = recorded.get("size")
    if size is None or size in SIZES:
        return None if size is None else int(size)
    raise BadRequest(f"The recipe in this picture has the size {str(size)[:80]}, which cannot be dreamt.")


def wish_of(
    given: argparse.Namespace,
    environ: Mapping[str, str],
    request: DreamRequest,
    typed: Sequence[str],
    output: Output | None = None,
    pictures: int = 1,
) -> Wish:
    """The request with the files that the options of `add_outputs` mean, `output` unless --out is given.

    Makes sure that all of them can be written, with room for so many `pictures`; --out - for one of them
    sends all words to stderr from now on. Raises `DreamError` or `BadSetting`.
    """
    words = "a picture"
    if request.prompt.strip() or not (request.image or request.begin == "resume"):
        words = clean(request.prompt)
        wanted(request.prompt)
    every_s = value(PREVIEW_EVERY, given.preview_every)
    if given.no_preview and (given.preview or given.previews or every_s is not None):
        raise BadRequest("--no-preview leaves nothing to say about previews; please drop one of them.")
    film = _film(given)
    if given.out == str(STDOUT):
        output = _stdout(Output.by_default(words, request.seed), pictures)
    elif given.out:
        output = Output(file(given.out, ".png"), named=True)
    output = output or Output.by_default(words, request.seed)
    side = request.size or SHOWN
    needs: dict[Path, int] = {}
    if output.stream is None:
        needs[output.path] = pictures * picture_bytes(side, request.model)
        check(needs)  # before other names are made of this one
    latest = folder = None
    if given.preview:
        latest = file(given.preview, ".jpg", ".jpeg")
    elif not given.no_preview and output.stream is None:
        latest = unused(output.beside(".preview.jpg"))
    if latest is not None:
        needs[latest] = preview_bytes(side)
    if given.previews:
        folder = Path(given.previews)
        needs[folder / f"{output.path.stem}-0001.jpg"] = preview_bytes(side)
    if film is not None:
        needs[film.path] = min(film.max_bytes, USUAL_FILM_BYTES)
    check(needs)
    pause_s = PREVIEW_EVERY.default if every_s is None else every_s
    return Wish(
        request=replace(
            request,
            preview_every_s=0.0 if folder else pause_s if latest else NEVER_S,
            timelapse_bytes=0 if film is None else film.max_bytes if film.kind == "webp" else DETOUR_BYTES,
        ),
        words=words,
        output=output,
        previews=Previews(latest, folder, output.path.stem, passing=not given.preview),
        film=film,
        data_dir=data_dir(environ),
        quiet=given.quiet,
        typed=tuple(typed),
        free=not any(getattr(given, name, None) is not None for name in _changing()),
    )


def _stdout(named: Output, pictures: int) -> Output:
    """stdout as the place of a picture, which elsewhere would be called so; words go to stderr now."""
    if pictures > 1:
        raise BadRequest("--out - takes a single picture; please name a file for several.")
    stream = claimed_stdout()
    try:
        check_stream(stream)
    except OSError as error:
        raise DiskError("The picture cannot be written to stdout, which is closed.") from error
    if stream.isatty():
        raise BadRequest("A picture is nothing for a terminal; please send it on: dream … --out - > x.png")
    return replace(named, named=True, stream=stream)


def _changing() -> list[str]:
    return [*WISHES, "model", "clip", *(f"set_{name}" for name in SETTINGS)]


def _film(given: argparse.Namespace) -> Film | None:
    max_bytes = value(FILM_BYTES, given.timelapse_bytes)
    if given.timelapse is None:
        if max_bytes is not None:
            raise BadRequest("--timelapse-bytes needs a film: --timelapse.")
        return None
    path = file(given.timelapse, *(f".{kind}" for kind in KINDS))
    kind = next(kind for kind in KINDS if path.suffix.lower() == f".{kind}" or path.is_dir())
    if kind == "mp4" and importlib.util.find_spec("av") is None:
        raise BadRequest("An MP4 needs the package PyAV (pip install av); WebP and GIF need nothing more.")
    return Film(path, kind, FILM_BYTES.default if max_bytes is None else max_bytes)
