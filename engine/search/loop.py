"""The loop: BigSleep, one small value a step. Knows nobody: whoever listens shows, saves, or stops asking.

The algorithm is Ryan Murdock's (2021) as in lucidrains/big-sleep 0.9.1: the latents of BigGAN are moved by
Adam so that random views of the picture come closer to the text in CLIP's space; an exponential moving
average of the latents makes the picture that is shown. What recipes do differently is in `DreamSettings`.
"""

import logging
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace

import torch
from torch import Tensor

from engine.errors import BadRequest, Collapsed, is_out_of_memory
from engine.models.generator import Generator
from engine.models.perceptor import Perceptor
from engine.search import canvas, cutouts, start
from engine.search.adam import Adam, Moments
from engine.search.guard import Guard
from engine.search.latents import Basis, LatentAverage, Latents
from engine.search.objective import class_term, cosine_score, latent_term
from engine.search.recipes import checked
from engine.search.search import Search
from engine.search.state import State
from engine.sentences import Key

log = logging.getLogger(__name__)

LAST_RATE = 0.1  # of the first, at the end of a cosine schedule
FP16_SCALE = 1024.0  # keeps small gradients above half precision's smallest number


@dataclass(frozen=True)
class Look:
    """A shown picture and its score on fixed views, which the optimiser never draws."""

    step: int
    picture: Tensor  # [3, h, w], -1..1, detached
    score: float  # 100 × weighted mean cosine (engine.search.objective)
    latents: Latents | Basis = field(repr=False)  # that made it


@dataclass(frozen=True)
class Step:
    """One step done."""

    step: int  # 1..steps
    latest: Look
    best: Look  # the highest score so far
    kept: Look  # the one that would be the dream's, were this its last step: the best or the latest
    notes: tuple[str, ...]  # what happened to the search so far that is worth telling
    _run: "_Run" = field(repr=False, compare=False)

    def state(self) -> State:
        """Where the search stands, to be asked before the next step. Its model, prompt and seed are blank."""
        return self._run.state()

    def picture(self) -> Tensor:
        """What the search would show now [3, h, w], -1..1, to be asked before the next step; unscored."""
        return self.latest.picture if self.latest.step == self.step else self._run.picture()


def dream(
    generator: Generator,
    perceptor: Perceptor,
    search: Search,
    device: torch.device,
    atlas: Tensor | None = None,
    chunk: int = 0,
) -> Iterator[Step]:
    """Search for the picture: finds the start, then `search.settings.steps` steps at most.

    A search that begins where a state was saved yields its step first again, and its randomness goes on.
    `atlas` [classes, d] of `engine.search.atlas.make` is needed for a start by the atlas. `chunk` is how many
    views the perceptor sees at once (0: all); it changes the memory that a step needs, and the picture by no
    more than rounding. Where memory runs out it is halved. The search has as many panels as the generator.

    When a number stops being finite, even after going back to the best picture where the settings' guard is
    on, the search ends with what it has. Raises `Collapsed` if that is nothing, `BadRequest` for targets
    without a positive weight and for a state that is of another search.
    """
    if isinstance(search.begin, State):
        yield from _Run.resumed(generator, perceptor, search, device, chunk, search.begin).steps()
        return
    settings, rng = search.settings, torch.Generator().manual_seed(search.seed)
    latents: Latents | Basis
    if search.begin is not None:
        latents = Latents.of(search.begin, settings.max_classes, settings.class_temperature)
    elif settings.start == "blind":
        latents = Latents.blind(generator.rows, generator.z_dim, generator.classes, rng)
        latents.max_classes, latents.class_temperature = settings.max_classes, settings.class_temperature
    else:
        if settings.start == "samples":
            latents = start.sampled_start(generator, perceptor, search, rng, device)
        elif atlas is None:
            raise ValueError("A start by the atlas needs the atlas.")
        else:
            latents = start.scored_start(generator, perceptor, search, atlas, rng, device)
        if settings.max_classes and not settings.basis:
            latents = Latents.of(latents, settings.max_classes, settings.class_temperature)
    yield from _Run(generator, perceptor, search, device, chunk, latents.to(device), rng).steps()


