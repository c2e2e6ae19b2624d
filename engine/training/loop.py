"""The loop that all trainings run through: steps, their rate, the average of the weights, a log, checkpoints.

A training brings a `Course`, which is all that it has to remember, and a function that does one step.
"""

import argparse
import contextlib
import itertools
import logging
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from statistics import fmean
from typing import Any, ClassVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.optim import Optimizer
from tqdm import tqdm

from engine.training.data import DEFAULT_FOLDER

log = logging.getLogger(__name__)

EMA = 0.998  # a step; less at the beginning
WEIGHT_DECAY = 0.05
LINE_EVERY = 100  # steps between lines in the log
PATIENCE = 20  # steps in a row that may come to nothing

_OPTIONS: dict[str, tuple[Callable[[str], Any], str]] = {
    "data": (Path, "folder of the pictures (%(default)s)"),
    "weights": (Path, "a perceptor's folder"),
    "minutes": (float, "training time in all, resumed parts too (%(default)s)"),
    "batch": (int, "pictures a step and process (%(default)s)"),
    "rate": (float, "highest learning rate (%(default)s)"),
    "threads": (int, "CPU threads (%(default)s)"),
    "device": (str, "cpu or cuda (%(default)s)"),
    "seed": (int, "(%(default)s)"),
    "every": (float, "minutes between snapshots (%(default)s)"),
}


def options(command: str, description: str | None, **defaults: Any) -> argparse.ArgumentParser:
    """The parser of `python -m engine.training COMMAND` with --data and the options that `defaults` names.

    An option whose default is None must be given.
    """
    parser = argparse.ArgumentParser(f"python -m engine.training {command}", description=description)
    for name, default in ({"data": DEFAULT_FOLDER} | defaults).items():
        kind, sentence = _OPTIONS[name]
        parser.add_argument(f"--{name}", type=kind, default=default, required=default is None, help=sentence)
    return parser


@contextlib.contextmanager
def logged(path: Path, threads: int, *, quiet: bool = False) -> Iterator[None]:
    """Compute with so many `threads`, and log the trainings to stderr and to the end of `path`.

    `quiet`: warnings alone, and no file.
    """
    torch.set_num_threads(threads)
    trainings = logging.getLogger(__package__)
    trainings.setLevel(logging.WARNING if quiet else logging.INFO)
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    if not quiet:
        handlers.append(logging.FileHandler(path))
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        trainings.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            trainings.removeHandler(handler)
            handler.close()


class Course:
    """A training with all that its checkpoint keeps: `PARTS` by their state, `FACTS` as they are.

    Of its subclasses each names what it keeps besides.
    """

    PARTS: ClassVar[tuple[str, ...]] = ("model", "average", "optimiser")
    FACTS: ClassVar[tuple[str, ...]] = ("step", "seconds")

    def __init__(
        self, model: nn.Module, average: nn.Module | None, *optimisers: Optimizer, longest: float = 1.0
    ) -> None:
        """`average`: follows the weights of `model`; `longest`: a step's gradients are shortened to it."""
        self.model, self.average, self.optimisers, self.longest = model, average, optimisers, longest
        self.step = 0
        self.seconds = 0.0  # of training
        self.in_vain = 0  # how many of the last steps came to nothing

    @property
    def optimiser(self) -> Optimizer:
        """The first optimiser."""
        return self.optimisers[0]

    def write(self, path: Path) -> None:
        """Keep everything; the file appears whole. Raises `OSError`."""
        state = {name: attrgetter(name)(self).state_dict() for name in self.PARTS}
        torch.save(state | {name: getattr(self, name) for name in self.FACTS}, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)

    def read(self, path: Path) -> None:
        """Take up what `write` kept. Raises `OSError`, `KeyError`, `RuntimeError`."""
        device = next(self.model.parameters()).device
        state = torch.load(path, map_location=device, weights_only=True)
        for name in self.PARTS:
            attrgetter(name)(self).load_state_dict(state[name])
        for name in self.FACTS:
            setattr(self, name, state[name])

    def set_rate(self, rate: float) -> None:
        """Learn at this rate, each group of parameters by its `factor`."""
        for group in self._groups():
            group["lr"] = rate * group.get("factor", 1.0)

    def descend(self, loss: Tensor, ema: float = EMA) -> bool:
        """One step down from `loss`, a scalar, of the mean of all processes; the average moves along.

        Whether there was one: where the gradients are not finite the step is left out. Raises
        `FloatingPointError` where that happens again and again.
        """
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        loss.backward()
        parameters = [p for group in self._groups() for p in group["params"]]
        _average_gradients(parameters)
        if not bool(nn.utils.clip_grad_norm_(parameters, self.longest).isfinite()):
            self.in_vain += 1
            log.warning("step %d: the loss is %s; step left out", self.step, loss.item())
            if self.in_vain > PATIENCE:
                raise FloatingPointError(f"{PATIENCE} steps came to nothing; the last kept is a better one")
            return False
        for optimiser in self.optimisers:
            optimiser.step()
        self.step, self.in_vain = self.step + 1, 0
        if self.average is not None:
            follow(self.average, self.model, min(ema, (1 + self.step) / (10 + self.step)))
        return True

    def learn(self, losses: Mapping[str, Tensor]) -> dict[str, float]:
        """`descend` from the sum of `losses`, scalars; returns them as numbers, none where it was in vain."""
        if not self.descend(torch.stack(list(losses.values())).sum()):
            return {}
        return {name: float(value.detach()) for name, value in losses.items()}

    def _groups(self) -> list[dict[str, Any]]:
        return [group for optimiser in self.optimisers for group in optimiser.param_groups]


