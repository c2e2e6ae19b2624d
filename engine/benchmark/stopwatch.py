"""Where a dream's time goes: a clock that a pair's models and their gradients press as the search calls them.

The search itself is as ever and knows nothing of it.
"""

import time
from collections import defaultdict
from collections.abc import Callable

import torch
from torch import Tensor

from engine.dreaming.loaded import Loaded

START = "start"  # all before the first step: words, candidates
GENERATOR, PERCEPTOR = "generator", "perceptor"  # forward, within steps
VIEWS = "views"  # cut and coloured, forward and backward
PERCEPTOR_BACK, GENERATOR_BACK = "perceptor backward", "generator backward"
OPTIMISER = "optimiser"  # and the drawing of views, the average
LOOK = "look"  # a shown picture and its score
TELLING = "telling"  # previews, the picture's file
STAGES = (
    START, GENERATOR, VIEWS, PERCEPTOR, PERCEPTOR_BACK, GENERATOR_BACK, OPTIMISER, LOOK, TELLING,
)  # fmt: skip


class Stopwatch:
    """Seconds by stage. On a GPU each lap waits for what was launched, so that the whole takes longer."""

    def __init__(self, device: torch.device) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._on_gpu = device.type == "cuda"
        self._since = time.perf_counter()

    def lap(self, stage: str) -> None:
        """What passed since the last lap belongs to this stage."""
        if self._on_gpu:
            torch.cuda.synchronize()
        now = time.perf_counter()
        self.seconds[stage] += now - self._since
        self._since = now


class Watched:
    """Presses `lap` with a stage's name as the models of `loaded` are called, until `release`."""

    def __init__(self, loaded: Loaded, lap: Callable[[str], None]) -> None:
        self._lap = lap
        self._searching = False  # whether the first step has begun
        self._models = loaded.generator, loaded.perceptor
        self._sheet, self._forward = loaded.generator.sheet, loaded.generator.__call__
        self._encode = loaded.perceptor.encode_images
        loaded.generator.sheet = self._timed_sheet  # type: ignore[method-assign]  # of these two alone
        if isinstance(loaded.generator, torch.nn.Module):
            self._forward = loaded.generator.forward
            loaded.generator.forward = self._timed_forward
        loaded.perceptor.encode_images = self._timed_encode  # type: ignore[method-assign]

    def release(self) -> None:
        """Let the models be as they were."""
        generator, perceptor = self._models
        for model, names in ((generator, ("sheet", "forward")), (perceptor, ("encode_images",))):
            for name in names:
                model.__dict__.pop(name, None)

    def _timed_sheet(self, z: Tensor, class_weights: Tensor) -> Tensor:
        if not torch.is_grad_enabled():
            return self._shown(self._sheet, z, class_weights)
        self._lap(OPTIMISER if self._searching else START)
        self._searching = True
        for latent in (z, class_weights):
            latent.register_hook(lambda _: self._lap(GENERATOR_BACK))
        picture = self._sheet(z, class_weights)
        picture.register_hook(lambda _: self._lap(VIEWS))
        self._lap(GENERATOR)
        return picture

    def _timed_forward(self, z: Tensor, class_weights: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            return self._forward(z, class_weights)
        return self._shown(self._forward, z, class_weights)

    def _shown(self, draw: Callable[[Tensor, Tensor], Tensor], z: Tensor, class_weights: Tensor) -> Tensor:
        self._lap(OPTIMISER if self._searching else START)
        picture = draw(z, class_weights)
        self._lap(LOOK if self._searching else START)
        return picture

    def _timed_encode(self, images: Tensor) -> Tensor:
        if not torch.is_grad_enabled():
            features = self._encode(images)
            self._lap(LOOK if self._searching else START)
            return features
        self._lap(VIEWS)
        if images.requires_grad:
            images.register_hook(lambda _: self._lap(PERCEPTOR_BACK))
        features = self._encode(images)
        self._lap(PERCEPTOR)
        return features
