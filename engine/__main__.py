"""The command line `dream`: dreams one picture in this process and writes it to a file.

Exit codes stand in `EXIT_CODES`; whatever a user can cause is one sentence on stderr, never a traceback.
"""

import argparse
import contextlib
import logging
import secrets
import shlex
import shutil
import sys
import unicodedata
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

from engine import __version__
from engine.console import Display, Interrupts, repaired, use_any_terminal
from engine.errors import BadRequest, BadSetting, DiskError, DreamError, FailureKind, sentence_for
from engine.outputs import Output, check, write
from engine.prompt import clean
from engine.protocol import DreamRequest, Failed, Finished, Progress, Recipe, Started
from engine.settings import (
    DATA_DIR,
    DREAM_MODEL,
    MAX_SEED,
    MAX_STEPS,
    MODELS,
    Setting,
    choice,
    environment,
    number,
    whole,
)

log = logging.getLogger(__name__)

EXIT_BAD_REQUEST, EXIT_MODEL, EXIT_DISK, EXIT_MEMORY, EXIT_FAULT = 2, 3, 4, 5, 1
EXIT_CODES = {
    FailureKind.BAD_REQUEST: EXIT_BAD_REQUEST,
    FailureKind.COLLAPSE: EXIT_BAD_REQUEST,  # another seed or prompt will do
    FailureKind.MODEL: EXIT_MODEL,
    FailureKind.DISK: EXIT_DISK,
    FailureKind.MEMORY: EXIT_MEMORY,
}
MAX_PICTURE_FILE = 64 * 1024 * 1024  # bytes; a larger file is not one of our pictures
NEVER_S = 1e9  # between previews that nobody wants

SAME = "The bytes are the same."
DIFFERENT = "The bytes differ: the picture was dreamt by another version or on other hardware."

SEED = whole("--seed", 0, 0, MAX_SEED, "the same seed gives the same picture")
STEPS = whole("--steps", 1, 1, MAX_STEPS, "how long to search")
MODEL = choice("--model", "auto", MODELS, DREAM_MODEL.help)
PREVIEW_EVERY = number("--preview-every", 2.0, 0, 3600, "seconds between previews; 0: at every new picture")

EPILOG = """\
examples:
  dream "a bowl of cherries"
  dream "a bowl of cherries" --seed 7 --out cherries.png
  dream --from cherries.png                repeat it: the same bytes on the same machine
  dream --from cherries.png --seed 8       the same wish, another picture

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

T = TypeVar("T")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadRequest(f"{message[:1].upper()}{message[1:].rstrip('.')}. {self.prog} --help explains all.")


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Dream as the arguments (default: the program's) say. Returns the exit code."""
    use_any_terminal()
    with Interrupts() as interrupts:
        try:
            wish = read_wish(parser().parse_intermixed_args(arguments), environment())
            return fulfil(wish, interrupts)
        except (DreamError, BadSetting) as error:
            kind = error.kind if isinstance(error, DreamError) else FailureKind.BAD_REQUEST
            return _refuse(kind, str(error))
        except KeyboardInterrupt:
            print("Left at once; the picture was not kept.", file=sys.stderr)
            return interrupts.exit_code
        except Exception as error:
            kind, sentence = sentence_for(error)
            if kind is FailureKind.INTERNAL:
                log.exception("dream failed")
            return _refuse(kind, sentence)


def _refuse(kind: FailureKind, sentence: str) -> int:
    print(f"dream: {sentence}", file=sys.stderr)
    return EXIT_CODES.get(kind, EXIT_FAULT)


