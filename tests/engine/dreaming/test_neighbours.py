"""The nearest known things, where a dream hardly shows its words."""

import torch

from engine.dreaming.neighbours import MOST, nearest

NAMES = {
    "en": ["cat", "cat face", "river", "fountain", "sea"],
    "it": ["gatto", "muso di gatto", "fiume", "fontana", "mare"],
}
ATLAS = torch.eye(5)


def unit(*values: float) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.tensor(values, dtype=torch.float32), dim=0)


def test_the_nearest_things_are_named_in_each_language_the_nearest_first() -> None:
    found = nearest([unit(0, 0, 3, 2, 1)], ATLAS, NAMES)
    assert found == {"en": ["river", "fountain", "sea"], "it": ["fiume", "fontana", "mare"]}


def test_of_kin_only_the_nearest_is_named() -> None:
    assert nearest([unit(3, 2, 2.5, 0, 0)], ATLAS, NAMES)["en"] == ["cat", "river"]


def test_of_two_things_each_has_its_turn() -> None:
    found = nearest([unit(4, 0, 0, 1, 0), unit(0, 0, 0, 1, 4)], ATLAS, NAMES)
    assert found["en"] == ["cat", "sea", "fountain"] and len(found["en"]) <= MOST


def test_what_is_like_nothing_has_no_neighbours_nor_has_a_generator_without_names() -> None:
    assert nearest([-unit(1, 1, 1, 1, 1)], ATLAS, NAMES) == {}
    assert nearest([unit(1, 0, 0, 0, 0)], ATLAS, {}) == {}
    assert nearest([], ATLAS, NAMES) == {}