def best_latents(state: State, generator: Generator) -> Latents:
    """The latents of a state's best picture, on the CPU, of as many panels as it has.

    `generator` draws one panel. Raises `BadRequest` if they are of another shape.
    """
    return Latents.of(_latents(state, "best", generator, panels_of(state, generator) * generator.rows))


def panels_of(state: State, generator: Generator) -> int:
    """How many of the generator's panels the state's picture has: 2 or, of whatever else there is, 1."""
    z = state.tensors.get("best.z")
    return 2 if z is not None and z.ndim == 2 and len(z) == 2 * generator.rows else 1


class _Run:
    """A search under way, on the device of its latents."""

    def __init__(
        self,
        generator: Generator,
        perceptor: Perceptor,
        search: Search,
        device: torch.device,
        chunk: int,
        latents: Latents | Basis,
        rng: torch.Generator,
    ) -> None:
        self.generator = generator
        self.perceptor = perceptor
        self.towards = search.towards  # [d], or [panels, d]
        self.settings = settings = search.settings
        self.device = device
        self.latents = latents
        self.rng = rng
        self.average = LatentAverage(latents, settings.ema_decay)
        self.optimizer = self._new_optimizer()
        self.count = settings.cutouts * settings.accumulate  # views a step
        self.chunk = min(chunk or self.count, self.count)
        self.precision = _precision(settings.precision, device)
        self.guard = Guard()
        self.notes: list[str] = []
        self.step = 0
        self.latest: Look | None = None
        self.best: Look | None = None

    def steps(self) -> Iterator[Step]:
        """The step it stands at, if it was resumed, then one after the other."""
        if self.step:
            yield self._told()
        while self.step < self.settings.steps:
            if not self._move():
                if self._go_back(f"the numbers ran away after step {self.step}"):
                    continue
                break
            self.step += 1
            due = self.step % self.settings.look_every == 0 or self.step == self.settings.steps
            goes_on = (self.latest is not None and not due) or self._look_around()
            if self.best is None:
                break
            yield self._told()
            if not goes_on:
                break
        if self.best is None:
            raise Collapsed

    def _told(self) -> Step:
        assert self.latest is not None and self.best is not None
        kept = self.best if self.settings.keep == "best" else self.latest
        return Step(self.step, self.latest, self.best, kept, tuple(self.notes), self)

    def _move(self) -> bool:
        """One step of the optimiser; False, and nothing is changed, where the numbers ran away."""
        sizes = cutouts.Sizes(
            self.settings.cutout_min,
            self.settings.cutout_max,
            self.settings.cutout_mean,
            self.settings.cutout_deviation,
            self.settings.centre_bias,
        )
        drawn = cutouts.draw(self.count, sizes, self.settings.augment, self.rng)
        views = canvas.aimed(drawn, self.generator.panels).to(self.device)
        while not self._step_towards(views):
            if self.precision is None:
                return False
            self.precision = None
            self._note(f"After step {self.step} the numbers left half precision; I went on in full.")
        with torch.no_grad():
            if self.settings.z_limit:
                self.latents.z.clamp_(-self.settings.z_limit, self.settings.z_limit)
        self.average.update(self.latents)
        return True

    def _step_towards(self, views: cutouts.Views) -> bool:
        """Move the latents by the gradient of these views' score; False, unmoved, if it is not finite."""
        self.optimizer.zero_grad()
        z, class_weights = self.latents()
        picture = self.generator.sheet(z[None], class_weights[None])  # [1, 3, h, w]
        score, gradient = self._scored(picture, views)
        loss = -(gradient * picture).sum()  # has the score's gradient
        if self.settings.terms:
            loss = loss + self.settings.terms * (latent_term(z) + class_term(class_weights))
        loss.backward()
        gradients = [p.grad.sum() for p in self.latents.parameters() if p.grad is not None]
        if not math.isfinite(float(score + loss.detach() + sum(gradients))):
            return False
        self.optimizer.rate = self._rate()
        self.optimizer.step()
        return True

    def _scored(self, picture: Tensor, views: cutouts.Views) -> tuple[Tensor, Tensor]:
        """The views' mean score, a scalar, and its gradient to the `picture` [1, 3, h, w], of that shape.

        Chunk by chunk, so that only one chunk's activations are in memory; where even that is too much, in
        chunks of half the size.
        """
        while True:
            try:
                return self._scored_in_chunks(picture.detach(), views)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or self.chunk == 1:
                    raise
            # Here the error, which keeps the failed chunk's activations alive, is gone.
            self.chunk = (self.chunk + 1) // 2
            self._note(f"Memory ran out after step {self.step}; I went on with {self.chunk} views at once.")
            if self.device.type == "cuda":
                torch.cuda.empty_cache()

    def _scored_in_chunks(self, picture: Tensor, views: cutouts.Views) -> tuple[Tensor, Tensor]:
        leaf = picture.requires_grad_()
        total = torch.zeros((), device=self.device)
        scale = FP16_SCALE if self.precision is torch.float16 else 1.0
        for part in views.split(self.chunk):
            seen = cutouts.see(leaf, part, self.perceptor.size, self.settings.filter)  # [chunk, 3, s, s]
            with torch.autocast(self.device.type, self.precision, enabled=self.precision is not None):
                features = self.perceptor.encode_images(seen)  # [chunk, d]
            towards = self.towards if part.panel is None else self.towards[part.panel]
            score = cosine_score(towards, features.float()).sum() / len(views)
            (scale * score).backward()
            total += score.detach()
        assert leaf.grad is not None
        return total, leaf.grad / scale

    def _rate(self) -> float:
        """The learning rate of the next step."""
        rate = self.settings.learning_rate * self.guard.rate
        if self.settings.schedule == "constant":
            return rate
        done = min(self.step / (self.settings.horizon or self.settings.steps), 1.0)
        return rate * (LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * done)) / 2)

    def _look_around(self) -> bool:
        """Look at the average, keep it if it is the best; False when the search is at its end."""
        self.latest = look = self._look(self.average(), self.step)
        if math.isfinite(look.score) and (self.best is None or look.score > self.best.score):
            self.best = look
        if self.best is None:
            return False
        if self.settings.guard == "off":
            return math.isfinite(look.score)
        broken = self.guard.broken(look.score, self.best.score)
        return not broken or self._go_back(f"the score broke down at step {self.step}")

    def _go_back(self, why: str) -> bool:
        """Go on from the best picture with smaller steps; False when the guard is off or gives up."""
        if self.settings.guard == "off" or self.best is None or not self.guard.slow_down():
            return False
        with torch.no_grad():
            for parameter, good in zip(
                self.latents.parameters(), self.best.latents.parameters(), strict=True
            ):
                parameter.copy_(good)
        self.average = LatentAverage(self.latents, self.settings.ema_decay)
        self.optimizer = self._new_optimizer()
        self._note(f"Because {why}, I went back to step {self.best.step} and took smaller steps.")
        return True

    def _note(self, sentence: str) -> None:
        log.info("%s", sentence)
        self.notes.append(sentence)

    def _new_optimizer(self) -> Adam:
        moved = [parameter for parameter in self.latents.parameters() if parameter.requires_grad]
        return Adam(moved, self.settings.learning_rate)

    @torch.no_grad()
    def picture(self) -> Tensor:
        """As `Step.picture` says."""
        z, class_weights = self.average()()
        return self.generator(z[None], class_weights[None])[0]  # [3, h, w]

    @torch.no_grad()
    def _look(self, latents: Latents | Basis, step: int) -> Look:
        z, class_weights = latents()
        picture = sheet = self.generator(z[None], class_weights[None])  # [1, 3, h, w]
        if not self.generator.whole:
            sheet = self.generator.sheet(z[None], class_weights[None])
        boxes, panel = canvas.at_each(cutouts.fixed_boxes(), self.generator.panels)
        towards = self.towards if panel is None else self.towards[panel]
        views = cutouts.cut((sheet + 1) / 2, boxes, self.perceptor.size, "triangle")
        score = cosine_score(towards, self.perceptor.encode_images(views)).mean()
        return Look(step, picture[0], float(score), latents)

    def state(self) -> State:
        """As `Step.state` says."""
        assert self.best is not None
        tensors = {"rng": self.rng.get_state(), "target": self.towards}
        for prefix, latents in (
            ("latents", self.latents),
            ("average", self.average.sum),
            ("best", self.best.latents),
        ):
            tensors |= {f"{prefix}.{name}": value for name, value in latents.named_parameters()}
        updates = 0.0
        for name, parameter in self.latents.named_parameters():
            still = torch.zeros_like(parameter)
            moments = self.optimizer.moments.get(parameter) or Moments(still, still)
            tensors |= {f"first.{name}": moments.first, f"second.{name}": moments.second}
            updates = max(updates, float(moments.updates))
        return State(
            settings=asdict(self.settings),
            step=self.step,
            best_step=self.best.step,
            best_score=self.best.score,
            average_weight=self.average.weight,
            tensors={name: value.detach().to("cpu", copy=True) for name, value in tensors.items()},
            numbers=self.guard.numbers()
            | {"updates": updates, "full_precision": float(self.precision is None)},
            notes=list(self.notes),
        )

    @classmethod
    def resumed(
        cls,
        generator: Generator,
        perceptor: Perceptor,
        search: Search,
        device: torch.device,
        chunk: int,
        state: State,
    ) -> "_Run":
        """The search whose state was saved. Raises `BadRequest` when it was another one."""
        if not torch.equal(state.tensors["target"], search.towards.cpu()):
            raise BadRequest(Key.STATE_WORDS)
        if state.settings != asdict(search.settings):
            raise BadRequest(Key.STATE_SETTINGS)
        latents, average, best, first, second = (
            _latents(state, prefix, generator, generator.rows).to(device).requires_grad_(False)
            for prefix in ("latents", "average", "best", "first", "second")
        )
        forms = [[(name, each.shape) for name, each in part.named_parameters()]
            for part in (latents, average, best, first, second)]  # fmt: skip
        if any(form != forms[0] for form in forms):
            raise BadRequest(Key.STATE_DAMAGED)
        for name, parameter in latents.named_parameters():
            parameter.requires_grad_(name != "class_weights")
        rng = torch.Generator()
        numbers = dict(state.numbers)
        try:
            rng.set_state(state.tensors["rng"])
            updates, full_precision = numbers.pop("updates"), numbers.pop("full_precision")
            guard = Guard(**numbers)
        except (RuntimeError, KeyError, TypeError) as error:
            raise BadRequest(Key.STATE_DAMAGED) from error
        self = cls(generator, perceptor, search, device, chunk, latents, rng)
        self.average.sum, self.average.weight = average, state.average_weight
        self.guard, self.notes, self.step = guard, list(state.notes), state.step
        if full_precision:
            self.precision = None
        for name, parameter in latents.named_parameters():
            if updates and parameter.requires_grad:
                self.optimizer.moments[parameter] = Moments(
                    first.get_parameter(name).detach(), second.get_parameter(name).detach(), int(updates)
                )
        self.best = replace(self._look(best, state.best_step), score=state.best_score)
        self.latest = self._look(self.average(), state.step)
        return self


