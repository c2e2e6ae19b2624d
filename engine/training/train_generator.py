"""Trains the pocket generator as an auto-decoder: class and latents in, the drawing that they stand for out.

    python -m engine.training train-generator --minutes 100

Each step draws concepts, latents z ~ N(0, 1) for every layer, works out from them
which picture is meant (engine/pocket/latents_map.py) and pulls the network's answer towards it: L1 on a
pyramid of sizes and on the edges, squared error where the drawing has details, and a word against squares in
flat grounds. The first part of the time trains the blocks up to 32 px alone, through a head that is thrown
away; then a share of each batch, at last all of it, runs to the full 128 px. In some last minutes it learns
from a critic and from the perceptor's eyes, too, to make sharp what errors leave soft.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from engine.pocket import latents_map
from engine.pocket.latents_map import BACKGROUND_ROW, INKING, TINT_ROW
from engine.training import generator_net
from engine.training.critic import Critic
from engine.training.generator_data import Drawings, read_drawings, straight
from engine.training.generator_net import TrainedGenerator
from engine.training.generator_optimiser import Muon
from engine.training.generator_sheet import contact_sheet
from engine.training.likeness import Likeness
from engine.training.training import follow

STAGES = (
    (0.0, 32, 0),
    (0.55, 32, 10),
    (0.8, 32, 18),
    (0.92, 24, 24),
)  # from this share of the time: batch, of it at 128 px
KEPT_UP = 4  # of a batch at 128 px in the first stage, too, where a training goes on from another with a top
RATE, RATE_END = 1e-3, 1e-5  # learning rate, cosine between them
EMBEDDING_RATE = 1.0  # times the rate: at 5 and twice the rate the class vectors wandered about
TOP_RATE = 1.5  # times the rate, which is low when the top begins
TOP_NORM_RATE = 4.0  # likewise for what background and ink move, from nothing, in the top
WARM_UP = 40  # steps
FOLLOW_EVERY, FOLLOW = 10, 0.2  # steps between which the norms' statistics move, and how far they do
EMA = 0.998
DETAIL = 2.0  # weight of the squared error in details at 64 px, beside the pyramid at 128 px
BORDER = 4.0  # weight of the squared error of the steps between the cells of 16 px, at 32 px
JOINED = 0.7  # share of the time from which on the loss at 128 px reaches the trunk, too
REACH = 0.3  # what its gradient then counts there; whole and from its first step, it made the trunk forget
SHARPEN_BATCH, SHARPEN_RATE, SHARPEN_EMA = 24, 2e-4, 0.995
CRITIC, LIKENESS = 0.7, 1.0  # how strong these two pull beside the errors
GRID = 3.0  # weight of the steps at 4 px borders in flat grounds
HARDEST = 2.0  # a class that is badly drawn is shown up to so many times as often, a good one as seldom
DISTRACTOR, CLASS_NOISE = 0.15, 0.1  # the search's class weights are never exactly one-hot


def draw(data: Drawings, batch: int, rows: int, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Classes [B], pictures' numbers [B] and latents [B, rows, USED] of one step."""
    classes = torch.multinomial(data.weights, batch, replacement=True, generator=rng)
    z = torch.randn(batch, rows, latents_map.USED, generator=rng)
    z[:, 0] = latents_map.with_style(z[:, 0], latents_map.style_index(z[:, 0]))
    pushed = torch.rand(batch, generator=rng) < 0.2  # ink and tints, rare in N(0, 1): show more
    inky = z[:, BACKGROUND_ROW, INKING]
    z[:, BACKGROUND_ROW, INKING] = torch.where(pushed.flip(0), inky.abs() + 0.9, inky)
    point = z[:, TINT_ROW, 3:5]
    z[:, TINT_ROW, 3:5] = torch.where(pushed[:, None], point + F.normalize(point, dim=1), point)
    return classes, data.index[classes, latents_map.style_index(z[:, 0])], z


