"""Dreams requests one after the other with models loaded once: the loop, told as the engine's events."""

import logging
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

import engine
from engine.dreaming import neighbours, wishes
from engine.dreaming.safety import SafetyCheck
from engine.errors import BadRequest, DiskError, FailureKind, ModelError, explained
from engine.models import (
    generator,
    memory,
    perceptor,
    registry,
)
from engine.models.download import Shop, steps
from engine.models.installed import prove
from engine.pictures import images
from engine.pictures.timelapse import Frames
from engine.pocket import grounds
from engine.protocol import DreamRequest, Event, Failed, Fetching, Finished, Progress, Recipe, Started
from engine.search import (
    atlas,
    canvas,
    inversion,
    start,
)
from engine.search.latents import Latents
from engine.search.loop import (
    Step,
    best_latents,
    directions,
    dream,
    hues,
    shows_two,
)
from engine.search.objective import Target
from engine.search.recipes import DreamSettings, settings_for
from engine.search.state import State, digest
from engine.sentences import NOTHING, Key, Saying
from engine.settings import MAX_SEED, MAX_STEPS, SIZES, weak
from engine.words import scene

log = logging.getLogger(__name__)

SLOW_CANDIDATES = 24  # pictures to choose a large pair's start from where no large GPU is


def best_device() -> str:
    """ "cuda" or "mps" where there is one, else "cpu"."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


@dataclass(frozen=True)
class _Loaded:
    pair: registry.Pair
    fingerprint: str  # of the pair's weights
    generator: generator.Generator
    perceptor: perceptor.Perceptor
    chunk: int  # how many views the perceptor sees at once
    unsafe: Callable[[Tensor], str]  # what a picture [3, h, w] has that not everybody wants to see, or ""


class Dreamer:
    """Loads models once and dreams requests one at a time."""

    def __init__(
        self, *, data_dir: Path, device: str | None = None, shop: Shop | None = None, clip: str = ""
    ) -> None:
        """`data_dir` holds `models/` and what is worth keeping; `device` None is the best there is.

        `shop`: how missing models are fetched, None for not at all; `clip`: for requests that name none.
        """
        self.device = device or best_device()
        self._data_dir = data_dir
        self._shop = shop or Shop(offline=True)
        self._clip = clip
        self._loaded: _Loaded | None = None

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
        check(request)
        wished = wishes.read(request)
        origins = [
            State.from_bytes(data) for data in (request.state, request.other_state) if data is not None
        ]
        pair, told = yield from self._fetched(request, should_stop)
        loaded = self.load(pair)
        request = _sized(request, loaded.generator)
        settings = _settings(request, loaded.pair, self.device)
        device = torch.device(self.device)
        origin = origins[0].origin if request.begin == "resume" else _origin(request)
        targets, notice = wishes.targets(wished, loaded.perceptor, device)
        beside: list[Target] = []
        if (found := self._scene(request, wished, loaded, settings, origins)) is not None:
            loaded = replace(loaded, generator=canvas.Canvas(loaded.generator, found))
            (targets, _), (beside, _) = (
                wishes.targets(wishes.about(wished, part), loaded.perceptor, device) for part in found.told
            )
        if request.begin == "resume" and request.image is None and "image" in origin:
            targets = [Target(origins[0].tensors["target"].to(device))]  # the picture need not be given again
        yield Started(request.id, loaded.pair.name, settings.steps, told + notice)

        begun = time.monotonic()
        shown: Step | None = None
        first: Step | None = None
        last: Step | None = None
        stopped = False
        frames = Frames() if request.timelapse_bytes else None
        begin = self._begin(request, loaded, settings, origins, wished, targets, beside)
        searched = dream(
            loaded.generator,
            loaded.perceptor,
            targets,
            request.seed,
            settings,
            device,
            self._atlas(loaded) if settings.start == "atlas" and begin is None else None,
            begin,
            loaded.chunk,
            beside,
        )
        stepping = shown_at = kept_at = time.monotonic()
        for last in searched:
            now = time.monotonic()
            if first is None:
                first, stepping = last, now  # finding the start says nothing of a step's time
            fresh = shown is None or last.latest is not shown.latest
            due = shown is None or now - shown_at >= request.preview_every_s
            picture = state = None
            if fresh and due:
                picture = images.to_jpeg(last.latest.picture, request.size)
                shown, shown_at = last, now
            if frames is not None and frames.wants_next:
                frames.take(images.to_image(last.picture()))
            elif frames is not None:
                frames.skip()
            if request.state_every_s and now - kept_at >= request.state_every_s:
                state, kept_at = _state(last, request, loaded, origin), now
            pace = (now - stepping) / max(1, last.step - first.step)  # seconds a step
            yield Progress(
                request.id,
                last.step,
                settings.steps,
                last.latest.score,
                last.best.score,
                pace * (settings.steps - last.step),
                picture,
                state,
                loaded.unsafe(last.latest.picture) if picture is not None else "",
            )
            stopped = last.step < settings.steps and should_stop()
            if stopped:
                break
        assert last is not None  # the loop yields or raises
        film = None
        if frames is not None:
            film = _film(frames, last, request)
        recipe = _recipe(request, loaded.pair, settings, origin, last)
        yield Finished(
            request.id,
            recipe,
            last.kept.score,
            last.kept.step,
            last.step,
            time.monotonic() - begun,
            stopped,
            images.to_png(last.kept.picture, recipe, request.size),
            _state(last, request, loaded, origin),
            film,
            flagged=loaded.unsafe(last.kept.picture),
            nearest={} if stopped else self._nearest(wished, loaded, found, last.kept.score),
        )

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
        try:
            for model in pair.remote:
                proof = partial(prove, model)
                for arrived in steps(model, self._data_dir / "models", self._shop, should_stop, proof):
                    yield Fetching(request.id, model.name, arrived.file, arrived.done, arrived.total)
        except (ModelError, DiskError) as error:
            if request.model != "auto":
                raise
            log.warning("%s", error)
            return registry.pair("pocket", self._data_dir), Saying.of(Key.LARGE_NOT_FETCHED)
        return pair, NOTHING

    def load(self, pair: registry.Pair) -> _Loaded:
        """The pair's models, loaded unless they are already. Raises `ModelError`."""
        if self._loaded is None or self._loaded.pair != pair:
            self._loaded = None  # free the old ones first
            device = torch.device(self.device)
            memory.check_room(pair.name, memory.need(pair), memory.free(device))
            mark = registry.fingerprint(pair)
            generate = generator.load(pair.generator, pair.generator_name, device)
            perceive = perceptor.load_all(pair.perceptors, pair.perceptor_names, device)
            chunk = memory.views_at_once(perceive, device)
            unsafe = SafetyCheck(perceive) if pair.remote else _harmless
            self._loaded = _Loaded(pair, mark, generate, perceive, chunk, unsafe)
        return self._loaded

    def _begin(
        self,
        request: DreamRequest,
        loaded: _Loaded,
        settings: DreamSettings,
        origins: list[State],
        wished: wishes.Wishes,
        targets: Sequence[Target],
        beside: Sequence[Target],
    ) -> Latents | State | None:
        """Where the search begins: None is afresh. Raises `BadRequest` for states of other models."""
        if any(state.model != loaded.fingerprint for state in origins):
            raise BadRequest(Key.STATE_MODEL)
        if request.begin == "resume":
            if origins[0].seed != request.seed:
                raise BadRequest(Key.STATE_SEED, seed=origins[0].seed)
            return origins[0]
        generate = loaded.generator
        base = generate.base if isinstance(generate, canvas.Canvas) else generate
        chosen = [canvas.fitted(best_latents(state, base), generate.rows) for state in origins]
        device = torch.device(self.device)
        # Not the search's own generator, so that equal numbers are not used for two things.
        rng = torch.Generator().manual_seed(MAX_SEED - request.seed)
        if request.begin in ("continue", "vary"):
            latents = chosen[0] if request.begin == "continue" else chosen[0].varied(request.strength, rng)
            if settings.start != "atlas" or origins[0].prompt == printable(request.prompt):
                return latents
            # Other words: a small step leads to no other thing, so the thing is chosen anew.
            ranks, count = self._atlas(loaded), settings.candidates
            towards = directions(generate, targets, beside)
            return start.scored_start(
                generate,
                loaded.perceptor,
                towards,
                ranks,
                count,
                rng,
                device,
                latents,
                hues(generate, targets, beside),
            )
        if request.begin == "blend":
            return chosen[0].blended(chosen[1], request.strength)
        if wished.init is not None:
            return inversion.closest(
                loaded.generator,
                loaded.perceptor,
                images.to_tensor(wished.init),
                wishes.seen(wished.init, loaded.perceptor, device),
                self._atlas(loaded) if settings.start == "atlas" else None,
                rng,
                device,
            )
        return None

    def _scene(
        self,
        request: DreamRequest,
        wished: wishes.Wishes,
        loaded: _Loaded,
        settings: DreamSettings,
        origins: Sequence[State],
    ) -> scene.Scene | None:
        """The two things that the words name, where the atlas knows both and nothing else is wished.

        A dream that goes on with its words stays a picture of one if it was one.
        """
        wanted = [phrase for phrase in wished.phrases if phrase.weight > 0]
        pictures = wished.image is not None or wished.init is not None
        if settings.scene == "one" or settings.start != "atlas" or pictures or len(wanted) != 1:
            return None
        found = scene.read(wanted[0].words)
        same_words = request.begin != "continue" or origins[0].prompt == printable(request.prompt)
        goes_on = bool(origins) and same_words
        if found is None or (goes_on and not any(shows_two(state, loaded.generator) for state in origins)):
            return None
        faces = scene.faces(found)
        texts = [
            wanted[0].words,
            found.first,
            found.second,
            scene.bare(found.first),
            scene.bare(found.second),
            *map(scene.bare, faces),
        ]
        near = loaded.perceptor.encode_texts(texts).cpu() @ self._atlas(loaded).t()  # [5 or more, classes]
        nearest = int(near[0].argmax())
        name = near[0, nearest] >= max(scene.WHOLE, *near[1:3, nearest].tolist())
        if name or near[3:5].amax(1).min() < scene.KNOWN:
            return None
        known = (face for face, best in zip(faces, near[5:].amax(1), strict=True) if best >= scene.NAMED)
        return replace(found, first=next(known, found.first))

    def _nearest(
        self, wished: wishes.Wishes, loaded: _Loaded, found: scene.Scene | None, score: float
    ) -> dict[str, list[str]]:
        """What is nearest to the words of a dream that hardly shows them, as `neighbours.nearest` says it."""
        names = atlas.names_by_language(loaded.pair.generator)
        if not names or not weak(loaded.pair.name, score):
            return {}
        wanted = [phrase.words for phrase in wished.phrases if phrase.weight > 0]
        things = [found.first, found.second] if found else [grounds.read(words)[0] for words in wanted]
        towards = [loaded.perceptor.encode_texts([loaded.perceptor.fitting(one)])[0] for one in things]
        return neighbours.nearest(towards, self._atlas(loaded), names)

    def _atlas(self, loaded: _Loaded) -> Tensor:
        """The pair's atlas: the one that lies beside the generator, or one made here and kept."""
        folder, mark = loaded.pair.generator, loaded.fingerprint
        own = self._data_dir / f"atlas-{mark[:16]}.safetensors"
        for path in (folder.parent / atlas.FILE, own):
            kept = atlas.read(path, mark)
            if kept is not None:
                return kept
        log.info("Looking at every class once, so that dreams can start well; this happens only once.")
        device = torch.device(self.device)
        made = atlas.make(loaded.generator, loaded.perceptor, device, atlas.read_names(folder))
        try:
            atlas.write(own, made, mark)
        except OSError as error:
            log.warning("The atlas could not be kept in %s: %s.", own, error)
        return made


