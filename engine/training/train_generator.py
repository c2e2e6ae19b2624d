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
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.pocket import latents_map
from engine.pocket.latents_map import BACKGROUND_ROW, INKING, TINT_ROW
from engine.training import generator_net, loop
from engine.training.critic import Critic
from engine.training.generator_data import Drawings, read_drawings, straight
from engine.training.generator_net import TrainedGenerator
from engine.training.generator_optimiser import Muon
from engine.training.generator_sheet import contact_sheet
from engine.training.likeness import Likeness

log = logging.getLogger(__name__)

STAGES = (
    (0.0, 32, 0),
    (0.55, 32, 10),
    (0.8, 32, 18),
    (0.92, 24, 24),
)  # from this share of the time: batch, of it at 128 px
MEASURED = 64  # samples that the statistics of a new part begin with
KEPT_UP = 4  # of a batch at 128 px in the first stage, too, where a training goes on from another with a top
RATE, RATE_END = 1e-3, 1e-5  # learning rate, cosine between them
EMBEDDING_RATE = 1.0  # times the rate: at 5 and twice the rate the class vectors wandered about
TOP_RATE = 1.5  # times the rate, which is low when the top begins
TOP_NORM_RATE = 4.0  # likewise for what background and ink move, from nothing, in the top
WARM_UP = 40  # steps
FOLLOW_EVERY, FOLLOW = 10, 0.2  # steps between which the norms' statistics move, and how far they do
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


class Training(loop.Course):
    """The state of one training: network, its moving average, optimisers, clock; saved and resumed whole."""

    PARTS: ClassVar = (*loop.Course.PARTS, "muon", "critic", "critic.optimiser")
    FACTS: ClassVar = (*loop.Course.FACTS, "samples", "warming_since", "hardness", "randomness", "classes")
    model: TrainedGenerator
    average: TrainedGenerator

    def __init__(self, data: Drawings, width: int, seed: int, rate: float) -> None:
        self.data = data
        self.rng = torch.Generator().manual_seed(seed)
        self.config = generator_net.configuration(len(data.classes), width)
        model = TrainedGenerator(self.config, self.rng)
        with torch.no_grad():
            codes = class_codes(data, len(model.table()))
            parts = codes.split([self.config.z_dim, len(model.tail)])
            for part, values in zip((model.net.embeddings.weight, model.tail), parts, strict=True):
                part.copy_(values)
        super().__init__(model, copy.deepcopy(model).requires_grad_(False), *_optimisers(model, rate))
        self.rate = rate
        self.critic = Critic(seed)
        self.likeness = Likeness.load()
        self.rows = len(self.config.layers) + 1
        self.samples = 0
        self.warming_since = 0  # the step at which a part of the network was new
        self.hardness = torch.ones(len(data.classes))  # running error of each class, relative to the mean
        self.classes = [entry["id"] for entry in data.classes]

    @property
    def muon(self) -> torch.optim.Optimizer:
        """The second optimiser, of the trunk's kernels."""
        return self.optimisers[1]

    @property
    def randomness(self) -> Tensor:
        """The state of the training's own generator of random numbers."""
        return self.rng.get_state()

    @randomness.setter
    def randomness(self, state: Tensor) -> None:
        self.rng.set_state(state)

    def paint(self, share: float) -> dict[str, float]:
        """One step at `share` 0..1 of the time; returns the losses."""
        _, batch, full = max(stage for stage in STAGES if stage[0] <= share)
        if self.model.top_begun:
            full = max(full, KEPT_UP)
        begins = self._begin(full)
        share_seen = 0.0 if self.step % FOLLOW_EVERY else FOLLOW
        self._set_pace(share, self.rate, RATE_END / self.rate)
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
        self.descend(loss)
        if begins:
            self.average.load_state_dict(self.model.state_dict())
        self.samples += batch
        return losses

    def settle(self) -> None:
        """Goes on from the moving average, which is better than the last step's weights."""
        self.model.load_state_dict(self.average.state_dict())
        self.warming_since = self.step

    def sharpen(self, share: float) -> dict[str, float]:
        """One step towards drawings, past the critic and before the perceptor's eyes; at `share` 0..1 of that
        time. Needs a top that has begun; the norms' statistics stay. Returns the losses."""
        self._set_pace(share, SHARPEN_RATE, 0.02)
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
        coarse = self._coarse_loss(classes, numbers, z, seen, losses)
        self.descend((shown * pull).sum() + 0.3 * coarse, SHARPEN_EMA)
        self.samples += len(z)
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

    def _judge(self, classes: Tensor, errors: Tensor) -> None:
        """Takes the `errors` [B] of a step's classes into the running ones, which set how often each is
        shown."""
        relative = errors / errors.mean()
        self.hardness[classes] += 0.15 * (relative - self.hardness[classes])

    @torch.no_grad()
    def _begin(self, full: int) -> bool:
        """Makes a part that is about to be trained for the first time ready; whether there was one."""
        top = full > 0 and not self.model.top_begun
        if self.step and not top:
            return False
        classes, _, z = draw(self.data, MEASURED, self.rows, self.rng)
        e = class_vectors(self.model.table(), classes, self.rows, self.rng)
        if not self.step:
            self.model.trunk(z, e, measure=1.0)
        if top:
            log.info(
                "the top begins; the head is %.0f %% of one pixel's features",
                100 * self.model.start_top(z, e),
            )
        self.warming_since = self.step
        return True

    def _set_pace(self, share: float, rate: float, floor: float) -> None:
        """The rate at `share` 0..1 of a time, from `rate` down to `floor` of it, after a warm-up."""
        self.set_rate(rate * loop.scheduled(share, self.step - self.warming_since, WARM_UP, floor))

    def read(self, path: Path) -> None:
        """Goes on from `path`. Raises `ValueError` if it was trained on other classes."""
        self._check_classes(path)
        factors = [group["factor"] for group in self._groups()]
        super().read(path)
        for group, factor in zip(self._groups(), factors, strict=True):
            group["factor"] = factor  # this run's, not the saved one's

    def start(self, path: Path) -> None:
        """Begins with what another training's network knew at `path`, its moving average; all else is fresh.
        Raises `ValueError` as `read` does."""
        state = self._check_classes(path)
        self.model.load_state_dict(state["average"])
        self.average.load_state_dict(state["average"])
        self.hardness = state["hardness"]
        self.step = self.warming_since = state["step"]

    def _check_classes(self, path: Path) -> dict[str, Any]:
        state: dict[str, Any] = torch.load(path, weights_only=True)
        if state["classes"] != self.classes:
            raise ValueError(f"{path} was trained on other classes; move it away or bring the data back")
        return state

    def export(self, folder: Path) -> None:
        """The moving average in the package's format, with the classes and styles beside it."""
        generator_net.export(self.average.net.state_dict(), self.average.tail, self.config, folder)
        write_json(folder / "classes.json", self.data.classes)
        write_json(folder / "styles.json", [*latents_map.STYLES, latents_map.INKED])