def class_vectors(table: Tensor, classes: Tensor, rows: int, rng: torch.Generator) -> Tensor:
    """Class vectors [B, rows, d] from the embedding `table` [d, classes], roughened as the search
    roughens them: weight 0.8..1, now and then a little of another class, noise in each row."""
    batch = len(classes)
    weight = 0.8 + 0.2 * torch.rand(batch, 1, generator=rng)
    other = torch.randint(table.shape[1], (batch,), generator=rng)
    share = DISTRACTOR * torch.rand(batch, 1, generator=rng)
    share = share * (torch.rand(batch, 1, generator=rng) < 0.25)
    e = table.t()[classes] * weight + table.t()[other].detach() * share  # [B, 128]
    noise = torch.randn(batch, rows, e.shape[1], generator=rng) * (CLASS_NOISE * table.detach().std(1))
    return e[:, None] + noise


def class_codes(data: Drawings, size: int) -> Tensor:
    """Class vectors [size, classes] to begin with: the principal components of what the classes look like at
    16 px in all styles, so that what looks alike begins alike (Bojanowski et al., "Optimizing the Latent
    Space of Generative Networks", 2018). Each component has the square root of its spread; mean square 1."""
    looks = F.avg_pool2d(data.coarse.float(), 2)[data.index]  # [classes, styles, 4, 16, 16]
    looks[:, :, 3] *= 1.5  # the outline counts more than each colour
    share = (data.weights / data.weights.sum())[:, None]
    looks = looks.flatten(1)
    looks = looks - (share * looks).sum(0)
    _, spread, axes = torch.linalg.svd(share.sqrt() * looks, full_matrices=False)
    codes = looks @ axes[:size].t() / spread[:size].clamp(min=1e-3 * spread[0]).sqrt()
    codes = F.pad(codes, (0, size - codes.shape[1]))
    return (codes / codes.square().mean().sqrt()).t()


def coarse_target(values: Tensor, z: Tensor) -> Tensor:
    """Premultiplied tinted RGB and coverage [B, 4, 32, 32] that the trunk's head should show for the drawings
    `values`, such as `shrink` makes them."""
    values = values.float()
    cover = values[:, 3:]
    tinted = latents_map.tint(values[:, :3] / cover.clamp(min=1 / 255), cover, z[:, TINT_ROW])
    return torch.cat((tinted * cover, cover), dim=1)


def full_target(pictures: Tensor, z: Tensor) -> Tensor:
    """Pictures [B, 3, 128, 128] in -1..1: the drawings `pictures`, straight uint8 [B, 128, 128, 4], tinted,
    inked, on their backgrounds."""
    colours, cover = straight(pictures)
    colours = latents_map.tint(colours, cover, z[:, TINT_ROW])
    strength = latents_map.inking(z[:, BACKGROUND_ROW])
    (some,) = strength.nonzero(as_tuple=True)
    colours[some] = colours[some].lerp(
        latents_map.ink(colours[some], cover[some]), strength[some, None, None, None]
    )
    ground = latents_map.background(z[:, BACKGROUND_ROW], colours.shape[2])
    return (colours * cover + ground * (1 - cover)) * 2 - 1


def pyramid_loss(shown: Tensor, wanted: Tensor, levels: int, edges: float) -> Tensor:
    """Mean L1 over `levels` sizes, each half the one before, plus `edges` times that of the differences
    between neighbours at the largest size."""
    loss = torch.zeros(())
    if edges:
        across = (shown[..., 1:] - shown[..., :-1]) - (wanted[..., 1:] - wanted[..., :-1])
        down = (shown[..., 1:, :] - shown[..., :-1, :]) - (wanted[..., 1:, :] - wanted[..., :-1, :])
        loss = edges * (across.abs().mean() + down.abs().mean())
    for level in range(levels):
        if level:
            shown, wanted = F.avg_pool2d(shown, 2), F.avg_pool2d(wanted, 2)
        loss = loss + (shown - wanted).abs().mean()
    return loss


