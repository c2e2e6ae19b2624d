"""A search told as the engine's events: its steps with previews, states and film, then its end."""

import logging
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import replace

import engine
from engine.dreaming.asked import Asked
from engine.dreaming.loaded import Loaded
from engine.errors import FailureKind, explained
from engine.pictures import images
from engine.pictures.timelapse import Frames
from engine.protocol import Finished, Progress, Recipe
from engine.search.loop import Step
from engine.search.recipes import DreamSettings

log = logging.getLogger(__name__)


class Telling:
    """Of one search; its clock runs from the moment it is made."""

    def __init__(self, asked: Asked, loaded: Loaded, settings: DreamSettings) -> None:
        self._asked, self._request = asked, asked.request
        self._loaded = loaded
        self._settings = settings
        self._origin = asked.origin()
        self._frames = Frames() if asked.request.timelapse_bytes else None
        self._begun = time.monotonic()
        self._shown: Step | None = None  # whose picture was shown last
        self._last: Step | None = None
        self._stopped = False

    def progress(
        self, steps: Iterable[Step], should_stop: Callable[[], bool]
    ) -> Generator[Progress, None, Finished]:
        """Yields an event for each step until `should_stop`; returns the end, without what is nearest."""
        first: Step | None = None
        stepping = shown_at = kept_at = time.monotonic()
        for step in steps:
            now = time.monotonic()
            if first is None:
                first, stepping = step, now  # finding the start says nothing of a step's time
            picture = state = None
            if self._is_fresh(step) and (
                self._shown is None or now - shown_at >= self._request.preview_every_s
            ):
                picture = images.to_jpeg(step.latest.picture, self._request.size)
                self._shown, shown_at = step, now
            self._film(step)
            if self._request.state_every_s and now - kept_at >= self._request.state_every_s:
                state, kept_at = self._state(step), now
            pace = (now - stepping) / max(1, step.step - first.step)  # seconds a step
            yield Progress(
                self._request.id,
                step.step,
                self._settings.steps,
                step.latest.score,
                step.best.score,
                pace * (self._settings.steps - step.step),
                picture,
                state,
                self._loaded.unsafe(step.latest.picture) if picture is not None else "",
            )
            self._last = step
            self._stopped = step.step < self._settings.steps and should_stop()
            if self._stopped:
                break
        return self._finished()

    def _is_fresh(self, step: Step) -> bool:
        return self._shown is None or step.latest is not self._shown.latest

    def _film(self, step: Step) -> None:
        """Take a step into the film, if there is one."""
        if self._frames is not None and self._frames.wants_next:
            self._frames.take(images.to_image(step.picture()))
        elif self._frames is not None:
            self._frames.skip()

    def _finished(self) -> Finished:
        last = self._last
        assert last is not None  # the loop yields or raises
        film = self._filmed(last)
        recipe = self._recipe(last)
        return Finished(
            self._request.id,
            recipe,
            last.kept.score,
            last.kept.step,
            last.step,
            time.monotonic() - self._begun,
            self._stopped,
            images.to_png(last.kept.picture, recipe, self._request.size),
            self._state(last),
            film,
            flagged=self._loaded.unsafe(last.kept.picture),
        )

    def _filmed(self, last: Step) -> bytes | None:
        """The film; None where none is wished or it cannot be made, for that shall not cost the picture."""
        if self._frames is None:
            return None
        try:
            final = images.to_image(last.kept.picture, self._request.size)
            return self._frames.film(final, "webp", self._request.timelapse_bytes)
        except Exception as error:
            kind, sentence = explained(error)
            log.warning("There is no film of this dream. %s", sentence, exc_info=kind is FailureKind.INTERNAL)
            return None

    def _state(self, step: Step) -> bytes:
        """Where the search stands, as the user may get it back in a request."""
        state = replace(
            step.state(),
            model=self._loaded.fingerprint,
            prompt=self._asked.prompt,
            seed=self._request.seed,
            origin=self._origin,
        )
        return state.to_bytes()

    def _recipe(self, last: Step) -> Recipe:
        """What repeats the picture."""
        pair, settings = self._loaded.pair, self._settings
        recorded = settings.recorded() | ({"clip": pair.clip} if pair.clip else {}) | self._origin
        steps = settings.steps
        if last.step < steps:
            # A search that ended early is repeated to the step of its picture, which is then its last.
            recorded["horizon"] = settings.horizon or steps
            steps = last.kept.step
        if last.notes:
            recorded["notes"] = " ".join(last.notes)
        return Recipe(
            prompt=self._asked.prompt,
            seed=self._request.seed,
            steps=steps,
            model=pair.name,
            generator=pair.generator_name,
            perceptor=" + ".join(pair.perceptor_names),
            version=engine.__version__,
            settings=recorded,
        )
