"""`dream presets`: what quick, normal and thorough cost on this machine, measured by a short dream."""

from collections.abc import Sequence

from engine.command_line.console import Interrupts
from engine.command_line.options import MODEL, RECIPE
from engine.command_line.parsing import Parser, value
from engine.command_line.results import tell
from engine.command_line.running import NEVER_S, Previews, Studio
from engine.data_dir import data_dir
from engine.models.registry import least
from engine.protocol import DreamRequest
from engine.search.recipes import settings_for
from engine.settings import DREAM_MODEL, MODELS, PRESETS, RECIPES, environment

STEPS = 8  # of the dream that is measured

EPILOG = """\
examples:
  dream presets
  dream presets --model biggan-deep-512 --recipe fusedream
"""


def run(_name: str, arguments: Sequence[str], interrupts: Interrupts) -> int:
    """Measure and show. Returns the exit code; raises `DreamError` or `BadSetting` with a sentence."""
    parser = Parser("dream presets", "Measure what a dream costs on this machine.", EPILOG)
    parser.add_argument("--model", metavar="NAME", help=f"{', '.join(MODELS)}; default: DREAM_MODEL")
    parser.add_argument("--recipe", metavar="NAME", help=f"{', '.join(RECIPES)}; default: {RECIPES[0]}")
    given, environ = parser.parse_args(arguments), environment()
    model = value(MODEL, given.model) or DREAM_MODEL.read(environ)
    recipe = value(RECIPE, given.recipe) or RECIPES[0]
    studio = Studio(data_dir=data_dir(environ), quiet=False, interrupts=interrupts)
    studio.say("Dreaming for a moment, to measure ...")
    quick = settings_for(least(model).name, recipe, "quick")
    request = DreamRequest(
        "measure", "a house", 1, model, STEPS, NEVER_S, recipe=recipe,
        settings={"candidates": max(quick.basis, 24), "look_every": STEPS},
    )  # fmt: skip
    finished = studio.dream(request, Previews(None))
    if finished.stopped:
        return interrupts.exit_code
    measured = settings_for(finished.recipe.model, recipe, changes=request.settings, steps=STEPS)
    per_picture_s = finished.seconds / measured.evaluations()
    tell(f"{finished.recipe.model} on {studio.device}, recipe {recipe}:")
    tell(f"{'preset':<10} {'steps':>6} {'views scored':>13} {'time, about':>12}")
    for preset in PRESETS:
        settings = settings_for(finished.recipe.model, recipe, preset)
        seen = settings.evaluations()
        tell(f"{preset:<10} {settings.steps:>6} {seen:>13} {_duration(seen * per_picture_s):>12}")
    return interrupts.exit_code


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
