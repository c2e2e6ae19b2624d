"""Times the steps of a checkout of lucidrains/big-sleep, unchanged, in a process of its own.

Its `BigSleep` and the steps of its `Imagine` are run as they are. What surrounds them is given to it: the
generator's weights that ours has, random ones in the place of the CLIP that it downloads, and what it imports
but does not need for a step (torchvision's file formats, boto3, ftfy) where that is not installed.
"""

import importlib
import json
import statistics
import subprocess
import sys
import time
import types
from dataclasses import asdict, dataclass
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from engine.benchmark.measuring import peak
from engine.errors import DreamError
from engine.models.files import read_tensors
from engine.models.folders import CONFIG
from engine.models.registry import Pair

RATE = 0.07  # its own
# ViT-B/32, the one that it takes by default, as `CLIP.__init__` counts: embedding, pixels, layers, width,
# patch; tokens, words, width, heads, layers.
VIT_B_32 = (512, 224, 12, 768, 32, 77, 49408, 512, 8, 12)
MEAN, DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
_NOT_NEEDED = (
    "torchvision.utils", "torchvision.transforms", "boto3", "botocore.exceptions", "ftfy", "regex",
)  # fmt: skip


def timed(checkout: Path, pair: Pair, cutouts: int, steps: int, threads: int, device: str) -> "Peer":
    """Its steps at the pair's size, with as many views. Raises `DreamError` where it does not run."""
    command = [sys.executable, "-m", __name__, checkout, pair.generator, pair.remote[0].name]
    command += [cutouts, steps, threads, device]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise DreamError(f"The checkout in {checkout} does not run: {last}")
    return Peer(**json.loads(done.stdout.splitlines()[-1]))


@dataclass(frozen=True)
class Peer:
    """What was measured of it."""

    step_s: float  # the median
    peak_bytes: int  # of its process, or on the GPU


def _main(
    checkout: str, weights: str, generator: str, cutouts: str, steps: str, threads: str, device: str
) -> None:
    torch.set_num_threads(int(threads))
    program = _imported(checkout)
    on_gpu = device == "cuda"
    program.load = lambda *_, **__: _clip(device)
    program.BigGAN.from_pretrained = lambda *_, **__: _biggan(Path(weights))
    size = int(generator.rsplit("-", 1)[-1])
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
    found = Peer(statistics.median(taken[1:]), peak(torch.device(device)))  # the first step prepares
    print(json.dumps(asdict(found)))


def _imported(checkout: str) -> Any:
    """Its module of `BigSleep`."""
    sys.path.insert(0, checkout)
    for name in _NOT_NEEDED:
        _stand_in(name)
    there, torch.cuda.is_available = torch.cuda.is_available, lambda: True
    try:  # it refuses to be imported without a GPU, though it runs
        return importlib.import_module("big_sleep.big_sleep")
    finally:
        torch.cuda.is_available = there


def _biggan(weights: Path) -> Any:
    """Its generator with the weights in this folder."""
    its = importlib.import_module("big_sleep.biggan")
    model = its.BigGAN(its.BigGANConfig.from_dict(json.loads((weights / CONFIG).read_text())))
    model.load_state_dict(read_tensors(weights), strict=False)  # as it does
    return model


def _clip(device: str) -> tuple[Any, Any]:
    """Its CLIP with random weights, and what it prepares views with."""
    its = importlib.import_module("big_sleep.clip")
    clip = its.CLIP(*VIT_B_32).eval()
    if device == "cuda":
        its.convert_weights(clip)  # as it loads them there
    mean, deviation = (torch.tensor(each, device=device).view(3, 1, 1) for each in (MEAN, DEVIATION))
    return clip, lambda views: (views - mean) / deviation


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
        for each in (package, name):
            sys.modules[each].__spec__ = ModuleSpec(each, None)  # others ask whether there is one


if __name__ == "__main__":
    _main(*sys.argv[1:])
