from dataclasses import replace

import pytest

from engine.errors import BadRequest
from engine.models import registry
from engine.ranges import Choice
from engine.search.recipes import (
    OPTIONS,
    RECIPES,
    DreamSettings,
    checked,
    repeated,
    settings_for,
)
from engine.settings import MAX_STEPS
from engine.settings import PRESETS as PRESET_NAMES
from engine.settings import RECIPES as RECIPE_NAMES


def test_names_are_those_of_the_settings_and_the_first_recipe_is_the_default() -> None:
    assert tuple(RECIPES) == RECIPE_NAMES
    for budgets in (model.budgets for model in registry.MODELS):
        assert set(budgets) == {"", *PRESET_NAMES}
        assert budgets["quick"] < budgets["normal"] < budgets["thorough"]
    assert settings_for("pocket") == settings_for("pocket", "oneiro")


def test_bigsleep_is_the_original_constant_by_constant() -> None:
    """lucidrains/big-sleep 0.9.1: Imagine, BigSleep, Latents, rand_cutout."""
    original = RECIPES["bigsleep"]
    assert (original.learning_rate, original.schedule) == (0.07, "constant")
    assert (original.cutouts, original.accumulate, original.filter) == (128, 1, "nearest")
    sizes = (original.cutout_min, original.cutout_max, original.cutout_mean, original.cutout_deviation)
    assert sizes == (0.5, 0.95, 0.8, 0.3)
    assert (original.augment, original.centre_bias, original.terms, original.z_limit) == ("none", 0, 1, 0)
    assert (original.start, original.basis, original.ema_decay) == ("blind", 0, 0.99)
    assert (original.max_classes, original.class_temperature, original.guard) == (0, 2.0, "off")


def test_fusedream_is_the_paper_s() -> None:
    """gnobitab/FuseDream: fusedream_utils.py, DiffAugment_pytorch.py."""
    paper = RECIPES["fusedream"]
    assert (paper.learning_rate, paper.cutouts, paper.augment) == (5e-3, 50, "diffaugment")
    assert (paper.start, paper.candidates, paper.basis, paper.z_limit) == ("samples", 5000, 10, 2.0)
    assert (paper.terms, paper.ema_decay, paper.keep) == (0, 0, "last")


@pytest.mark.parametrize("recipe", RECIPE_NAMES)
@pytest.mark.parametrize("budget", [700, 3000, 64000])
def test_every_recipe_spends_the_same_budget_its_own_way(recipe: str, budget: int) -> None:
    settings = RECIPES[recipe].within(budget)
    assert settings.evaluations() <= budget
    one_more = replace(settings, steps=settings.steps + 1)
    assert one_more.evaluations() > budget - 2 * settings.cutouts  # nothing to speak of is left over


def test_a_budget_too_small_for_a_step_still_gives_one() -> None:
    assert RECIPES["bigsleep"].within(10).steps == 1


def test_steps_count_over_the_preset_and_changes_over_both() -> None:
    quick, thorough = (settings_for("pocket", preset=name) for name in ("quick", "thorough"))
    assert quick.steps < thorough.steps
    assert settings_for("pocket", preset="quick", steps=9).steps == 9
    assert settings_for("pocket", changes={"steps": 11}, steps=9).steps == 11
    changed = settings_for("pocket", changes={"cutouts": 8, "learning_rate": 0.5, "filter": "nearest"})
    assert (changed.cutouts, changed.learning_rate, changed.filter) == (8, 0.5, "nearest")
    assert changed.steps > settings_for("pocket").steps  # the budget stays the same


@pytest.mark.parametrize("name", OPTIONS)
def test_every_setting_has_help_and_takes_its_range_s_ends_and_nothing_beyond(name: str) -> None:
    option = OPTIONS[name]
    assert option.metadata["help"]
    assert checked(name, option.default) == option.default
    allowed = option.metadata["range"]
    if isinstance(allowed, Choice):
        assert all(checked(name, choice) == choice for choice in allowed.choices)
        with pytest.raises(BadRequest, match=f"{name} must be one of"):
            checked(name, "x")
        return
    low, high = allowed.low, allowed.high
    for value in (low, high, str(high)):
        assert checked(name, value) == type(option.default)(float(value))
    for value in (low - 1, high + 1, "many", float("nan"), None, [], 10**400):
        with pytest.raises(BadRequest, match=f"{name} must be .*from {low:g} to {high:g}"):
            checked(name, value)


def test_a_whole_number_is_whole() -> None:
    with pytest.raises(BadRequest, match="cutouts must be a whole number from 1 to 512"):
        checked("cutouts", 3.5)
    assert checked("cutouts", 3.0) == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"recipe": "soup"}, "no recipe 'soup'; there are oneiro, bigsleep, fusedream"),
        ({"preset": "fast"}, "no preset 'fast'; there are quick, normal, thorough"),
        ({"changes": {"lr": 1}}, "no setting 'lr'; there are steps, learning_rate"),
        ({"changes": {"cutout_min": 0.9, "cutout_max": 0.5}}, "cutout_min must not be larger"),
        ({"changes": {"basis": 5}}, "basis needs start: samples"),
        ({"changes": {"basis": 9, "start": "samples", "candidates": 3}}, "basis must not be larger"),
        ({"steps": MAX_STEPS + 1}, "steps must be a whole number from 1 to 5000"),
    ],
)
def test_what_cannot_be_is_one_clear_sentence(arguments: dict, sentence: str) -> None:
    with pytest.raises(BadRequest, match=sentence):
        settings_for("pocket", **arguments)


def test_what_a_recipe_recorded_makes_the_same_settings_again_whatever_the_recipe_is_called() -> None:
    for name in RECIPE_NAMES:
        made = settings_for("pocket", name, changes={"cutouts": 5})
        recorded = made.recorded() | {"begin": "vary", "notes": "…"}
        assert settings_for("pocket", "bigsleep", changes=repeated(recorded), steps=made.steps) == made
    assert "steps" not in DreamSettings().recorded()
