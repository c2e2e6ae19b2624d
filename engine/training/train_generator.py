"""Trains the pocket generator as an autoencoder of drawings, and keeps their codes with its decoder.

    python -m engine.training train-generator --minutes 90

A step encodes some drawings, roughens their codes as rounding will, halves some with others cell by cell,
and pulls what the decoder makes of them towards the same pixels: L1 at three sizes and on edges, squared
error, and towards the end what the perceptor's first layers see. Every drawing's code is kept then.
"""

import argparse
import copy
import logging
from pathlib import Path
from typing import Any, ClassVar

import torch
from safetensors.torch import save_file
from torch import Tensor

from engine.pocket import generator
from engine.training import loop
from engine.training.autoencoder import Autoencoder, error, mixed, roughened, rounded, squared
from engine.training.generator_data import Drawings, read_drawings, write_json
from engine.training.likeness import Likeness
from engine.training.sources import STYLES

log = logging.getLogger(__name__)

RATE, FLOOR, WARM_UP = 2e-3, 0.02, 100  # learning rate, its share at the end, and steps up to it
SMALL, LARGE, LARGE_FROM = 8, 16, 0.6  # drawings a step, more of them for the last share of the time
HALVED, HALVED_FROM = 0.25, 0.3  # of the drawings, from this share of the time on
SQUARED, SQUARED_LAST = 7.0, 1.0  # weight of the squared error at the beginning and at the end
LIKENESS, LIKENESS_FROM, LIKENED = 0.02, 0.55, 6  # its weight, from this share on, for so many drawings
LIKENED_EVERY = 2  # steps


class Training(loop.Course):
    """The state of one training: both networks, their moving average, optimiser, clock; saved and resumed."""

    FACTS: ClassVar = (*loop.Course.FACTS, "samples", "randomness", "classes")
    model: Autoencoder
    average: Autoencoder

    def __init__(self, data: Drawings, seed: int, rate: float, device: torch.device) -> None:
        self.data, self.rate, self.device = data, rate, device
        self.rng = torch.Generator().manual_seed(seed)
        model = Autoencoder(seed).to(device)
        optimiser = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.99), weight_decay=1e-3)
        super().__init__(model, copy.deepcopy(model).requires_grad_(False), optimiser)
        self.likeness = Likeness.load().to(device).requires_grad_(False)
        self.samples = 0
        self.classes = [entry["id"] for entry in data.classes]

    @property
    def randomness(self) -> Tensor:
        """The state of the training's own generator of random numbers."""
        return self.rng.get_state()

    @randomness.setter
    def randomness(self, state: Tensor) -> None:
        self.rng.set_state(state.cpu())

    def read(self, path: Path) -> None:
        """Goes on from `path`. Raises `ValueError` if it was trained on other classes."""
        own = self.classes
        super().read(path)
        if self.classes != own:
            raise ValueError(f"{path} was trained on other classes; move it away or bring the data back.")

    def paint(self, share: float) -> dict[str, float]:
        """One step at `share` 0..1 of the time; returns the losses."""
        self.set_rate(self.rate * loop.scheduled(share, self.step, WARM_UP, FLOOR))
        count = LARGE if share >= LARGE_FROM else SMALL
        which = torch.multinomial(self.data.weights, count, replacement=True, generator=self.rng)
        wanted = self.data.read(which).to(self.device, memory_format=torch.channels_last)
        codes = roughened(self.model(wanted), self.rng)
        halved = int(HALVED * count) if share >= HALVED_FROM else 0
        if halved:
            wanted, codes = mixed(wanted, codes, halved, self.rng)
        shown = self.model.decoder(codes)
        losses = {
            "error": error(shown, wanted),
            "squared": (SQUARED + (SQUARED_LAST - SQUARED) * share) * squared(shown, wanted),
        }
        if share >= LIKENESS_FROM and self.step % LIKENED_EVERY == 0:
            losses["unlike"] = LIKENESS * self._unlike(shown[halved:][:LIKENED], wanted[halved:][:LIKENED])
        self.samples += count
        return self.learn(losses)

    def _unlike(self, shown: Tensor, wanted: Tensor) -> Tensor:
        """How differently the perceptor sees both, on plain grounds of random colours: a scalar."""
        ground = torch.rand(len(shown), 3, 1, 1, generator=self.rng).to(shown)
        both = ((x[:, :3] + (1 - x[:, 3:]) * ground) * 2 - 1 for x in (shown, wanted))
        found: Tensor = self.likeness(*both, self.rng)
        return found

    @torch.no_grad()
    def codes(self) -> Tensor:
        """All drawings' codes, int8 [N, 16, 16, 16], by the moving average."""
        numbers = torch.arange(len(self.data.pictures)).split(LARGE)
        return torch.cat(
            [rounded(self.average(self.data.read(some).to(self.device))).cpu() for some in numbers]
        )

    def export(self, folder: Path) -> None:
        """The moving average's decoder and all codes, with the classes and styles beside them."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {
            name: value.half().contiguous() for name, value in self.average.decoder.state_dict().items()
        }
        tensors |= {"codes": self.codes(), "number": self.data.number}
        path = folder / "model.safetensors"
        save_file({name: value.cpu() for name, value in tensors.items()}, path.with_suffix(".new"))
        path.with_suffix(".new").chmod(0o644)  # the library writes it for its owner alone
        path.with_suffix(".new").replace(path)
        config = {"model_type": generator.KIND, "num_classes": len(self.classes), "styles": list(STYLES)}
        write_config(folder / "config.json", config)
        write_json(folder / "classes.json", self.data.classes)


def write_config(path: Path, config: dict[str, Any]) -> None:
    """A configuration as the engine reads it."""
    import json

    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def main(argv: list[str] | None = None) -> int:
    """Train, or go on with a training that was stopped. Returns the exit code."""
    parser = loop.options(
        "train-generator", __doc__, minutes=90.0, threads=1, rate=RATE, seed=1, device="cpu", every=3.0
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--out", type=Path, default=Path(".training/generator"), help="the checkpoint's folder"
    )
    parser.add_argument("--export", type=Path, default=Path(".training/export/generator"))
    parser.add_argument("--limit", type=int, default=None, help="only so many classes, familiar ones first")
    options = parser.parse_args(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    with loop.logged(options.out / "generator.log", options.threads):
        train(options)
    return 0


def train(options: argparse.Namespace) -> None:
    """Train until the time is over, with a checkpoint now and then; then export."""
    data = read_drawings(options.data, options.limit)
    training = Training(data, options.seed, options.rate, torch.device(options.device))
    checkpoint = options.out / "checkpoint.pt"
    if checkpoint.exists():
        training.read(checkpoint)
    parameters = sum(p.numel() for p in training.model.parameters()) / 1e6
    log.info("%d classes, %d drawings, %.2f M parameters", len(data.classes), len(data.pictures), parameters)
    plan = loop.Plan(
        "generator",
        options.minutes * 60,
        keep=lambda: training.write(checkpoint),
        every_s=options.every * 60,
    )
    loop.run(training, training.paint, plan)
    training.write(checkpoint)
    training.export(options.export)
    log.info("done: %d samples in %.1f minutes", training.samples, training.seconds / 60)
