"""Dreams in this process, for a person at a terminal: models loaded once, progress shown, previews kept."""

import contextlib
import logging
import sys
import warnings
from pathlib import Path

from engine.console import Display, Interrupts
from engine.errors import DiskError, DreamError
from engine.outputs import write
from engine.protocol import DreamRequest, Failed, Fetching, Finished, Progress, Started
from engine.settings import DREAM_CLIP, environment

NEVER_S = 1e9  # between previews that nobody wants


class Failure(DreamError):
    """The engine ended a dream without a picture."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.message)
        self.kind = failed.kind


class Previews:
    """Where a dream is seen as it takes shape."""

    def __init__(self, latest: Path | None) -> None:
        """`latest` always shows the newest picture, a JPEG; None: there is no such file."""
        self.latest = latest

    def show(self, progress: Progress, display: Display) -> None:
        """Write the picture of this step, if there is one. A full disk ends the previews, not the dream."""
        if self.latest is None or progress.picture is None:
            return
        try:
            write(self.latest, progress.picture)
        except DiskError as error:
            display.say(f"There will be no more previews. {error}")
            self.latest = None


class Studio:
    """Dreams requests one after the other."""

    def __init__(self, *, data_dir: Path, quiet: bool, interrupts: Interrupts) -> None:
        _calm_libraries(quiet)
        self._display = Display(quiet=quiet)
        self._interrupts = interrupts
        self._data_dir = data_dir
        self.device = ""  # known with the first dream

    def say(self, sentence: str) -> None:
        """A line on stderr, unless it shall be quiet."""
        self._display.say(sentence)

    def dream(self, request: DreamRequest, previews: Previews) -> Finished:
        """Dream it, show it; Ctrl-C keeps the best picture so far. Raises `Failure`, or as `Dreamer` does."""
        from engine.dreamer import Dreamer  # here: torch takes seconds to import
        from engine.fetch import Shop

        environ = environment()
        clip = DREAM_CLIP.read(environ)
        dreamer = Dreamer(data_dir=self._data_dir, shop=Shop.read(environ), clip=clip)
        self.device = dreamer.device
        with contextlib.closing(self._display) as display:
            for event in dreamer.dream(request, self._interrupts.asked):
                if isinstance(event, Fetching):
                    display.fetching(event)
                elif isinstance(event, Started):
                    self._interrupts.searching = True
                    if event.notice:
                        display.say(event.notice)
                    if previews.latest is not None:
                        display.say(f"Watch it take shape in {previews.latest}")
                elif isinstance(event, Progress):
                    display.step(event)
                    previews.show(event, display)
                elif isinstance(event, Failed):
                    raise Failure(event)
        assert isinstance(event, Finished)  # the contract of `Dreamer.dream`
        return event


def _calm_libraries(quiet: bool) -> None:
    """Their warnings are for programmers; what the engine itself says is for the user."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    logging.getLogger("engine").setLevel(logging.WARNING if quiet else logging.INFO)
