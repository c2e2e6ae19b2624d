"""Dreams in this process, for a person at a terminal: models loaded once, progress shown, previews kept."""

import contextlib
import logging
import sys
import warnings
from pathlib import Path
from typing import Any

from engine.command_line.console import Display, Interrupts
from engine.command_line.outputs import write
from engine.errors import DiskError, DreamError
from engine.process import free_memory
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

    def __init__(
        self, latest: Path | None, folder: Path | None = None, stem: str = "", *, passing: bool = False
    ) -> None:
        """`latest` always shows the newest picture, `folder` keeps each as `<stem>-<step>.jpg`, if given.

        `passing`: nobody asked for `latest`, so it is removed with the end of the dream.
        """
        self.latest = latest
        self.folder = folder
        self._stem = stem
        self._passing = latest if passing else None

    def of(self, stem: str) -> "Previews":
        """The same places for another dream's pictures."""
        return Previews(self.latest, self.folder, stem, passing=self._passing is not None)

    def end(self) -> None:
        """Remove what nobody asked for."""
        if self._passing is not None:
            with contextlib.suppress(OSError):
                self._passing.unlink()

    def show(self, progress: Progress, display: Display) -> None:
        """Write the picture of this step, if there is one. A full disk ends the previews, not the dream."""
        if progress.picture is None:
            return
        try:
            if self.latest is not None:
                write(self.latest, progress.picture)
            if self.folder is not None:
                write(self.folder / f"{self._stem}-{progress.step:04}.jpg", progress.picture)
        except DiskError as error:
            display.say(f"There will be no more previews. {error}")
            self.latest = self.folder = None


class Studio:
    """Dreams requests one after the other, with models loaded once."""

    def __init__(self, *, data_dir: Path, quiet: bool, interrupts: Interrupts) -> None:
        _calm_libraries(quiet)
        self._display = Display(quiet=quiet)
        self._interrupts = interrupts
        self._data_dir = data_dir
        self._dreamer: Any = None  # an `engine.dreaming.dreamer.Dreamer`, made with the first dream
        self._shown: Path | None = None  # the preview that was told last

    @property
    def device(self) -> str:
        """What dreams: "cpu", "cuda" or "mps"; known with the first dream."""
        return self._dreamer.device if self._dreamer is not None else ""

    def say(self, sentence: str) -> None:
        """A line on stderr, unless it shall be quiet."""
        self._display.say(sentence)

    def dream(self, request: DreamRequest, previews: Previews) -> Finished:
        """Dream it, show it; Ctrl-C keeps the best picture so far. Raises `Failure`, or as `Dreamer` does."""
        dreamer = self._dreamer = self._dreamer or self._new_dreamer()
        with contextlib.closing(self._display) as display, contextlib.ExitStack() as ending:
            ending.callback(previews.end)
            for event in dreamer.dream(request, self._interrupts.asked):
                if isinstance(event, Fetching):
                    display.fetching(event)
                elif isinstance(event, Started):
                    self._interrupts.searching = True
                    if event.notice:
                        display.say(str(event.notice))
                    if previews.latest not in (None, self._shown):
                        self._shown = previews.latest
                        display.say(f"Watch it take shape in {previews.latest}")
                elif isinstance(event, Progress):
                    display.step(event)
                    previews.show(event, display)
                elif isinstance(event, Failed):
                    raise Failure(event)
        assert isinstance(event, Finished)  # the contract of `Dreamer.dream`
        return event

    def _new_dreamer(self) -> Any:
        free_memory.check_start(free_memory.found(), free_memory.addresses())
        from engine.dreaming.dreamer import Dreamer  # here: torch takes seconds to import
        from engine.models.shop import Shop

        environ = environment()
        clip = DREAM_CLIP.read(environ)
        return Dreamer(data_dir=self._data_dir, shop=Shop.read(environ), clip=clip)


def _calm_libraries(quiet: bool) -> None:
    """Their warnings are for programmers; what the engine itself says is for the user."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    logging.getLogger("engine").setLevel(logging.WARNING if quiet else logging.INFO)
