"""The loop: BigSleep, one small value a step. Knows nobody: whoever listens shows, saves, or stops asking.

The algorithm is Ryan Murdock's (2021) as in lucidrains/big-sleep 0.9.1: the latents of BigGAN are moved by
Adam so that random cutouts of the picture come closer to the text in CLIP's space; an exponential moving
average of the latents makes the picture that is shown.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor

from engine import cutouts, search
from engine.errors import BadRequest, DreamError, FailureKind
from engine.generator import Generator
from engine.latents import LatentAverage, Latents
from engine.objective import Target, class_term, cosine_score, direction, latent_term
from engine.perceptor import Perceptor
from engine.state import NOT_A_STATE, State


@dataclass(frozen=True)
class DreamSettings:
    """The constants of a search; the defaults are BigSleep's own, where it has them."""

    steps: int = 500  # its notebook ran on for ever; beyond some 500 steps its users saw collapse
    learning_rate: float = 0.07
    cutouts: int = 128  # a step
    ema_decay: float = 0.99
    look_every: int = 10  # steps between scored pictures of the average (BigSleep: 50, unscored)
    filter: Literal["nearest", "triangle"] = "nearest"
    start: Literal["blind", "scored"] = "blind"

    def recorded(self) -> dict[str, float | str]:
        """What a recipe records beside the steps."""
        return {key: value for key, value in asdict(self).items() if key != "steps"}


class Collapsed(DreamError):
    """The numbers of this dream ran away before it had a picture; another seed will do better."""

    kind = FailureKind.COLLAPSE


@dataclass(frozen=True)
class Look:
    """A shown picture and its score on fixed views, which the optimiser never draws."""

    step: int
    picture: Tensor  # [3, h, w], -1..1, detached
    score: float  # 100 × weighted mean cosine (engine.objective)
    latents: Latents = field(repr=False)  # that made it


@dataclass(frozen=True)
class Step:
    """One step done."""

    step: int  # 1..steps
    latest: Look
    best: Look  # the highest score so far
    _search: "_Search" = field(repr=False, compare=False)

    def state(self) -> State:
        """Where the search stands, to be asked before the next step. Its model, prompt and seed are blank."""
        return self._search.state()

    def picture(self) -> Tensor:
        """What the search would show now [3, h, w], -1..1, to be asked before the next step; unscored."""
        return self.latest.picture if self.latest.step == self.step else self._search.picture()


def dream(
    generator: Generator,
    perceptor: Perceptor,
    targets: Sequence[Target],
    seed: int,
    settings: DreamSettings,
    device: torch.device,
    atlas: Tensor | None = None,
    begin: Latents | State | None = None,
) -> Iterator[Step]:
    """Search for the picture that `targets` describe: finds the start, then `settings.steps` steps at most.

    All randomness is one CPU generator seeded with `seed` (0..2**32 - 1). The search begins at `begin`:
    afresh (`atlas` [classes, d] of `engine.atlas.make` is needed for the scored start); at latents; or
    exactly where a state was saved, whose step comes first again and whose randomness goes on. When a number
    stops being finite the search ends with what it has. Raises `Collapsed` if that is nothing, `BadRequest`
    for targets without a positive weight and for a state that is of another search.
    """
    rng = torch.Generator().manual_seed(seed)
    towards = direction(targets)  # [d]
    if isinstance(begin, State):
        yield from _Search.resumed(generator, perceptor, towards, settings, device, begin).run()
        return
    if begin is not None:
        latents = begin
    elif settings.start == "scored":
        if atlas is None:
            raise ValueError("A scored start needs the atlas.")
        latents = search.scored_start(generator, perceptor, towards, atlas, rng, device)
    else:
        latents = Latents.blind(generator.rows, generator.z_dim, generator.classes, rng)
    yield from _Search(generator, perceptor, towards, settings, latents.to(device), rng).run()


def best_latents(state: State, generator: Generator) -> Latents:
    """The latents of a state's best picture, on the CPU. Raises `BadRequest` if they are of another shape."""
    return _latents(state.part("best"), generator)


def _latents(tensors: dict[str, Tensor], generator: Generator) -> Latents:
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    rows, z_dim, classes = generator.rows, generator.z_dim, generator.classes
    if shapes != {"z": (rows, z_dim), "class_logits": (rows, classes)}:
        raise BadRequest("This state is of another model, so it cannot be used with this one.")
    return Latents(**tensors)