def _film(frames: Frames, last: Step, request: DreamRequest) -> bytes | None:
    """The film; None where it cannot be made, for that shall not cost the picture."""
    try:
        final = images.to_image(last.kept.picture, request.size)
        return frames.film(final, "webp", request.timelapse_bytes)
    except Exception as error:
        kind, sentence = explained(error)
        log.warning("There is no film of this dream. %s", sentence, exc_info=kind is FailureKind.INTERNAL)
        return None


def _harmless(_picture: Tensor) -> str:
    """The embedded models know nothing unsafe."""
    return ""


def _settings(request: DreamRequest, pair: registry.Pair, device: str) -> DreamSettings:
    """What the request asks of the search, over what suits the pair and the device."""
    changes = dict(request.settings)
    if pair.name != "pocket" and device != "cuda" and request.recipe in ("", "oneiro"):
        # An atlas of a large pair has thousands of pictures: minutes on a large GPU, up to hours elsewhere.
        changes.setdefault("start", "samples")
        changes.setdefault("candidates", SLOW_CANDIDATES)
    settings = settings_for(pair.name, request.recipe, request.preset, changes, request.steps)
    if request.steps is None and request.most_steps is not None and settings.steps > request.most_steps:
        settings = replace(settings, steps=request.most_steps)
    return settings