def detail_loss(shown: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared error, up to five times as heavy where `wanted` [B, C, H, W] differs from its
    surroundings: absolute errors alone leave out an eye, for the median of what may be there is the face."""
    around = F.avg_pool2d(wanted, 7, 1, 3, count_include_pad=False)
    strength = (wanted - around).abs().mean(1, keepdim=True)
    weight = 1 + (strength / (strength.mean() + 1e-3)).clamp(max=4)
    return (weight * (shown - wanted).square()).mean() / 2


def border_loss(shown: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared error [B, C, 32, 32] of the steps at every second pixel, where a cell of 16 px meets the
    next: the network's way up repeats each cell, and what remains of that is seen as squares."""
    error = shown - wanted
    across = error[..., 2::2] - error[..., 1:-1:2]
    down = error[..., 2::2, :] - error[..., 1:-1:2, :]
    return across.square().mean() + down.square().mean()


def grid_loss(shown: Tensor, wanted: Tensor) -> Tensor:
    """Mean step of `shown` [B, 3, H, W] at every fourth pixel, where the cells of the smaller sizes meet,
    counted where `wanted` is flat: an edge loss takes a step for as good as a slope."""
    loss = torch.zeros(())
    for dim in (2, 3):
        length = shown.shape[dim]
        before, after = torch.arange(3, length - 1, 4), torch.arange(4, length, 4)
        step = shown.index_select(dim, after) - shown.index_select(dim, before)
        flat = (wanted.index_select(dim, after) - wanted.index_select(dim, before)).abs() < 0.03
        loss = loss + (step.abs() * flat).mean()
    return loss


def full_loss(shown: Tensor, wanted: Tensor, losses: dict[str, float]) -> Tensor:
    """What pictures [B, 3, 128, 128] in -1..1 cost, a scalar; notes its parts in `losses`."""
    fine, grid = pyramid_loss(shown, wanted, 4, 1.0), grid_loss(shown, wanted)
    losses["fine"], losses["grid"] = fine.item(), grid.item()
    details = detail_loss(F.avg_pool2d(shown, 2), F.avg_pool2d(wanted, 2))
    return fine + DETAIL * details + GRID * grid


class Training:
    """The state of one training: network, its moving average, optimiser, clock; saved and resumed whole."""

    def __init__(self, data: Drawings, width: int, seed: int, rate: float) -> None:
        self.data = data
        self.rng = torch.Generator().manual_seed(seed)
        self.config = generator_net.configuration(len(data.classes), width)
        self.model = TrainedGenerator(self.config, self.rng)
        with torch.no_grad():
            codes = class_codes(data, len(self.model.table()))
            parts = codes.split([self.config.z_dim, len(self.model.tail)])
            for part, values in zip((self.model.net.embeddings.weight, self.model.tail), parts, strict=True):
                part.copy_(values)
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        self.rate = rate
        table = [self.model.net.embeddings.weight, self.model.tail]
        top = self.model.top_convolutions()
        top_norms = self.model.top_norms()
        apart = {id(parameter) for parameter in (*table, *top, *top_norms)}
        rest = [parameter for parameter in self.model.parameters() if id(parameter) not in apart]
        kernels = [parameter for parameter in rest if parameter.ndim == 4 and parameter.shape[0] > 4]
        turned = {id(parameter) for parameter in kernels}
        rest = [parameter for parameter in rest if id(parameter) not in turned]
        self.muon = Muon([{"params": kernels, "factor": 1.0}], rate)
        self.optimiser = torch.optim.Adam(
            [
                {"params": rest, "factor": 1.0},
                {"params": top, "factor": TOP_RATE},
                {"params": table, "factor": EMBEDDING_RATE},
                {"params": top_norms, "factor": TOP_NORM_RATE},
            ],
            lr=rate,
            betas=(0.9, 0.99),
            fused=True,
        )
        self.critic = Critic(seed)
        self.likeness = Likeness.load()
        self.rows = len(self.config.layers) + 1
        self.elapsed_s, self.steps, self.samples = 0.0, 0, 0
        self.warming_since = 0  # the step at which a part of the network was new
        self.hardness = torch.ones(len(data.classes))  # running error of each class, relative to the mean

    def step(self, share: float) -> dict[str, float]:
        """One step at `share` 0..1 of the time; returns the losses."""
        _, batch, full = max(stage for stage in STAGES if stage[0] <= share)
        if self.model.top_begun:
            full = max(full, KEPT_UP)
        begins = self._begin(full)
        share_seen = 0.0 if self.steps % FOLLOW_EVERY else FOLLOW
        self._set_rate(share, self.rate, RATE_END)
        classes, numbers, z, e = self._drawn(batch)
        losses: dict[str, float] = {}
        with torch.autocast("cpu", torch.bfloat16):
            features = self.model.trunk(z, e, share_seen)
            seen = self.model.coarse(features).float()
        coarse = self._coarse_loss(classes, numbers, z, seen, losses)
        loss = coarse if full < batch else 0.3 * coarse
        if full:
            with torch.autocast("cpu", torch.bfloat16):
                below = features[:full].detach()
                if share >= JOINED:
                    below = torch.lerp(below, features[:full], REACH)
                shown = self.model.top(below, z[:full], e[:full], share_seen)
            wanted = full_target(self.data.pictures[numbers[:full]], z[:full])
            loss = loss + full_loss(shown, wanted, losses)
        if not math.isfinite(float(loss.item())):
            raise FloatingPointError(f"the loss is {loss.item()} at step {self.steps}")
        self._descend(loss)
        if begins:
            self.average.load_state_dict(self.model.state_dict())
        self.samples += batch
        follow(self.average, self.model, min(EMA, (1 + self.steps) / (10 + self.steps)))
        return losses

    def settle(self) -> None:
        """Goes on from the moving average, which is better than the last step's weights."""
        self.model.load_state_dict(self.average.state_dict())
        self.warming_since = self.steps

    def sharpen(self, share: float) -> dict[str, float]:
        """One step towards drawings, past the critic and before the perceptor's eyes; at `share` 0..1 of that
        time. Needs a top that has begun; the norms' statistics stay. Returns the losses."""
        self._set_rate(share, SHARPEN_RATE, 0.02 * SHARPEN_RATE)
        classes, numbers, z, e = self._drawn(SHARPEN_BATCH)
        losses: dict[str, float] = {}
        with torch.autocast("cpu", torch.bfloat16):
            features = self.model.trunk(z, e)
            seen = self.model.coarse(features).float()
            shown = self.model.top(torch.lerp(features.detach(), features, REACH), z, e)
        wanted = full_target(self.data.pictures[numbers], z)
        (pull,) = torch.autograd.grad(full_loss(shown, wanted, losses), shown, retain_graph=True)
        leaf = shown.detach().requires_grad_()
        unlike = self.likeness(leaf, wanted, self.rng)
        losses["unlike"], losses["critic"] = unlike.item(), self.critic.learn(wanted, shown)
        (likened,) = torch.autograd.grad(unlike, leaf)
        strength = pull.norm()
        for weight, push in ((LIKENESS, likened), (CRITIC, self.critic.pull(shown))):
            pull = pull + weight * strength / (push.norm() + 1e-12) * push
        if not pull.isfinite().all():
            raise FloatingPointError(f"a gradient is not finite at step {self.steps}")
        self._descend((shown * pull).sum() + 0.3 * self._coarse_loss(classes, numbers, z, seen, losses))
        self.samples += len(z)
        follow(self.average, self.model, SHARPEN_EMA)
        return losses

    def _coarse_loss(
        self, classes: Tensor, numbers: Tensor, z: Tensor, seen: Tensor, losses: dict[str, float]
    ) -> Tensor:
        """What the head's pictures [B, 4, 32, 32] cost, a scalar; notes its first part, and which classes
        are hard."""
        wanted = coarse_target(self.data.coarse[numbers], z)
        coarse = pyramid_loss(seen, wanted, 3, 0.5)
        losses["coarse"] = coarse.item()
        self._judge(classes, (seen - wanted).detach().abs().mean((1, 2, 3)))
        coarse = coarse + BORDER * border_loss(seen, wanted)
        return coarse + 4 * detail_loss(seen, wanted)  # L1 alone stays brown for long: the median of all

    def _drawn(self, batch: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Classes [B], pictures' numbers [B], latents [B, rows, USED] and class vectors [B, rows, 243]."""
        weights = self.data.weights * self.hardness.clamp(1 / HARDEST, HARDEST)
        classes, numbers, z = draw(replace(self.data, weights=weights), batch, self.rows, self.rng)
        return (
            classes,
            numbers,
            z,
            class_vectors(self.model.table(), classes, self.rows, self.rng),
        )

    def _descend(self, loss: Tensor) -> None:
        """One step of all parameters that `loss` reaches."""
        self.optimiser.zero_grad(set_to_none=True)
        self.muon.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.muon.step()
        self.steps += 1

    def _judge(self, classes: Tensor, errors: Tensor) -> None:
        """Takes the `errors` [B] of a step's classes into the running ones, which set how often each is
        shown."""
        relative = errors / errors.mean()
        self.hardness[classes] += 0.15 * (relative - self.hardness[classes])

    @torch.no_grad()
    def _begin(self, full: int) -> bool:
        """Makes a part that is about to be trained for the first time ready; whether there was one."""
        top = full > 0 and not self.model.top_begun
        if self.steps and not top:
            return False
        classes, _, z = draw(self.data, 64, self.rows, self.rng)
        e = class_vectors(self.model.table(), classes, self.rows, self.rng)
        if not self.steps:
            self.model.trunk(z, e, measure=1.0)
        if top:
            note(f"the top begins; the head is {self.model.start_top(z, e):.0%} of one pixel's features")
        self.warming_since = self.steps
        return True

    def _set_rate(self, share: float, rate: float, rate_end: float) -> None:
        """A cosine from `rate` to `rate_end`, at `share` 0..1 of it, after a warm-up."""
        rate = rate_end + (rate - rate_end) * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
        rate *= min(1.0, (self.steps + 1 - self.warming_since) / WARM_UP)
        for group in (*self.optimiser.param_groups, *self.muon.param_groups):
            group["lr"] = rate * group["factor"]

    def save(self, path: Path) -> None:
        """Writes everything that a later process needs to go on."""
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "muon": self.muon.state_dict(),
            "critic": self.critic.state_dict(),
            "critic's optimiser": self.critic.optimiser.state_dict(),
            "hardness": self.hardness,
            "rng": self.rng.get_state(),
            "clock": [self.elapsed_s, self.steps, self.samples, self.warming_since],
            "classes": [entry["id"] for entry in self.data.classes],
        }
        temporary = path.with_suffix(".tmp")
        torch.save(state, temporary)
        temporary.replace(path)

    def resume(self, path: Path) -> None:
        """Goes on from `path`. Raises ValueError if it was trained on other classes."""
        state = torch.load(path, weights_only=True)
        self._check_classes(state, path)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        for optimiser, name in ((self.optimiser, "optimiser"), (self.muon, "muon")):
            factors = [group["factor"] for group in optimiser.param_groups]
            optimiser.load_state_dict(state[name])
            for group, factor in zip(optimiser.param_groups, factors, strict=True):
                group["factor"] = factor  # this run's, not the saved one's
        if "critic" in state:
            self.critic.load_state_dict(state["critic"])
            self.critic.optimiser.load_state_dict(state["critic's optimiser"])
        self.hardness = state["hardness"]
        self.rng.set_state(state["rng"])
        self.elapsed_s, self.steps, self.samples, self.warming_since = state["clock"]

    def _check_classes(self, state: dict[str, Any], path: Path) -> None:
        if state["classes"] != [entry["id"] for entry in self.data.classes]:
            raise ValueError(f"{path} was trained on other classes; move it away or bring the data back")

    def start(self, path: Path) -> None:
        """Begins with what another training's network knew at `path`, its moving average; all else is fresh.
        Raises ValueError as `resume` does."""
        state = torch.load(path, weights_only=True)
        self._check_classes(state, path)
        self.model.load_state_dict(state["average"])
        self.average.load_state_dict(state["average"])
        self.hardness = state["hardness"]
        self.steps = self.warming_since = state["clock"][1]

    def export(self, folder: Path) -> None:
        """The moving average in the package's format, with the classes and styles beside it."""
        generator_net.export(self.average.net.state_dict(), self.average.tail, self.config, folder)
        write_json(folder / "classes.json", self.data.classes)
        write_json(folder / "styles.json", [*latents_map.STYLES, latents_map.INKED])


def write_json(path: Path, values: list[Any]) -> None:
    """One entry a line, so that a change shows as a line."""
    lines = ",\n".join(json.dumps(value, ensure_ascii=False) for value in values)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def note(text: str) -> None:
    print(f"{datetime.now():%Y-%m-%d %H:%M:%S} {text}", flush=True)


def main(argv: list[str]) -> int:
    """Train, or go on with a training that was stopped. Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m engine.training train-generator", description="Train the small BigGAN."
    )
    parser.add_argument("--data", type=Path, default=Path(".training"), help="where pictures.npy lies")
    parser.add_argument("--out", type=Path, default=Path(".training/generator"), help="checkpoint and sheets")
    parser.add_argument("--export", type=Path, default=Path(".training/export/generator"))
    parser.add_argument("--minutes", type=float, default=100, help="training time in all, resumed parts too")
    parser.add_argument("--sharpen", type=float, default=40, help="minutes of it with the critic, at the end")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=Path, help="another training's checkpoint to begin with")
    parser.add_argument("--limit", type=int, default=None, help="only so many classes, familiar ones first")
    parser.add_argument("--sheet-every", type=float, default=3, help="minutes between sheets and saves")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    arguments.out.mkdir(parents=True, exist_ok=True)
    note("reading the pictures")
    data = read_drawings(arguments.data, arguments.limit)
    training = Training(data, arguments.width, arguments.seed, arguments.rate)
    checkpoint = arguments.out / "checkpoint.pt"
    if checkpoint.exists():
        training.resume(checkpoint)
    elif arguments.start:
        training.start(arguments.start)
    parameters = sum(p.numel() for p in training.model.net.parameters())
    note(f"{len(data.classes)} classes, {len(data.pictures)} pictures, {parameters / 1e6:.2f} M parameters")
    run(training, arguments, checkpoint)
    return 0


def run(training: Training, arguments: argparse.Namespace, checkpoint: Path) -> None:
    """Trains until the time is over, with a line every half minute and a sheet, a save and an export now
    and then."""
    budget_s, last_s = arguments.minutes * 60, min(arguments.sharpen, arguments.minutes) * 60
    first_s = budget_s - last_s
    sums: dict[str, list[float]] = {}
    said = shown = training.elapsed_s
    said_samples = training.samples
    sharpened = False
    bar = tqdm(total=round(budget_s), initial=round(training.elapsed_s), unit="s", disable=None)
    while training.elapsed_s < budget_s:
        start = time.perf_counter()
        sharpening = training.elapsed_s >= first_s and bool(training.model.top_begun)
        if sharpening:
            if not sharpened:
                training.settle()
                sharpened = True
            losses = training.sharpen((training.elapsed_s - first_s) / last_s)
        else:
            losses = training.step(min(1.0, training.elapsed_s / max(first_s, 1e-9)))
        for name, value in losses.items():
            sums.setdefault(name, []).append(value)
        training.elapsed_s += time.perf_counter() - start
        bar.update(round(training.elapsed_s) - bar.n)
        if training.elapsed_s - said >= 30:
            pace = (training.samples - said_samples) / (training.elapsed_s - said)
            means = " ".join(f"{name} {sum(v) / len(v):.4f}" for name, v in sums.items())
            note(f"{training.elapsed_s / 60:5.1f} min step {training.steps} {pace:.0f}/s {means}")
            said, said_samples, sums = training.elapsed_s, training.samples, {}
        if training.elapsed_s - shown >= arguments.sheet_every * 60:
            start = time.perf_counter()
            training.save(checkpoint)
            contact_sheet(training.average, training.data, bool(training.model.top_begun), arguments.out)
            if bool(training.model.top_begun):
                training.export(arguments.export)
            training.elapsed_s += time.perf_counter() - start
            shown = training.elapsed_s
    bar.close()
    training.save(checkpoint)
    training.export(arguments.export)
    contact_sheet(training.average, training.data, bool(training.model.top_begun), arguments.out)
    note(f"done: {training.samples} samples in {training.elapsed_s / 60:.1f} minutes")