def parser() -> argparse.ArgumentParser:
    """The options; ranges are checked by `read_wish`, so that a bad value is told in one sentence."""
    environ = "\n".join(f"  {s.key:<12} {s.help} Default: {s.default}." for s in (DREAM_MODEL, DATA_DIR))
    result = _Parser(
        prog="dream",
        description="Dream a picture from words.",
        epilog=EPILOG + environ,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = result.add_argument
    add("prompt", nargs="*", help='what to dream, e.g. "a bowl of cherries"')
    add("--seed", metavar="N", help=f"{SEED.help}; {SEED.allowed}; default: a random one, which is printed")
    add("--out", metavar="FILE", help="where the picture goes, a .png; a file there is overwritten; "
        "default: dreams/<words>-<seed>.png, numbered if another picture has that name")  # fmt: skip
    add("--model", metavar="NAME", help=f"{', '.join(MODELS)}; {_small(MODEL.help)} Default: DREAM_MODEL")
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
    seed, steps = _value(SEED, given.seed), _value(STEPS, given.steps)
    model_given = _value(MODEL, given.model)
    every_s = _value(PREVIEW_EVERY, given.preview_every)
    repeats = None
    if given.source is not None:
        picture, recipe = read_recipe(Path(given.source))
        if not given.prompt and seed is None and steps is None and model_given in (None, recipe.model):
            repeats = picture
        prompt = prompt if given.prompt else recipe.prompt
        seed = recipe.seed if seed is None else seed
        model = recipe.model
        # Another model has steps of its own.
        steps = recipe.steps if steps is None and model_given in (None, recipe.model) else steps
    elif not given.prompt:
        raise BadRequest(
            'Please say what to dream, e.g. dream "a bowl of cherries"; dream --help explains all.'
        )
    seed = secrets.randbelow(MAX_SEED + 1) if seed is None else seed
    words = clean(prompt)
    output = Output(_file(given.out, ".png"), named=True) if given.out else Output.by_default(words, seed)
    check(output.path)
    preview = None
    if not given.no_preview:
        preview = _file(given.preview, ".jpg", ".jpeg") if given.preview else output.beside(".preview.jpg")
        check(preview)
    return Wish(
        request=DreamRequest(
            id="dream",
            prompt=prompt,
            seed=seed,
            model=model_given or model,
            steps=steps,
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


def _value(setting: Setting[T], text: str | None) -> T | None:
    if text is None:
        return None
    if not text.strip():
        raise BadSetting(f"{setting.key} is empty; it must be {setting.allowed}.")
    return setting.read({setting.key: text})


def _file(text: str, *endings: str) -> Path:
    path = Path(text)
    if path.name and not path.suffix and not path.is_dir():
        path = path.with_suffix(endings[0])
    if not path.is_dir() and path.suffix.lower() not in endings:
        raise BadRequest(f"{path} must end in {' or '.join(endings)}, for that is what is written.")
    return path


def read_recipe(path: Path) -> tuple[bytes, Recipe]:
    """The bytes of a picture that Oneiro dreamt, and its recipe. Raises `BadRequest` with a sentence."""
    from engine.images import recipe_of  # here: it imports torch, which --help need not wait for

    try:
        with path.open("rb") as file:
            picture = file.read(MAX_PICTURE_FILE)
        recipe = recipe_of(picture)
    except OSError as error:
        raise BadRequest(
            f"The picture {path} cannot be read: {_small(error.strerror or str(error))}."
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


def fulfil(wish: Wish, interrupts: Interrupts) -> int:
    """Dream it, show it, write it, say how to repeat it. Returns the exit code; raises `DreamError`."""
    _calm_libraries(wish.quiet)
    display = Display(quiet=wish.quiet)
    display.say(f"Loading the models to dream {wish.words!r} with seed {wish.request.seed} ...")
    from engine.dreamer import Dreamer  # here: torch takes seconds to import

    dreamer = Dreamer(data_dir=wish.data_dir)
    preview = wish.preview
    with contextlib.closing(display):
        for event in dreamer.dream(wish.request, interrupts.asked):
            if isinstance(event, Started):
                interrupts.searching = True
                if event.notice:
                    display.say(event.notice)
                if preview is not None:
                    display.say(f"Watch it take shape in {preview}")
            elif isinstance(event, Progress):
                display.step(event)
                if preview is not None and event.picture is not None:
                    try:
                        write(preview, event.picture)
                    except DiskError as error:
                        display.say(f"There will be no more previews. {error}")
                        preview = None
            elif isinstance(event, Failed):
                display.close()
                return interrupts.exit_code or _refuse(event.kind, event.message)
    assert isinstance(event, Finished)  # the contract of `Dreamer.dream`
    return _keep(event, wish, dreamer.device, interrupts)


def _keep(finished: Finished, wish: Wish, device: str, interrupts: Interrupts) -> int:
    """Write the picture and report it on stdout."""
    try:
        path = wish.output.save(finished.picture)
    except DiskError:
        repeat = repeat_command(finished.recipe, wish.output.path, None)
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
    if wish.repeats is not None and not wish.quiet:
        print(SAME if finished.picture == wish.repeats else DIFFERENT, file=sys.stderr)
    return interrupts.exit_code


def repeat_command(recipe: Recipe, out: Path, kept: Path | None) -> str:
    """The command line that dreams this recipe again, quoted for a shell.

    A prompt that cannot stand on one line of this terminal is read from the picture `kept`, if there is one.
    """
    parts = _program()
    if kept is not None and not _printable(recipe.prompt):
        return shlex.join([*parts, "--from", str(kept), "--out", str(out)])
    options = ["--seed", str(recipe.seed), "--model", recipe.model, "--steps", str(recipe.steps)]
    options += ["--out", str(out)]
    if recipe.prompt.startswith("-"):
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


def _calm_libraries(quiet: bool) -> None:
    """Their warnings are for programmers; what the engine itself says is for the user."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    logging.getLogger("engine").setLevel(logging.WARNING if quiet else logging.INFO)


def _small(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


if __name__ == "__main__":
    sys.exit(main())
