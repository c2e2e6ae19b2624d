"""The settings of a search, each with its range, and the recipes and presets made of them. Knows no torch.

A recipe is a set of values of `DreamSettings`; all recipes run through the one loop of `engine.search.loop`.
A preset is a budget of cutout evaluations (pictures that the perceptor sees), which each recipe spends its
own way.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from engine.errors import BadRequest
from engine.models import registry
from engine.ranges import Choice, Number, Whole
from engine.sentences import Key
from engine.settings import MAX_STEPS

LOOK_VIEWS = 6  # views of a shown picture that the perceptor judges it by (engine.search.cutouts.fixed_boxes)


def _number(default: float, low: float, high: float, help: str) -> Any:
    """A field with a range, both ends included; whole where the default is."""
    allowed = Whole(int(low), int(high)) if isinstance(default, int) else Number(low, high)
    return field(default=default, metadata={"range": allowed, "help": help})


def _choice(default: str, choices: tuple[str, ...], help: str) -> Any:
    return field(default=default, metadata={"range": Choice(choices), "help": help})


@dataclass(frozen=True)
class DreamSettings:
    """The constants of a search; defaults are BigSleep's (lucidrains/big-sleep 0.9.1) where it has them."""

    # BigSleep's notebook ran on for ever; beyond some 500 steps its users saw collapse.
    steps: int = _number(500, 1, MAX_STEPS, "how long to search")
    learning_rate: float = _number(0.07, 1e-5, 1.0, "how far a step goes (Adam's rate)")
    schedule: Literal["constant", "cosine"] = _choice(
        "constant", ("constant", "cosine"), "whether the steps grow smaller towards the end"
    )
    horizon: int = _number(0, 0, MAX_STEPS, "the steps over which they grow smaller; 0: all")
    cutouts: int = _number(128, 1, 512, "views of the picture that are scored at each step")
    accumulate: int = _number(1, 1, 64, "times as many views before each step")
    cutout_min: float = _number(0.5, 0.05, 1.0, "smallest side of a view, in units of the picture's")
    cutout_max: float = _number(0.95, 0.05, 1.0, "largest side of a view")
    cutout_mean: float = _number(0.8, 0.05, 1.0, "mean side of a view, before the limits")
    cutout_deviation: float = _number(0.3, 0.0, 1.0, "its standard deviation")
    centre_bias: float = _number(0.0, 0.0, 10.0, "how much views gather in the middle; 0: not; BigSleep's: 2")
    filter: Literal["nearest", "triangle"] = _choice(
        "nearest", ("nearest", "triangle"), "how views are resized; triangle is bilinear, smoothed"
    )
    augment: Literal["none", "smooth", "diffaugment"] = _choice(
        "none", ("none", "smooth", "diffaugment"), "what is done to views: mirrored, tinted, blurred, covered"
    )
    start: Literal["blind", "atlas", "samples"] = _choice(
        "blind", ("blind", "atlas", "samples"), "where to begin: at noise, or at the best of some pictures"
    )
    scene: Literal["one", "two"] = _choice(
        "one", ("one", "two"), "whether two things that the words name are searched each by itself"
    )
    candidates: int = _number(96, 1, 10_000, "pictures scored to find where to begin")
    basis: int = _number(
        0, 0, 20, "mix the start's best pictures instead of moving one; 0: no; FuseDream: 10"
    )
    z_limit: float = _number(0.0, 0.0, 10.0, "largest magnitude of a latent number; 0: none")
    terms: float = _number(1.0, 0.0, 10.0, "weight of the terms that keep latents normal and classes few")
    max_classes: int = _number(0, 0, 1000, "how many classes may mix in a layer; 0: all")
    class_temperature: float = _number(2.0, 0.01, 100.0, "with max_classes: how evenly they mix")
    ema_decay: float = _number(0.99, 0.0, 0.9999, "how much the shown picture lags behind the search")
    # BigSleep saved a picture every 50 steps, unscored.
    look_every: int = _number(10, 1, MAX_STEPS, "steps between the pictures that are shown and judged")
    keep: Literal["best", "last"] = _choice("best", ("best", "last"), "which of the pictures is kept")
    guard: Literal["on", "off"] = _choice(
        "off", ("on", "off"), "go back to the best picture with smaller steps when the score breaks down"
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = _choice(
        "auto",
        ("auto", "fp32", "bf16", "fp16"),
        "of the perceptor within a step; auto: what suits the device",
    )

    def recorded(self) -> dict[str, float | str]:
        """What a recipe records beside the steps."""
        return {key: value for key, value in asdict(self).items() if key != "steps"}

    def evaluations(self) -> int:
        """How many pictures the perceptor sees in all of this search: start, steps and looks."""
        looks = 1 + sum(
            step % self.look_every == 0 or step == self.steps for step in range(2, self.steps + 1)
        )
        return self.start_evaluations() + self.steps * self.cutouts * self.accumulate + looks * LOOK_VIEWS

    def start_evaluations(self) -> int:
        """Those that the start sees."""
        return 0 if self.start == "blind" else self.candidates

    def within(self, budget: int) -> "DreamSettings":
        """These settings with as many steps, one at least, as `budget` evaluations allow.

        FuseDream's samples get a tenth of the budget (its own: 5000 of 55000), ours 4 %.
        """
        if self.basis:
            self = replace(self, candidates=max(self.basis, budget // 11))
        elif self.start != "blind":
            self = replace(self, candidates=min(max(budget // 25, 24), 384))
        step = self.cutouts * self.accumulate + LOOK_VIEWS / self.look_every
        steps = int((budget - self.start_evaluations() - 2 * LOOK_VIEWS) / step)
        return replace(self, steps=min(max(steps, 1), MAX_STEPS))


OPTIONS = {each.name: each for each in fields(DreamSettings)}  # by name, with range and help as metadata

# Ours. The rate was chosen on the embedded models by looking at dreams; a smaller one than BigSleep's is what
# its users found steadier, too.
ONEIRO = DreamSettings(
    learning_rate=0.03,
    schedule="cosine",
    cutouts=32,
    filter="triangle",
    augment="smooth",
    cutout_min=0.6,
    cutout_max=1.0,
    start="atlas",
    ema_decay=0.9,
    look_every=5,
    guard="on",
)
# Liu et al. 2021, arXiv 2112.01573, constants of gnobitab/FuseDream: fusedream_utils.py.
FUSEDREAM = DreamSettings(
    learning_rate=5e-3,
    cutouts=50,
    filter="triangle",
    augment="diffaugment",
    start="samples",
    candidates=5000,
    basis=10,
    z_limit=2.0,
    terms=0.0,
    ema_decay=0.0,
    keep="last",
)
RECIPES: dict[str, DreamSettings] = {"oneiro": ONEIRO, "bigsleep": DreamSettings(), "fusedream": FUSEDREAM}


def settings_for(
    model: str,
    recipe: str = "",
    preset: str = "",
    changes: Mapping[str, float | str] | None = None,
    steps: int | None = None,
) -> DreamSettings:
    """The settings of a search with this model, which may change them (`engine.models.registry`).

    `recipe` and `preset` are names of engine.settings.RECIPES and PRESETS, or "" for the default; `changes`
    are single settings by name, and count over both; `steps`, if given, counts over the preset's budget.
    Raises `BadRequest` with a sentence for an unknown name and for a value out of its range.
    """
    recipe = recipe or next(iter(RECIPES))
    if recipe not in RECIPES:
        raise BadRequest(Key.RECIPE_UNKNOWN, name=recipe, known=", ".join(RECIPES))
    record = registry.expected(model)
    budgets = record.budgets
    if preset not in budgets:
        raise BadRequest(Key.PRESET_UNKNOWN, name=preset, known=", ".join(filter(None, budgets)))
    settings = replace(RECIPES[recipe], **record.changes.get(recipe, {}))
    changed: dict[str, Any] = {name: checked(name, value) for name, value in (changes or {}).items()}
    settings = replace(settings, **changed)
    planned = settings.within(budgets[preset])
    if steps is not None:
        planned = replace(planned, steps=checked("steps", steps))
    settings = replace(planned, **changed)
    if settings.cutout_min > settings.cutout_max:
        raise BadRequest(Key.CUTOUT_SIDES)
    if settings.basis and settings.start != "samples":
        raise BadRequest(Key.BASIS_START)
    if settings.basis > settings.candidates:
        raise BadRequest(Key.BASIS_CANDIDATES)
    return settings


def usual_steps(model: str, preset: str = "") -> int:
    """The steps of a dream that names none. Raises `BadRequest` for an unknown preset."""
    return settings_for(model, preset=preset).steps


def checked(name: str, value: object) -> Any:
    """The setting's value in its own type. Raises `BadRequest` with the name and the range."""
    if name not in OPTIONS:
        raise BadRequest(Key.SETTING_UNKNOWN, name=name, known=", ".join(OPTIONS))
    allowed = OPTIONS[name].metadata["range"]
    try:
        return allowed.read(value)
    except ValueError as error:
        if isinstance(allowed, Choice):
            raise BadRequest(Key.SETTING_CHOICES, name=name, known=allowed.span) from error
        key = Key.SETTING_WHOLE if isinstance(allowed, Whole) else Key.SETTING_NUMBER
        raise BadRequest(key, name=name, low=allowed.low, high=allowed.high) from error


def repeated(recorded: Mapping[str, float | str]) -> dict[str, float | str]:
    """What a recipe recorded, as `changes` that repeat it: the names that are no settings are left out."""
    return {name: value for name, value in recorded.items() if name in OPTIONS}
