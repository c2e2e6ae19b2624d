"""`dream resume`: a dream that was stopped goes on, and ends as if it had never been."""

from collections.abc import Sequence
from pathlib import Path

from engine.command_line.console import Interrupts
from engine.command_line.options import add_outputs, recorded_size, wish_of
from engine.command_line.outputs import Output
from engine.command_line.parsing import Parser
from engine.command_line.results import keep, keep_film, read_state
from engine.command_line.running import Studio
from engine.errors import BadRequest
from engine.protocol import DreamRequest
from engine.search.recipes import repeated
from engine.settings import environment

EPILOG = """\
example:
  dream "a bowl of cherries" --steps 500 --out cherries.png     stopped by Ctrl-C
  dream resume cherries.png                                     ends in the same bytes as without the stop
"""


def run(_name: str, arguments: Sequence[str], interrupts: Interrupts) -> int:
    """Go on with the dream. Returns the exit code; raises `DreamError` or `BadSetting` with a sentence."""
    parser = Parser("dream resume", "Go on with a dream that was stopped.", EPILOG)
    parser.add_argument("file", metavar="PNG", help="the picture of the dream that was stopped")
    add_outputs(parser, "the same file")
    given, environ = parser.parse_args(arguments), environment()
    path = Path(given.file)
    recipe, data = read_state(path)
    from engine.search.state import State  # here: it imports torch, which --help need not wait for

    state = State.from_bytes(data)
    steps = state.settings.get("steps")
    if not isinstance(steps, int) or state.step >= steps:
        raise BadRequest(f"{path} is finished; dream continue goes on from it.")
    request = DreamRequest(
        id="dream",
        prompt=state.prompt,
        seed=state.seed,
        model=recipe.model,
        clip=str(recipe.settings.get("clip", "")),
        steps=steps,
        settings=repeated({name: kept for name, kept in state.settings.items() if name != "steps"}),
        avoid=str(state.origin.get("avoid", "")),
        size=recorded_size(state.origin),
        begin="resume",
        state=data,
    )
    wish = wish_of(given, environ, request, (), Output(path, named=True))
    studio = Studio(data_dir=wish.data_dir, quiet=wish.quiet, interrupts=interrupts)
    studio.say(f"Loading the models to go on with {wish.words!r} at step {state.step} of {steps} ...")
    finished = studio.dream(wish.request, wish.previews)
    keep(finished, wish, studio.device)
    keep_film([finished.timelapse], wish.film)
    return interrupts.exit_code
