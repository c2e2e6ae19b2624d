"""What a request asks for: checked and read before any model is loaded, then fitted to it."""

from dataclasses import dataclass, replace
from typing import Self

import torch

from engine.dreaming import wishes
from engine.errors import BadRequest
from engine.models.generator import Generator
from engine.models.registry import Model
from engine.pictures import images
from engine.protocol import DreamRequest
from engine.search.recipes import RECIPES, DreamSettings, settings_for
from engine.search.state import State, digest
from engine.sentences import Key
from engine.settings import MAX_SEED, MAX_STEPS, SIZES


@dataclass(frozen=True)
class Asked:
    """A request and what was read of it."""

    request: DreamRequest
    wished: wishes.Wishes
    states: tuple[State, ...]  # which it goes on from: none, one, or the two of a blend

    @classmethod
    def read(cls, request: DreamRequest) -> Self:
        """Raises `BadRequest` with a sentence for what no engine can dream."""
        check(request)
        wished = wishes.read(request)
        given = (request.state, request.other_state)
        return cls(request, wished, tuple(State.from_bytes(data) for data in given if data is not None))

    def sized(self, generate: Generator) -> Self:
        """With the size that its picture will have, where it may not have the model's own."""
        most, own = self.request.most_size, max(images.SHOWN, generate.size)
        if self.request.size is not None or most is None or own <= most:
            return self
        size = max((size for size in SIZES if size <= most), default=SIZES[0])
        return replace(self, request=replace(self.request, size=size))

    def settings(self, model: Model, device: torch.device) -> DreamSettings:
        """What is asked of the search, over what suits the model and the device."""
        request, changes = self.request, dict(self.request.settings)
        if device.type != "cuda" and request.recipe in ("", next(iter(RECIPES))):
            changes = {**model.slow, **changes}
        settings = settings_for(model.name, request.recipe, request.preset, changes, request.steps)
        if request.steps is None and request.most_steps is not None and settings.steps > request.most_steps:
            settings = replace(settings, steps=request.most_steps)
        return settings

    @property
    def prompt(self) -> str:
        """The words without lone surrogates, which fit no PNG and no JSON."""
        return self.request.prompt.encode("utf-8", "replace").decode()

    @property
    def resumes(self) -> bool:
        """Whether it is a search that goes on as if it had never stopped."""
        return self.request.begin == "resume"

    def origin(self) -> dict[str, float | str]:
        """What its recipe says of the wishes beside the prompt, and of how it began, if not afresh."""
        if self.resumes:
            return self.states[0].origin
        request = self.request
        origin = wishes.record(request)
        if request.begin == "new":
            return origin
        origin["begin"] = request.begin
        for name, data in (("state", request.state), ("other_state", request.other_state)):
            origin |= {name: digest(data)} if data is not None else {}
        return origin | ({"strength": request.strength} if request.begin in ("vary", "blend") else {})


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
