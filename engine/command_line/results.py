"""What the command line makes of a finished dream: a file, a report, and the command that repeats it."""

import shlex
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from engine import given_file
from engine.called import called
from engine.command_line import COMMANDS
from engine.command_line.console import FilmBar
from engine.command_line.options import Film, Wish
from engine.command_line.outputs import STDOUT, Output, secured
from engine.errors import BadRequest, DiskError, DreamError
from engine.match import is_weak
from engine.models import registry
from engine.pictures.embedded_state import parted, with_state
from engine.pictures.timelapse import encode, frames_of
from engine.protocol import Finished, Recipe
from engine.search.recipes import settings_for
from engine.settings import MAX_SEED, MAX_STEPS, MODELS

MAX_PICTURE_FILE = 64 * 1024 * 1024  # bytes; a larger file is not one of our pictures

FROM_ELSEWHERE = {"begin", "image", "init"}  # in a recipe: it needs more than itself to be repeated

WEAK = " (a weak match)"

SAME = "The bytes are the same."
DIFFERENT = "The bytes differ: the picture was dreamt by another version or on other hardware."


def keep(finished: Finished, wish: Wish, device: str, *, note: str = "") -> Path:
    """Write the picture with its state, report it on stdout; returns its path.

    Raises `DiskError`, also when the picture had to be kept in another place. `note` stands before the
    report, e.g. which of several dreams it is.
    """
    picture = finished.picture
    if finished.state is not None:
        picture = with_state(picture, finished.state)
    try:
        path, fault = secured(wish.output, picture)
    except DiskError:
        repeat = repeat_command(finished.recipe, wish.output.path, None, wish.typed)
        print(f"The picture is lost, but not its recipe: {repeat}", file=sys.stderr)
        raise
    kept = None if path == STDOUT else path
    steps = f"{'stopped after' if finished.stopped else 'done in'} {finished.steps_done} steps"
    unsure = is_weak(finished.recipe.model, finished.score, finished.recipe.prompt)
    lines = [
        f"Picture: {kept or 'stdout'}",
        f"Score:   {finished.score:.1f}{WEAK if unsure else ''}, from step {finished.best_step}; {steps} and "
        f"{finished.seconds:.1f} s by {finished.recipe.model} on {device}",
    ]
    if unsure and finished.recipe.prompt and not finished.stopped and not finished.flagged:
        lines.append(f"Known:   {known(finished.nearest)}")
    if wish.typed or not finished.recipe.settings.keys() & FROM_ELSEWHERE:
        lines.append(f"Repeat:  {repeat_command(finished.recipe, path, kept, wish.typed)}")
    if finished.stopped and kept is not None:
        lines.append(f"Resume:  {shlex.join([*called('engine'), 'resume', str(kept)])}")
    tell(*([note] if note else []), *lines)
    if fault is not None:
        raise fault
    return path


def known(nearest: Mapping[str, Sequence[str]]) -> str:
    """What the models know that is nearest to words that they do not know well, if there is anything."""
    if not nearest:
        return "the models do not know this at all; they are best at things that one can draw"
    things = nearest.get("en") or next(iter(nearest.values()))
    return f"the models do not know this well; the nearest things that they know: {', '.join(things)}"


def keep_film(films: Sequence[bytes | None], film: Film | None) -> None:
    """Write the dreams' films, animated WebPs, as the one that was asked for. Raises `DreamError`."""
    whole = [data for data in films if data is not None]
    if film is None:
        return
    if len(whole) < len(films):  # the log has said why
        raise DreamError("The film could not be made, for the reason above; the picture is kept.")
    if film.kind == "webp" and len(whole) == 1 and len(whole[0]) <= film.max_bytes:
        data = whole[0]
    else:
        with FilmBar() as bar:
            frames = [frame for each in whole for frame in frames_of(each)]
            data = encode(frames, film.kind, film.max_bytes, bar.show)
    path, fault = secured(Output(film.path, named=True), data)
    tell(f"Film:    {path}, {len(data) / 1e6:.1f} MB")
    if fault is not None:
        raise fault


def tell(*lines: str) -> None:
    """Lines on stdout, at once."""
    print(*lines, sep="\n", flush=True)


def repeat_command(recipe: Recipe, out: Path, kept: Path | None, typed: Sequence[str] = ()) -> str:
    """The command line that dreams this recipe again, quoted for a shell.

    What began at a picture or at another dream's end needs what was typed; what has unusual settings, or a
    prompt that cannot stand on one line of this terminal, is read from the picture `kept`, if there is one.
    """
    parts = called("engine")
    if recipe.settings.keys() & FROM_ELSEWHERE and typed:
        seed = [] if "--seed" in typed else ["--seed", str(recipe.seed)]
        return shlex.join([*parts, *typed, *seed])
    if kept is not None and not (_printable(recipe.prompt) and _usual(recipe)):
        return shlex.join([*parts, "--from", str(kept), "--out", str(out)])
    options = ["--seed", str(recipe.seed), "--model", recipe.model, "--steps", str(recipe.steps)]
    options += ["--out", str(out)]
    if recipe.prompt.startswith("-") or recipe.prompt in COMMANDS:
        return shlex.join([*parts, *options, "--", recipe.prompt])
    return shlex.join([*parts, recipe.prompt, *options])


def _usual(recipe: Recipe) -> bool:
    """Whether prompt, seed, model and steps say all that there is to say."""
    usual = settings_for(recipe.model, steps=recipe.steps).recorded()
    if registry.expected(recipe.model).slow:  # where it begins depends on the device
        usual |= {name: recipe.settings[name] for name in ("start", "candidates") if name in recipe.settings}
    return {name: value for name, value in recipe.settings.items() if name != "clip"} == usual


def _printable(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)


def read_recipe(path: Path) -> tuple[bytes, Recipe]:
    """The bytes of a picture that Oneiro dreamt, and its recipe. Raises `BadRequest` with a sentence."""
    from engine.pictures.images import recipe_of  # here: it imports torch, which --help need not wait for

    picture = given_file.read(path, "picture", MAX_PICTURE_FILE)
    try:
        recipe = recipe_of(picture)
    except ValueError as error:
        raise BadRequest(f"{path}: {error}") from error
    if not (0 <= recipe.seed <= MAX_SEED and 1 <= recipe.steps <= MAX_STEPS and recipe.model in MODELS):
        raise BadRequest(f"{path}: The recipe in this picture has a value that cannot be dreamt.")
    return picture, recipe


def read_state(path: Path) -> tuple[Recipe, bytes]:
    """The recipe and the state in a picture that Oneiro dreamt. Raises `BadRequest` with a sentence."""
    picture, recipe = read_recipe(path)
    try:
        state = parted(picture)[1]
    except ValueError as error:
        raise BadRequest(f"{path}: {error}") from error
    if state is None:
        raise BadRequest(
            f"{path} carries no state to go on from; pictures from a chat or an image editor lose it."
        )
    return recipe, state
