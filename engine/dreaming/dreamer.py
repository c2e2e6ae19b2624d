"""Dreams requests one after the other with models loaded once: the loop, told as the engine's events."""

import logging
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from engine.dreaming import beginning, forms, neighbours, scenes, wishes
from engine.dreaming.asked import Asked
from engine.dreaming.loaded import Loaded
from engine.dreaming.telling import Telling
from engine.errors import DiskError, FailureKind, ModelError, explained
from engine.match import is_weak
from engine.models import generator, memory, registry
from engine.models.shop import Shop
from engine.protocol import DreamRequest, Event, Failed, Fetching, Started
from engine.search import canvas
from engine.search.loop import dream
from engine.search.objective import Target
from engine.search.recipes import DreamSettings
from engine.search.search import Form, Search
from engine.search.several import Several
from engine.search.vessel import Vessel
from engine.sentences import NOTHING, Key, Saying
from engine.words.scene import Scene

log = logging.getLogger(__name__)


def best_device() -> str:
    """ "cuda" or "mps" where there is one, else "cpu"."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


class Dreamer:
    """Loads models once and dreams requests one at a time."""

    def __init__(
        self, *, data_dir: Path, device: str | None = None, shop: Shop | None = None, clip: str = ""
    ) -> None:
        """`data_dir` holds `models/` and what is worth keeping; `device` None is the best there is.

        `shop`: how missing models are fetched, None for not at all; `clip`: for requests that name none.
        """
        memory.keep()
        self.device = device or best_device()
        self._data_dir = data_dir
        self._shop = shop or Shop(offline=True)
        self._clip = clip
        self._loaded: Loaded | None = None

    def dream(self, request: DreamRequest, should_stop: Callable[[], bool]) -> Iterator[Event]:
        """Yields `Started`, then `Progress` for each step, then one `Finished` or `Failed`.

        `should_stop` is asked at each step; a stopped dream ends with its best picture. What is expected to
        go wrong ends in `Failed`; anything else rises.
        """
        try:
            yield from self._dream(request, should_stop)
        except Exception as error:
            # Expected errors are known by `explained`; what it does not know rises to the one handler.
            kind, said = explained(error)
            if kind is FailureKind.INTERNAL:
                raise
            if kind is FailureKind.MEMORY:
                self._loaded = None  # the models themselves may be what filled it
            yield Failed(request.id, kind, said)

    def _dream(self, request: DreamRequest, should_stop: Callable[[], bool]) -> Iterator[Event]:
        asked = Asked.read(request)
        pair, told = yield from self._fetched(request, should_stop)
        loaded = self.load(pair)
        asked = asked.sized(loaded.generator)
        settings = asked.settings(pair.model, loaded.device)
        scene = scenes.known(asked, settings, loaded)
        targets, notice = _targets(asked, loaded, _told(asked, settings, loaded, scene))
        yield Started(request.id, pair.name, settings.steps, told + notice)

        telling = Telling(asked, loaded, settings)
        shapes = forms.of(asked, settings, loaded, scene)
        generate = _generator(loaded.generator, scene, shapes)
        search = Search(targets, request.seed, settings, forms=shapes)
        search = beginning.begun(asked, loaded, generate, search)
        atlas = loaded.atlas() if settings.start == "atlas" and search.begin is None else None
        searched = dream(generate, loaded.perceptor, search, loaded.device, atlas, loaded.chunk)
        finished = yield from telling.progress(searched, should_stop)
        if not finished.stopped and is_weak(pair.name, finished.score, request.prompt):
            finished = replace(finished, nearest=neighbours.of(asked.wished, loaded, scene))
        yield finished

    def _fetched(
        self, request: DreamRequest, should_stop: Callable[[], bool]
    ) -> Generator[Event, None, tuple[registry.Pair, Saying]]:
        """The request's pair, its files fetched if they were missing, and what to say about it.

        Raises `ModelError`, unless "auto" may take the embedded pair instead.
        """
        device = torch.device(self.device)
        clip = request.clip or self._clip
        pair = registry.resolve(request.model, self._data_dir, device, clip, not self._shop.offline)
        if pair.present():
            return pair, NOTHING
        from engine.models.download import steps  # here: they load what speaks to the network
        from engine.models.installed import prove

        try:
            for model in pair.remote:
                proof = partial(prove, model)
                for arrived in steps(model, self._data_dir / "models", self._shop, should_stop, proof):
                    yield Fetching(request.id, model.name, arrived.file, arrived.done, arrived.total)
        except (ModelError, DiskError) as error:
            if request.model != "auto":
                raise
            log.warning("%s", error)
            embedded = registry.pair(registry.EMBEDDED.name, self._data_dir)
            return embedded, Saying.of(Key.LARGE_NOT_FETCHED)
        return pair, NOTHING

    def load(self, pair: registry.Pair) -> Loaded:
        """The pair's models, loaded unless they are already. Raises `ModelError`."""
        if self._loaded is None or self._loaded.pair != pair:
            self._loaded = None  # free the old ones first
            self._loaded = Loaded.load(pair, torch.device(self.device), self._data_dir)
        return self._loaded


def _generator(one: generator.Panel, scene: Scene | None, shapes: tuple[Form, ...]) -> generator.Generator:
    """What draws all that is asked for: one thing, several of it, some in a vessel, or two things."""
    if scene is not None:
        return canvas.Canvas(one, scene)
    form = shapes[0] if shapes else Form()
    if form.vessel is not None:
        return Vessel(one, form.vessel, form.count)
    return Several(one, form.count) if form.count > 1 else one


def _told(asked: Asked, settings: DreamSettings, loaded: Loaded, scene: Scene | None) -> tuple[str, ...]:
    """The words for each panel, where they are not the prompt itself."""
    if scene is not None:
        return scene.told
    lying = forms.filled(forms.said(asked, settings), loaded)
    return (lying.told,) if lying is not None else ()


def _targets(asked: Asked, loaded: Loaded, told: tuple[str, ...]) -> tuple[tuple[list[Target], ...], Saying]:
    """What each panel shall show, and a notice for the user, often nothing."""
    targets, notice = wishes.targets(asked.wished, loaded.perceptor, loaded.device)
    if told:
        parts = (wishes.about(asked.wished, words) for words in told)
        return tuple(wishes.targets(part, loaded.perceptor, loaded.device)[0] for part in parts), notice
    if asked.resumes and asked.wished.image is None and "image" in asked.states[0].origin:
        # The picture need not be given again.
        targets = [Target(asked.states[0].tensors["target"].to(loaded.device))]
    return (targets,), notice
