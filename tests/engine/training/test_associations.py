"""How it is written down what words bring to mind: which words, and what short vectors keep."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.pocket import lexicon
from engine.pocket.captions import Captions
from engine.training import associations
from tests.engine.pocket.test_lexicon import describe

CLASSES: list[dict[str, Any]] = [
    {"name_en": "cat", "keywords_en": ["purrs", "pet"]},
    {"name_en": "honeybee", "keywords_en": []},
]
MEANT = {
    "cat": (3, 1, 1, 0), "pet": (3, 1, 1, 0), "purrs": (3, 1, 1, 0), "honeybee": (1, 3, 1, 0),
    "buzz": (1, 3, 1, 0), "justice": (1, 1, 0, 3),
}  # fmt: skip


def teacher(texts: Sequence[str]) -> Tensor:
    vectors = torch.tensor([MEANT[text] for text in texts], dtype=torch.float32)
    return torch.nn.functional.normalize(vectors, dim=1)


def test_words_that_are_said_and_mean_something_are_chosen(tmp_path: Path) -> None:
    lines = {
        "noun": "cut n 1 1 @ 1 0 00000001\nrarity n 1 1 @ 1 2 00000002\nlynx n 1 1 @ 1 0 00000003\n",
        "verb": "", "adj": "", "adv": "",
    }  # fmt: skip
    for part, text in lines.items():
        (tmp_path / f"index.{part}").write_text("  1 licence\n" + text)
    usual = ["cutting", "cuts", "zzz", "##ing", "Cut", "b"]
    assert associations.chosen(usual, tmp_path) == ["cuts", "cutting", "rarity"]


def test_a_word_is_near_the_things_that_the_teacher_has_it_near() -> None:
    captions = Captions([describe(c["name_en"], c["name_en"], "", tuple(c["keywords_en"])) for c in CLASSES])
    names = lexicon.of(captions, torch.eye(2))
    found = associations.prepare(CLASSES, names, teacher, ["buzz", "justice"])
    assert list(found.words) == ["buzz", "cat", "honeybee", "pet", "purrs"]  # justice reminds of nothing
    assert found.rows.tolist() == [names.row("a cat"), names.row("a honeybee")]
    for word, thing in (("buzz", 1), ("purrs", 0), ("honeybee", 1)):
        said = found.of(word)
        assert said is not None
        assert int(said[0].argmax()) == thing


def test_short_vectors_keep_the_products_of_long_ones() -> None:
    one, other = torch.randn(40, 12), torch.randn(30, 12)
    short, shorter = associations._shorter(one, other)
    torch.testing.assert_close(short @ shorter.T, one @ other.T, rtol=1e-3, atol=1e-3)
