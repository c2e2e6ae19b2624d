"""`dream story "first" "second" …`: prompts dreamt one after the other, each from where the last ended."""

from collections.abc import Sequence
from dataclasses import replace

from engine.command_line.console import Interrupts, repaired
from engine.command_line.options import (
    add_outputs,
    add_wishes,
    request_of,
    wish_of,
)
from engine.command_line.outputs import Output
from engine.command_line.parsing import Parser
from engine.command_line.results import keep, keep_film
from engine.command_line.running import Studio
from engine.errors import BadRequest
from engine.prompt import clean, wanted
from engine.settings import environment

EPILOG = """\
examples:
  dream story "an egg" "a baby chick" "a chicken" --timelapse chicken.webp
  dream story "sunrise" "a sun" "a full moon" --seed 7 --out day.png    day-1.png, day-2.png, day-3.png

Every option holds for each of the dreams; --init for the first. Ctrl-C ends the running one and leaves out
the rest.
"""


def run(_name: str, arguments: Sequence[str], interrupts: Interrupts) -> int:
    """Dream the story. Returns the exit code; raises `DreamError` or `BadSetting` with a sentence."""
    parser = Parser("dream story", "Dream prompts one after the other, from the same latents.", EPILOG)
    parser.add_argument(
        "prompts", nargs="*", metavar="prompt", help="a chapter, two at least, each in quotes"
    )
    add_wishes(parser, init=True)
    add_outputs(parser, "dreams/<first words>-<seed>-<chapter>.png")
    given, environ = parser.parse_intermixed_args(arguments), environment()
    prompts = [repaired(prompt) for prompt in given.prompts]
    if len(prompts) < 2:
        raise BadRequest(
            "A story has two chapters at least, each in quotes; "
            "to dream of the word itself, put two hyphens before it: dream -- story."
        )
    for prompt in prompts:
        wanted(prompt)
    first = request_of(given, environ, prompts[0], None)
    wish = wish_of(given, environ, first, ["story", *arguments], pictures=len(prompts))
    studio = Studio(data_dir=wish.data_dir, quiet=wish.quiet, interrupts=interrupts)
    studio.say(f"Loading the models to dream a story of {len(prompts)} chapters with seed {first.seed} ...")
    films, request = [], wish.request
    for chapter, prompt in enumerate(prompts, start=1):
        path = wish.output.path.with_stem(f"{wish.output.path.stem}-{chapter}")
        told = replace(wish, output=Output(path, wish.output.named))
        request = replace(request, prompt=prompt)
        studio.say(f"Chapter {chapter}: {clean(prompt)}")
        finished = studio.dream(request, wish.previews.of(path.stem))
        keep(finished, told, studio.device, note=f"Chapter {chapter}")
        films.append(finished.timelapse)
        if interrupts.asked():
            break
        request = replace(request, init=None, begin="continue", state=finished.state)
    keep_film(films, wish.film)
    return interrupts.exit_code