def write_json(path: Path, values: list[Any]) -> None:
    """One entry a line, so that a change shows as a line."""
    lines = ",\n".join(json.dumps(value, ensure_ascii=False) for value in values)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def _optimisers(model: TrainedGenerator, rate: float) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
    """Adam, and Muon for the trunk's kernels; each group learns at `factor` times the rate."""
    table = [model.net.embeddings.weight, model.tail]
    top, top_norms = model.top_convolutions(), model.top_norms()
    apart = {id(parameter) for parameter in (*table, *top, *top_norms)}
    trunk = [parameter for parameter in model.parameters() if id(parameter) not in apart]
    kernels = [parameter for parameter in trunk if parameter.ndim == 4 and parameter.shape[0] > 4]
    turned = {id(parameter) for parameter in kernels}
    adam = torch.optim.Adam(
        [
            {"params": [parameter for parameter in trunk if id(parameter) not in turned], "factor": 1.0},
            {"params": top, "factor": TOP_RATE},
            {"params": table, "factor": EMBEDDING_RATE},
            {"params": top_norms, "factor": TOP_NORM_RATE},
        ],
        lr=rate,
        betas=(0.9, 0.99),
        fused=True,
    )
    return adam, Muon([{"params": kernels, "factor": 1.0}], rate)


def main(argv: list[str] | None = None) -> int:
    """Train, or go on with a training that was stopped. Returns the exit code."""
    parser = loop.options(
        "train-generator", "Train the small BigGAN.", minutes=100.0, threads=1, rate=RATE, seed=1
    )
    parser.add_argument("--out", type=Path, default=Path(".training/generator"), help="checkpoint and sheets")
    parser.add_argument("--export", type=Path, default=Path(".training/export/generator"))
    parser.add_argument("--sharpen", type=float, default=40, help="minutes of it with the critic, at the end")
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--start", type=Path, help="another training's checkpoint to begin with")
    parser.add_argument("--limit", type=int, default=None, help="only so many classes, familiar ones first")
    parser.add_argument("--sheet-every", type=float, default=3, help="minutes between sheets and saves")
    options = parser.parse_args(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    with loop.logged(options.out / "generator.log", options.threads):
        train(options)
    return 0


def train(options: argparse.Namespace) -> None:
    """Train until the time is over, with a sheet, a checkpoint and an export now and then."""
    data = read_drawings(options.data, options.limit)
    training = Training(data, options.width, options.seed, options.rate)
    checkpoint = options.out / "checkpoint.pt"
    if checkpoint.exists():
        training.read(checkpoint)
    elif options.start:
        training.start(options.start)
    parameters = sum(p.numel() for p in training.model.net.parameters()) / 1e6
    log.info("%d classes, %d pictures, %.2f M parameters", len(data.classes), len(data.pictures), parameters)
    total, last = options.minutes * 60, min(options.sharpen, options.minutes) * 60
    first = total - last

    def keep() -> None:
        training.write(checkpoint)
        full = bool(training.model.top_begun)
        contact_sheet(training.average, data, full, options.out)
        if full:
            training.export(options.export)

    def paint(_: float) -> dict[str, float]:
        return training.paint(min(1.0, training.seconds / max(first, 1e-9)))

    def sharpen(_: float) -> dict[str, float]:
        return training.sharpen((training.seconds - first) / last)

    plan = loop.Plan("generator", total, keep=keep, every_s=options.sheet_every * 60)
    loop.run(training, paint, plan, lambda: training.seconds >= first and bool(training.model.top_begun))
    if training.seconds < total:
        training.settle()
    loop.run(training, sharpen, plan)
    keep()
    training.export(options.export)
    log.info("done: %d samples in %.1f minutes", training.samples, training.seconds / 60)