@dataclass(frozen=True)
class Plan:
    """How far a training goes, and what is done on the way."""

    name: str  # in the log, and before the progress bar
    total: float  # of the course's `counted`
    counted: str = "seconds"  # or "step", "pictures": which of the course's facts
    keep: Callable[[], None] | None = None  # writes a snapshot
    every_s: float = math.inf  # between snapshots
    quiet: bool = False  # no progress bar


def run(
    course: Course,
    step: Callable[[float], Mapping[str, float]],
    plan: Plan,
    until: Callable[[], bool] = lambda: False,
) -> None:
    """Steps until the plan's total is used up, or `until` says so.

    `step` is told the share of the total that is over, 0..1, and returns what it measured, by name. Every
    `LINE_EVERY` steps and at the end the log has the means.
    """
    count: Callable[[Course], float] = attrgetter(plan.counted)
    recent: defaultdict[str, list[float]] = defaultdict(list)
    kept = course.seconds
    bar = tqdm(
        total=round(plan.total), initial=round(min(count(course), plan.total)), unit=plan.counted.rstrip("s"),
        desc=plan.name, mininterval=5, disable=plan.quiet,
    )  # fmt: skip
    with bar:
        while count(course) < plan.total and not until():
            began, before = time.monotonic(), course.step
            for name, value in step(min(1.0, count(course) / plan.total)).items():
                recent[name].append(value)
            if course.step != before and course.step % LINE_EVERY == 0:
                _line(course, plan.name, recent)
            if plan.keep and course.seconds - kept > plan.every_s:
                plan.keep()
                log.info("step %d: snapshot", course.step)
                kept = course.seconds
            course.seconds += time.monotonic() - began
            bar.update(round(count(course)) - bar.n)
    _line(course, plan.name, recent)


def stage(
    name: str, optimiser: Optimizer, steps: int, measure: Callable[[], tuple[Tensor, Mapping[str, float]]],
    warm_up: int = 1,
) -> None:  # fmt: skip
    """A short last stage of so many `steps`: the rate falls in a line to 0 from the optimiser's own.

    `measure` returns a step's loss, a scalar, and what the log shall tell.
    """
    rate = optimiser.param_groups[0]["lr"]
    course = Course(nn.Identity(), None, optimiser, longest=math.inf)

    def step(share: float) -> Mapping[str, float]:
        course.set_rate(rate * min(1, (course.step + 1) / warm_up) * (1 - share))
        loss, told = measure()
        return told if course.descend(loss) else {}

    run(course, step, Plan(name, steps, "step"))


def scheduled(share: float, steps: int, warm_up: int, floor: float) -> float:
    """The share of the highest rate: after `warm_up` steps from 1 at `share` 0 down to `floor` at 1.

    By a cosine (Loshchilov and Hutter 2017, SGDR).
    """
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, share)))
    return min(1.0, (steps + 1) / warm_up) * (floor + (1 - floor) * cosine)


def adam(parts: Iterable[nn.Module], rate: float) -> torch.optim.AdamW:
    """AdamW over all parameters of `parts` with CLIP's betas; only matrices and kernels decay.

    `rate`: the learning rate, above 0 (Loshchilov and Hutter 2019, Decoupled Weight Decay Regularization).
    """
    parameters = [p for part in parts for p in part.parameters()]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": WEIGHT_DECAY},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), eps=1e-6, fused=True)


@torch.no_grad()
def follow(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move `average`, of the same shapes, towards `model`: average * decay + model * (1 - decay).

    `decay` in 0..1; whole numbers, such as batch norm's counters, are copied.
    """
    targets = itertools.chain(average.parameters(), average.buffers())
    for old, new in zip(targets, itertools.chain(model.parameters(), model.buffers()), strict=True):
        if old.is_floating_point():
            old.lerp_(new, 1 - decay)
        else:
            old.copy_(new)


def _line(course: Course, name: str, recent: defaultdict[str, list[float]]) -> None:
    """Log the means of what was measured, and begin anew."""
    if recent:
        rate = course.optimiser.param_groups[0]["lr"]
        text = ", ".join(f"{what} {fmean(values):.3f}" for what, values in recent.items())
        log.info("%s, step %d, %.1f min, rate %.1e: %s", name, course.step, course.seconds / 60, rate, text)
    recent.clear()


def _average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """All processes get the mean of their gradients."""
    if not dist.is_initialized():
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.flatten() for g in gradients])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view(gradient.shape))
