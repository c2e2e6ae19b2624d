"""Dreams requests one after the other with models loaded once: the loop, told as the engine's events."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

import engine
from engine import atlas, generator, images, perceptor, prompt, weights
from engine.dream import Step, dream
from engine.errors import BadRequest, FailureKind, sentence_for
from engine.protocol import DreamRequest, Event, Failed, Finished, Progress, Recipe, Started
from engine.settings import MAX_SEED, MAX_STEPS

log = logging.getLogger(__name__)


def best_device() -> str:
    """ "cuda" or "mps" where there is one, else "cpu"."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


@dataclass(frozen=True)
class _Loaded:
    pair: weights.Pair
    generator: generator.Generator
    perceptor: perceptor.Perceptor
    atlas: Tensor | None  # [classes, d], where the pair's start needs it


class Dreamer:
    """Loads models once and dreams requests one at a time."""

    def __init__(self, *, data_dir: Path, device: str | None = None) -> None:
        """`data_dir` holds `models/` and what is worth keeping; `device` None is the best there is."""
        self.device = device or best_device()
        self._data_dir = data_dir
        self._loaded: _Loaded | None = None

    def dream(self, request: DreamRequest, should_stop: Callable[[], bool]) -> Iterator[Event]:
        """Yields `Started`, then `Progress` for each step, then one `Finished` or `Failed`.

        `should_stop` is asked at each step; a stopped dream ends with its best picture. What is expected to
        go wrong ends in `Failed`; anything else rises.
        """
        try:
            yield from self._dream(request, should_stop)
        except Exception as error:
            # Expected errors are known by `sentence_for`; what it does not know rises to the one handler.
            kind, sentence = sentence_for(error)
            if kind is FailureKind.INTERNAL:
                raise
            if kind is FailureKind.MEMORY:
                self._loaded = None  # the models themselves may be what filled it
            yield Failed(request.id, kind, sentence)

    def _dream(self, request: DreamRequest, should_stop: Callable[[], bool]) -> Iterator[Event]:
        words = check(request)
        loaded = self.load(request.model)
        settings = loaded.pair.settings
        if request.steps is not None:
            settings = replace(settings, steps=request.steps)
        read = loaded.perceptor.fitting(words)
        notice = "" if read == words else f"The prompt is long: I dream its first {_count(read)}."
        yield Started(request.id, loaded.pair.name, settings.steps, notice)

        begun = time.monotonic()
        shown: Step | None = None
        last: Step | None = None
        stopped = False
        steps = dream(
            loaded.generator,
            loaded.perceptor,
            read,
            request.seed,
            settings,
            torch.device(self.device),
            loaded.atlas,
        )
        stepping = shown_at = time.monotonic()  # the start, found by now, says nothing of a step's time
        for last in steps:
            now = time.monotonic()
            fresh = shown is None or last.latest is not shown.latest
            due = shown is None or now - shown_at >= request.preview_every_s
            picture = None
            if fresh and due:
                picture, shown, shown_at = images.to_jpeg(last.latest.picture), last, now
            yield Progress(
                request.id,
                last.step,
                settings.steps,
                last.latest.score,
                last.best.score,
                (now - stepping) / last.step * (settings.steps - last.step),
                picture,
            )
            stopped = last.step < settings.steps and should_stop()
            if stopped:
                break
        assert last is not None  # the loop yields or raises
        whole = last.step == settings.steps
        recipe = Recipe(
            prompt=request.prompt.encode("utf-8", "replace").decode(),  # a lone surrogate fits no PNG
            seed=request.seed,
            # A search that ended early is repeated to the step of its best picture, which is then its last.
            steps=settings.steps if whole else last.best.step,
            model=loaded.pair.name,
            generator=loaded.pair.generator_name,
            perceptor=loaded.pair.perceptor_name,
            version=engine.__version__,
            settings=settings.recorded(),
        )
        yield Finished(
            request.id,
            recipe,
            last.best.score,
            last.best.step,
            last.step,
            time.monotonic() - begun,
            stopped,
            images.to_png(last.best.picture, recipe),
        )

    def load(self, model: str) -> _Loaded:
        """The models that `model` means, loaded unless they are already. Raises `ModelError`."""
        pair = weights.resolve(model, self._data_dir, self.device)
        if self._loaded is None or self._loaded.pair != pair:
            self._loaded = None  # free the old ones first
            device = torch.device(self.device)
            generate = generator.load(pair.generator, pair.generator_name, device)
            perceive = perceptor.load(pair.perceptor, pair.perceptor_name, device)
            scored = pair.settings.start == "scored"
            ranks = self._atlas(pair, generate, perceive) if scored else None
            self._loaded = _Loaded(pair, generate, perceive, ranks)
        return self._loaded

    def _atlas(
        self, pair: weights.Pair, generate: generator.Generator, perceive: perceptor.Perceptor
    ) -> Tensor:
        """The pair's atlas: the one that lies beside the generator, or one made here and kept."""
        mark = weights.fingerprint(pair)
        own = self._data_dir / f"atlas-{mark[:16]}.safetensors"
        for path in (pair.generator.parent / atlas.FILE, own):
            kept = atlas.read(path, mark)
            if kept is not None:
                return kept
        log.info("Looking at every class once, so that dreams can start well; this happens only once.")
        made = atlas.make(generate, perceive, torch.device(self.device), atlas.read_names(pair.generator))
        try:
            atlas.write(own, made, mark)
        except OSError as error:
            log.warning("The atlas could not be kept in %s: %s.", own, error)
        return made


def _count(text: str) -> str:
    """How much of a prompt this is: '9 words', or, of a single word, '30 letters'."""
    words = len(text.split())
    return f"{words} words" if words > 1 else f"{len(text)} letters"


def check(request: DreamRequest) -> str:
    """The request's prompt in dreamable words. Raises `BadRequest` for anything that no engine can dream."""
    if not 0 <= request.seed <= MAX_SEED:
        raise BadRequest(f"The seed is {request.seed}; it must be a whole number from 0 to {MAX_SEED}.")
    if request.steps is not None and not 1 <= request.steps <= MAX_STEPS:
        raise BadRequest(f"The number of steps is {request.steps}; it must be from 1 to {MAX_STEPS}.")
    return prompt.clean(request.prompt)