def _sized(request: DreamRequest, generate: generator.Generator) -> DreamRequest:
    """The request with the size that its picture will have, where it may not have the model's own."""
    own = max(images.SHOWN, generate.size)
    if request.size is not None or request.most_size is None or own <= request.most_size:
        return request
    return replace(request, size=max((size for size in SIZES if size <= request.most_size), default=SIZES[0]))


def _origin(request: DreamRequest) -> dict[str, float | str]:
    """What the recipe says of the wishes beside the prompt, and of how the dream began, if not afresh."""
    origin = wishes.record(request)
    if request.begin == "new":
        return origin
    origin["begin"] = request.begin
    for name, data in (("state", request.state), ("other_state", request.other_state)):
        origin |= {name: digest(data)} if data is not None else {}
    return origin | ({"strength": request.strength} if request.begin in ("vary", "blend") else {})


def _state(step: Step, request: DreamRequest, loaded: _Loaded, origin: dict[str, float | str]) -> bytes:
    """Where the search stands, as the user may get it back in a request."""
    state = replace(
        step.state(),
        model=loaded.fingerprint,
        prompt=printable(request.prompt),
        seed=request.seed,
        origin=origin,
    )
    return state.to_bytes()


def _recipe(
    request: DreamRequest,
    pair: registry.Pair,
    settings: DreamSettings,
    origin: dict[str, float | str],
    last: Step,
) -> Recipe:
    """What repeats the picture."""
    recorded = settings.recorded() | ({"clip": pair.clip} if pair.clip else {}) | origin
    steps = settings.steps
    if last.step < steps:
        # A search that ended early is repeated to the step of its picture, which is then its last.
        recorded["horizon"] = settings.horizon or steps
        steps = last.kept.step
    if last.notes:
        recorded["notes"] = " ".join(last.notes)
    return Recipe(
        prompt=printable(request.prompt),
        seed=request.seed,
        steps=steps,
        model=pair.name,
        generator=pair.generator_name,
        perceptor=" + ".join(pair.perceptor_names),
        version=engine.__version__,
        settings=recorded,
    )