def _latents(state: State, prefix: str, generator: Generator, rows: int) -> Latents | Basis:
    """A part of a state that has the form of latents of so many rows.

    Raises `BadRequest` unless it fits the generator.
    """
    tensors = state.part(prefix)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    z_dim, classes = generator.z_dim, generator.classes
    if shapes == {"z": (rows, z_dim), "class_logits": (rows, classes)}:
        few, temperature = (
            checked(name, state.settings.get(name)) for name in ("max_classes", "class_temperature")
        )
        return Latents(tensors["z"], tensors["class_logits"], few, temperature)
    k = next(iter(shapes.get("mix_classes", ())), 0)
    if k and shapes == {
        "z": (k, z_dim),
        "mix_z": (k, z_dim),
        "class_weights": (k, classes),
        "mix_classes": (k, 1),
    }:
        return Basis(**tensors, rows=rows)
    raise BadRequest(Key.STATE_MODEL)


def _precision(name: str, device: torch.device) -> torch.dtype | None:
    """What the perceptor computes in within a step; None: in full.

    "auto" is bfloat16 on GPUs that have it, float16 on older ones, full precision on CPUs and on Apple's,
    where half precision has made black pictures. The generator and all that is shown or judged are always
    computed in full precision.
    """
    if name == "auto" and device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return {"bf16": torch.bfloat16, "fp16": torch.float16}.get(name)
