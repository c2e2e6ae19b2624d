"""What the command line makes of a finished dream: a file, a report, and the command that repeats it."""

import contextlib
import shlex
import shutil
import sys
import unicodedata
from pathlib import Path

from engine.commands import COMMANDS
from engine.commands.parsing import small
from engine.errors import BadRequest, DiskError
from engine.outputs import Output
from engine.protocol import Finished, Recipe
from engine.settings import MAX_SEED, MAX_STEPS, MODELS

MAX_PICTURE_FILE = 64 * 1024 * 1024  # bytes; a larger file is not one of our pictures

SAME = "The bytes are the same."
DIFFERENT = "The bytes differ: the picture was dreamt by another version or on other hardware."


def keep(finished: Finished, output: Output, device: str) -> Path:
    """Write the picture and report it on stdout; returns its path. Raises `DiskError`."""
    try:
        path = output.save(finished.picture)
    except DiskError:
        repeat = repeat_command(finished.recipe, output.path, None)
        print(f"The picture is lost, but not its recipe: {repeat}", file=sys.stderr)
        raise
    steps = f"{'stopped after' if finished.stopped else 'done in'} {finished.steps_done} steps"
    try:
        print(f"Picture: {path}")
        print(
            f"Score:   {finished.score:.1f}, from step {finished.best_step}; {steps} and "
            f"{finished.seconds:.1f} s by {finished.recipe.model} on {device}"
        )
        print(f"Repeat:  {repeat_command(finished.recipe, path, path)}", flush=True)
    except OSError:  # whoever read our output is gone, or has no room; the picture is safe
        with contextlib.suppress(OSError):
            sys.stdout.close()
    return path


def repeat_command(recipe: Recipe, out: Path, kept: Path | None) -> str:
    """The command line that dreams this recipe again, quoted for a shell.

    A prompt that cannot stand on one line of this terminal is read from the picture `kept`, if there is one.
    """
    parts = _program()
    if kept is not None and not _printable(recipe.prompt):
        return shlex.join([*parts, "--from", str(kept), "--out", str(out)])
    options = ["--seed", str(recipe.seed), "--model", recipe.model, "--steps", str(recipe.steps)]
    options += ["--out", str(out)]
    if recipe.prompt.startswith("-") or recipe.prompt in COMMANDS:
        return shlex.join([*parts, *options, "--", recipe.prompt])
    return shlex.join([*parts, recipe.prompt, *options])


def _program() -> list[str]:
    """How this program was called."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return [sys.executable, "-m", "engine"]
    found = shutil.which(called.name)
    return [called.name if found and Path(found).resolve() == called.resolve() else str(called)]


def _printable(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)


def read_recipe(path: Path) -> tuple[bytes, Recipe]:
    """The bytes of a picture that Oneiro dreamt, and its recipe. Raises `BadRequest` with a sentence."""
    from engine.images import recipe_of  # here: it imports torch, which --help need not wait for

    try:
        with path.open("rb") as file:
            picture = file.read(MAX_PICTURE_FILE)
        recipe = recipe_of(picture)
    except OSError as error:
        raise BadRequest(
            f"The picture {path} cannot be read: {small(error.strerror or str(error))}."
        ) from error
    except ValueError as error:
        raise BadRequest(f"{path}: {error}") from error
    if not (
        isinstance(recipe.prompt, str)
        and isinstance(recipe.seed, int)
        and isinstance(recipe.steps, int)
        and 0 <= recipe.seed <= MAX_SEED
        and 1 <= recipe.steps <= MAX_STEPS
        and recipe.model in MODELS
    ):
        raise BadRequest(f"{path}: The recipe in this picture has a value that cannot be dreamt.")
    return picture, recipe