def printable(text: str) -> str:
    """The text without lone surrogates, which fit no PNG and no JSON."""
    return text.encode("utf-8", "replace").decode()


def check(request: DreamRequest) -> None:
    """Raises `BadRequest` for numbers and beginnings that no engine can dream."""
    if not 0 <= request.seed <= MAX_SEED:
        raise BadRequest(Key.SEED_IS, seed=request.seed, most=MAX_SEED)
    if request.steps is not None and not 1 <= request.steps <= MAX_STEPS:
        raise BadRequest(Key.STEPS_ARE, steps=request.steps, most=MAX_STEPS)
    settings_for(request.model, request.recipe, request.preset, request.settings, request.steps)
    _check_begin(request)


# Which states each beginning needs.
_NEEDS = {
    "new": (False, False),
    "resume": (True, False),
    "continue": (True, False),
    "vary": (True, False),
    "blend": (True, True),
}


def _check_begin(request: DreamRequest) -> None:
    """Raises `BadRequest` unless `begin` has just the states that it needs."""
    if request.begin not in _NEEDS:
        raise BadRequest(Key.BEGIN_UNKNOWN, begin=request.begin, known=", ".join(_NEEDS))
    given = (request.state is not None, request.other_state is not None)
    if given != _NEEDS[request.begin]:
        needs = (Key.BEGIN_NO_STATE, Key.BEGIN_ONE_STATE, Key.BEGIN_TWO_STATES)[sum(_NEEDS[request.begin])]
        raise BadRequest(needs, begin=request.begin, count=sum(given))
    if not 0 <= request.strength <= 1:
        raise BadRequest(Key.STRENGTH_IS, strength=request.strength)
    if not request.state_every_s >= 0:
        raise BadRequest(Key.STATE_SECONDS)
