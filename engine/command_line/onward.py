"""`dream continue`, `dream vary` and `dream blend`: dreams that begin where finished ones ended."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from engine.command_line.console import Interrupts, repaired
from engine.command_line.options import (
    add_outputs,
    add_wishes,
    request_of,
    wish_of,
)
from engine.command_line.parsing import Parser, value
from engine.command_line.results import keep, keep_film, read_state
from engine.command_line.running import Studio
from engine.errors import BadRequest
from engine.given_file import shortened
from engine.protocol import Begin, Recipe
from engine.settings import environment, number

STRENGTH = number("--strength", 0.5, 0, 1, "how far to move away: 0 not at all, 1 to something else")
SHARE = number("--share", 0.5, 0, 1, "how much is the second picture's: 0 nothing, 1 everything")

_BEGINS: dict[str, Begin] = {"continue": "continue", "vary": "vary", "blend": "blend"}
_ABOUT = {
    "continue": (
        "Go on from where a picture's dream ended, perhaps towards other words.",
        """\
examples:
  dream continue cherries.png --steps 60
  dream continue cherries.png "a bowl of cherries at night" --timelapse night.webp
""",
    ),
    "vary": (
        "Dream a picture's wish again from a changed beginning.",
        """\
examples:
  dream vary cherries.png
  dream vary cherries.png --strength 0.2 --seed 8
""",
    ),
    "blend": (
        "Dream on from between two pictures of the same model, towards both wishes or other words.",
        """\
examples:
  dream blend cat.png castle.png
  dream blend cat.png castle.png "a cat castle" --share 0.7
""",
    ),
}


def run(name: str, arguments: Sequence[str], interrupts: Interrupts) -> int:
    """Do what the command `name` says. Returns the exit code; raises `DreamError` or `BadSetting`."""
    parser = Parser(f"dream {name}", *_ABOUT[name])
    count = 2 if name == "blend" else 1
    parser.add_argument("files", nargs=count, metavar="PNG", help="a picture that dream wrote")
    parser.add_argument("prompt", nargs="*", help="other words; default: the picture's own")
    if name != "continue":
        setting = STRENGTH if name == "vary" else SHARE
        parser.add_argument(setting.key, dest="strength", metavar="X",
            help=f"{setting.help}; default: {setting.default:g}")  # fmt: skip
    add_wishes(parser, init=False)
    add_outputs(parser, "dreams/<words>-<seed>.png, numbered if another picture has that name")
    given, environ = parser.parse_intermixed_args(arguments), environment()
    strength = value(STRENGTH if name == "vary" else SHARE, getattr(given, "strength", None))
    recipes, states = zip(*(_read(path, name) for path in given.files), strict=True)
    prompt = repaired(" ".join(given.prompt)) or _joined(recipes)
    request = replace(
        request_of(given, environ, prompt, recipes[0]),
        begin=_BEGINS[name],
        state=states[0],
        other_state=states[1] if name == "blend" else None,
        strength=STRENGTH.default if strength is None else strength,
    )
    wish = wish_of(given, environ, request, [name, *arguments])
    studio = Studio(data_dir=wish.data_dir, quiet=wish.quiet, interrupts=interrupts)
    if given.image is None and any("image" in recipe.settings for recipe in recipes):
        studio.say("The dream went towards a picture, too; without --image only the words count now.")
    studio.say(f"Loading the models to dream {wish.words!r} with seed {wish.request.seed} ...")
    finished = studio.dream(wish.request, wish.previews)
    keep(finished, wish, studio.device)
    keep_film([finished.timelapse], wish.film)
    return interrupts.exit_code


def _read(text: str, name: str) -> tuple[Recipe, bytes]:
    """As `read_state`; a word that is no file may be the beginning of an unquoted prompt."""
    path = Path(text)
    if not _exists(path):
        raise BadRequest(
            f"There is no file {shortened(text)}; dream {name} begins at a picture's dream. "
            f'To dream of these words put them into quotes: dream "{name} {shortened(text)} …".'
        )
    return read_state(path)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False  # longer than a name may be, or in a folder that is closed to us


def _joined(recipes: Sequence[Recipe]) -> str:
    """The wishes of the pictures as one prompt."""
    return " | ".join(dict.fromkeys(recipe.prompt for recipe in recipes if recipe.prompt.strip()))
