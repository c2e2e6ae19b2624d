"""Words by heart: which texts are names or keywords, what they stand for, and how the file is read."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from engine.errors import ModelError
from engine.pocket import lexicon
from engine.pocket.captions import Captions


def describe(
    concept: str, english: str, italian: str,
    keywords: tuple[str, ...] = (), italian_keywords: tuple[str, ...] = (),
) -> dict:  # fmt: skip
    return {
        "concept": concept, "thing": True, "group": "animals-nature", "name_en": english,
        "keywords_en": list(keywords), "name_it": italian, "keywords_it": list(italian_keywords),
    }  # fmt: skip


CAPTIONS = Captions(
    [
        describe("cat", "cat", "gatto", ("pet", "animal"), ("animale",)),
        describe("cat-face", "cat face", "muso di gatto", ("pet",)),
        describe("honeybee", "honeybee", "ape", ("insect", "animal", "case"), ("animale", "insetto")),
        describe("gorilla", "gorilla", "gorilla", ("ape", "animal"), ("animale", "case")),
        describe("clip-anvil", "anvil", "", ("tool",)),
    ]
)
PLACES = F.normalize(torch.randn(5, 8, generator=torch.Generator().manual_seed(0)), dim=1)
BOOK = lexicon.of(CAPTIONS, PLACES)


def place(*slugs: str) -> torch.Tensor:
    return F.normalize(PLACES[[CAPTIONS.index(slug) for slug in slugs]].mean(0), dim=0)


@pytest.mark.parametrize(
    ("text", "slugs"),
    [
        ("a cat", ("cat", "cat-face")),  # both are called so
        (" The  Cat. ", ("cat", "cat-face")),
        ("un gatto", ("cat", "cat-face")),
        ("a cat face", ("cat-face",)),
        ("il muso di gatto", ("cat-face",)),
        ("un'ape", ("honeybee",)),
        ("un’ape", ("honeybee",)),
        ("l'ape", ("honeybee",)),
        ("Gorilla!", ("gorilla",)),
        ("two cats", ("cat", "cat-face")),
        ("a few cats", ("cat", "cat-face")),
        ("some cat faces", ("cat-face",)),
        ("gatti", ("cat", "cat-face")),
        ("i musi di gatto", ("cat-face",)),
        ("le api", ("honeybee",)),
        ("gorillas", ("gorilla",)),
    ],
)
def test_a_name_with_or_without_its_article_stands_for_its_things(text: str, slugs: tuple[str, ...]) -> None:
    row = BOOK.row(text)
    assert row is not None
    torch.testing.assert_close(BOOK.vectors[row], place(*slugs))


@pytest.mark.parametrize(
    "text",
    ["", "a", "a cute cat", "a cat and a gorilla", "ape", "an ape", "a gatto", "anvil", "\x00", "a" * 9999],
)
def test_every_other_text_is_the_tower_s(text: str) -> None:
    assert BOOK.row(text) is None


def test_a_bare_word_in_e_is_no_italian_plural() -> None:
    names = {"en": {"mouse": 0}, "it": {"bara": 1}}
    book = lexicon.Lexicon(names, {"en": {}, "it": {}}, torch.eye(2), frozenset())
    assert (book.row("bare"), book.row("le bare"), book.row("mice"), book.row("the mice")) == (None, 1, 0, 0)


def mixed(**weights: float) -> torch.Tensor:
    rows = {slug.replace("_", "-"): weight for slug, weight in weights.items()}
    return F.normalize(sum(PLACES[CAPTIONS.index(slug)] * weight for slug, weight in rows.items()), dim=0)


@pytest.mark.parametrize(
    ("text", "vector"),
    [
        ("pet", mixed(cat=1, cat_face=1)),
        ("Pets.", mixed(cat=1, cat_face=1)),
        ("something animal", mixed(cat=1, honeybee=1, gorilla=1)),
        ("pet, animal", mixed(cat=1 / 4 + 1 / 9, cat_face=1 / 4, honeybee=1 / 9, gorilla=1 / 9)),
        ("insetto, animali", mixed(honeybee=1 + 1 / 9, cat=1 / 9, gorilla=1 / 9)),
        ("ape, animal,", mixed(gorilla=1 + 1 / 9, cat=1 / 9, honeybee=1 / 9)),  # an English list: no bee
        ("honeybee, pet", mixed(honeybee=1, cat=1 / 4, cat_face=1 / 4)),
    ],
)
def test_a_keyword_or_a_list_of_them_is_the_mean_of_what_it_may_mean(text: str, vector: torch.Tensor) -> None:
    found = BOOK.meaning(text)
    assert found is not None
    torch.testing.assert_close(found, vector)


@pytest.mark.parametrize(
    "text",
    ["case", "ape", "pet, insetto", "pet, eternity", ",", "a pet and an animal", "tool", "animal shelter"],
)
def test_what_two_languages_take_differently_or_nobody_knows_is_the_tower_s(text: str) -> None:
    assert BOOK.meaning(text) is None


@pytest.mark.parametrize(
    ("text", "vector", "known"),
    [
        ("a cute little cat", mixed(cat=1, cat_face=1), 1),
        ("cute little pets", mixed(cat=1, cat_face=1), 1 / 3),
        ("a cute ape", mixed(gorilla=1), 1),
        ("un'ape strana", mixed(honeybee=1), 1),  # that is what an Italian bee is called
        ("an insect on its pet", mixed(honeybee=1, cat=1 / 4, cat_face=1 / 4), 1),
        (
            "i gatti di un animale",
            F.normalize(9 * place("cat", "cat-face") + PLACES[[0, 3, 4]].sum(0), dim=0),
            1,
        ),
        ("a petty day", mixed(cat=1, cat_face=1), 1),
        ("the cat face of pets", mixed(cat_face=1 + 1 / 4, cat=1 / 4), 1),  # the longest name first
    ],
)
def test_a_text_is_moved_towards_the_names_and_keywords_in_it(
    text: str, vector: torch.Tensor, known: float
) -> None:
    found, share = BOOK.gist(text)
    assert found is not None
    torch.testing.assert_close(found, vector)
    assert share == pytest.approx(known)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "eternity",
        "the",
        "a cat and a gorilla",
        "un gatto con un'ape",
        "cat, asleep",
        "gatti rossi",
        "case",
    ],
)
def test_what_joins_things_names_a_colour_or_is_not_known_is_the_tower_s(text: str) -> None:
    assert BOOK.gist(text) == (None, 0.0)


def test_the_tower_is_given_strange_plurals_in_the_singular() -> None:
    asked: list[str] = []

    def tower(texts: Sequence[str]) -> torch.Tensor:
        asked.extend(texts)
        return torch.zeros(len(texts), 8)

    found = BOOK.encode(["green Gorillas", "due gatti rossi", "my pets, asleep", "eternities", "cats"], tower)
    assert asked == ["green gorilla", "due gatto rosso", "my pet, asleep", "eternities", "cat"]
    assert float(found[:4].abs().sum()) == 0
    torch.testing.assert_close(found[4], place("cat", "cat-face"))


def test_names_are_looked_up_and_keywords_moved_and_all_else_is_left() -> None:
    vectors = F.normalize(torch.ones(5, 8), dim=1)
    found = BOOK.looked_up(["a red cat", "a gorilla", "eternity", "insect", "my angry gorilla"], vectors)
    torch.testing.assert_close(found[1], place("gorilla"))
    torch.testing.assert_close(found[[0, 2]], vectors[[0, 2]])
    moved = lexicon.BY_HEART * place("honeybee") + (1 - lexicon.BY_HEART) * vectors[3]
    torch.testing.assert_close(found[3], F.normalize(moved, dim=0))
    share = lexicon.WITHIN
    torch.testing.assert_close(
        found[4], F.normalize(share * place("gorilla") + (1 - share) * vectors[4], dim=0)
    )
    assert BOOK.looked_up(["eternity"], vectors[:1]) is not None


def test_what_was_written_is_read_and_no_file_is_no_names(tmp_path: Path) -> None:
    assert lexicon.read(tmp_path, 8).row("a cat") is None
    BOOK.write(tmp_path)
    again = lexicon.read(tmp_path, 8)
    assert (again.names, again.keywords, again.unsure) == (BOOK.names, BOOK.keywords, BOOK.unsure)
    torch.testing.assert_close(again.vectors, BOOK.vectors, rtol=0, atol=2e-3)
    torch.testing.assert_close(again.vectors.norm(dim=1), torch.ones(len(again.vectors)))


def test_a_damaged_file_or_one_of_another_model_is_one_clear_error(tmp_path: Path) -> None:
    BOOK.write(tmp_path)
    with pytest.raises(ModelError, match="damaged or of another model"):
        lexicon.read(tmp_path, 16)
    path = tmp_path / lexicon.FILE
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ModelError, match="damaged or of another model"):
        lexicon.read(tmp_path, 8)