class _Search:
    """A search under way, on the device of its latents."""

    def __init__(
        self,
        generator: Generator,
        perceptor: Perceptor,
        towards: Tensor,
        settings: DreamSettings,
        latents: Latents,
        rng: torch.Generator,
    ) -> None:
        self.generator = generator
        self.perceptor = perceptor
        self.towards = towards  # [d]
        self.settings = settings
        self.latents = latents
        self.rng = rng
        self.average = LatentAverage(latents, settings.ema_decay)
        self.optimizer = torch.optim.Adam(latents.parameters(), lr=settings.learning_rate)
        self.step = 0
        self.latest: Look | None = None
        self.best: Look | None = None

    def run(self) -> Iterator[Step]:
        """The step it stands at, if it was resumed, then one after the other."""
        if self.latest is not None and self.best is not None:
            yield Step(self.step, self.latest, self.best, self)
        while self.step < self.settings.steps and self._move():
            self.step += 1
            if (
                self.latest is None
                or self.step % self.settings.look_every == 0
                or self.step == self.settings.steps
            ):
                self.latest = self._look(self.average(), self.step)
                if self.best is None or self.latest.score > self.best.score:
                    self.best = self.latest
            assert self.best is not None
            yield Step(self.step, self.latest, self.best, self)
        if self.best is None:
            raise Collapsed

    def _move(self) -> bool:
        """One step of the optimiser; False, and nothing is changed, where the numbers ran away."""
        z, class_weights = self.latents()
        picture = self.generator(z[None], class_weights[None])  # [1, 3, h, w], -1..1
        boxes = cutouts.random_boxes(self.settings.cutouts, self.rng)
        views = cutouts.cut(
            (picture + 1) / 2, boxes, self.perceptor.size, self.settings.filter
        )  # [cutouts, 3, s, s]
        likeness = cosine_score(self.towards, self.perceptor.encode_images(views)).mean()
        loss = -likeness + latent_term(z) + class_term(class_weights)
        if not bool(loss.isfinite()):
            return False
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.average.update(self.latents)
        return True

    @torch.no_grad()
    def picture(self) -> Tensor:
        """As `Step.picture` says."""
        z, class_weights = self.average()()
        return self.generator(z[None], class_weights[None])[0]  # [3, h, w]

    @torch.no_grad()
    def _look(self, latents: Latents, step: int) -> Look:
        z, class_weights = latents()
        picture = self.generator(z[None], class_weights[None])  # [1, 3, h, w]
        views = cutouts.cut((picture + 1) / 2, cutouts.fixed_boxes(), self.perceptor.size, "triangle")
        score = cosine_score(self.towards, self.perceptor.encode_images(views)).mean()
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
        for name, parameter in self.latents.named_parameters():
            moments = self.optimizer.state[parameter]
            tensors |= {f"first.{name}": moments["exp_avg"], f"second.{name}": moments["exp_avg_sq"]}
        return State(
            settings=asdict(self.settings),
            step=self.step,
            best_step=self.best.step,
            best_score=self.best.score,
            average_weight=self.average.weight,
            tensors={name: value.detach().to("cpu", copy=True) for name, value in tensors.items()},
        )

    @classmethod
    def resumed(
        cls,
        generator: Generator,
        perceptor: Perceptor,
        towards: Tensor,
        settings: DreamSettings,
        device: torch.device,
        state: State,
    ) -> "_Search":
        """The search whose state was saved. Raises `BadRequest` when it was another one."""
        if not torch.equal(state.tensors["target"], towards.cpu()):
            raise BadRequest("This state is on its way to other words; continue it instead of resuming it.")
        if state.settings != asdict(settings):
            raise BadRequest(
                "This state is of a dream with other settings; continue it instead of resuming it."
            )
        parts = {
            prefix: _latents(state.part(prefix), generator).to(device)
            for prefix in ("latents", "average", "best", "first", "second")
        }
        rng = torch.Generator()
        try:
            rng.set_state(state.tensors["rng"])
        except RuntimeError as error:
            raise BadRequest(NOT_A_STATE) from error
        self = cls(generator, perceptor, towards, settings, parts["latents"], rng)
        self.average.sum, self.average.weight = parts["average"].requires_grad_(False), state.average_weight
        first, second = dict(parts["first"].named_parameters()), dict(parts["second"].named_parameters())
        for name, parameter in self.latents.named_parameters():
            self.optimizer.state[parameter] = {
                "step": torch.tensor(float(state.step)),
                "exp_avg": first[name].detach(),
                "exp_avg_sq": second[name].detach(),
            }
        self.step = state.step
        best = self._look(parts["best"].requires_grad_(False), state.best_step)
        self.best = replace(best, score=state.best_score)
        self.latest = self._look(self.average(), state.step)
        return self
