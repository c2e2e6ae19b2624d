"""Times the steps of a checkout of lucidrains/big-sleep, unchanged, in a process of its own.

Its `BigSleep` and the steps of its `Imagine` are run as they are. What surrounds them is given to it: random
weights in the place of those that it downloads, and what it imports but does not need for a step
(torchvision's file formats, boto3, ftfy) where that is not installed.
"""

import json
import statistics
import subprocess
import sys
import time
import types
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from engine.errors import DreamError
from engine.models import catalogue, installed
from engine.models.registry import Pair

RATE = 0.07  # its own
# ViT-B/32, the one that it takes by default, as `CLIP.__init__` counts: embedding, pixels, layers, width,
# patch; tokens, words, width, heads, layers.
VIT_B_32 = (512, 224, 12, 768, 32, 77, 49408, 512, 8, 12)
MEAN, DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


def timed(checkout: Path, pair: Pair, cutouts: int, steps: int, threads: int) -> float:
    """The median seconds of its steps at the pair's size. Raises `DreamError` where it does not run."""
    generator = pair.remote[0]
    command = [sys.executable, "-m", __name__, checkout, generator.name, cutouts, steps, threads]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise DreamError(f"The checkout in {checkout} does not run: {last}")
    return float(json.loads(done.stdout.splitlines()[-1]))


def _main(checkout: str, generator: str, cutouts: str, steps: str, threads: str) -> None:
    torch.set_num_threads(int(threads))
    sys.path.insert(0, checkout)
    on_gpu = torch.cuda.is_available()
    for name in (
        "torchvision.utils",
        "torchvision.transforms",
        "boto3",
        "botocore.exceptions",
        "ftfy",
        "regex",
    ):
        _stand_in(name)
    torch.cuda.is_available = lambda: True  # it refuses to be imported without a GPU, though it runs
    from big_sleep import big_sleep as program  # type: ignore[import-not-found]  # in the checkout
    from big_sleep.biggan import BigGAN, BigGANConfig  # type: ignore[import-not-found]
    from big_sleep.clip import CLIP, convert_weights  # type: ignore[import-not-found]

    torch.cuda.is_available = lambda: on_gpu
    device = torch.device("cuda" if on_gpu else "cpu")
    model = catalogue.named(generator)
    config = installed.biggan_config(model)
    clip = CLIP(*VIT_B_32).eval()
    if on_gpu:
        convert_weights(clip)  # as it loads them there
    mean, deviation = (torch.tensor(each, device=device).view(3, 1, 1) for each in (MEAN, DEVIATION))
    program.load = lambda *_, **__: (clip, lambda views: (views - mean) / deviation)
    program.BigGAN.from_pretrained = lambda *_, **__: BigGAN(BigGANConfig.from_dict(config))
    size = int(model.name.rsplit("-", 1)[-1])
    dream = program.BigSleep(num_cutouts=int(cutouts), image_size=size).to(device)
    towards = torch.randn(1, VIT_B_32[0], device=device)
    optimiser = torch.optim.Adam(dream.model.latents.model.parameters(), RATE)
    taken = []
    for _ in range(int(steps) + 1):
        begun = time.perf_counter()
        _step(dream, optimiser, towards)
        if on_gpu:
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - begun)
    print(json.dumps(statistics.median(taken[1:])))  # the first prepares


def _step(dream: Any, optimiser: Any, towards: torch.Tensor) -> None:
    """As its `Imagine.train_step`."""
    _, losses = dream([towards])
    sum(losses).backward()
    optimiser.step()
    dream.model.latents.update()
    optimiser.zero_grad()


class _StandIn(types.ModuleType):
    """A module whose every name is a function that gives nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (Exception,), {}) if name.endswith("Error") else lambda *_, **__: None


def _stand_in(name: str) -> None:
    """Put a stand-in in the place of a module that is not installed."""
    package = name.partition(".")[0]
    if package not in sys.modules:
        if find_spec(package) is not None:
            return
        sys.modules[package] = _StandIn(package)
    if isinstance(sys.modules[package], _StandIn):
        sys.modules.setdefault(name, _StandIn(name))


if __name__ == "__main__":
    _main(*sys.argv[1:])
