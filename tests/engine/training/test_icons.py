"""Icons: which of a set's show a thing, what they are called, and how those of one colour are coloured."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.training import scenes
from engine.training.concepts import (
    Concept,
    gives_away,
    singular,
    words_held_out,
)
from engine.training.data import glyph, render
from engine.training.icons import meaning, names_of, read_icons
from engine.training.sources import ICON_SETS, SOURCES, IconSet
from engine.training.wordnet import Nouns

SQUARE = '<path fill="currentColor" d="M2 2h20v20H2z"/>'
RING = '<path fill="none" stroke="currentColor" stroke-width="3" d="M4 4h16v16H4z"/>'


def concept(name: str, code: str, *keywords: str) -> Concept:
    return Concept(code, name.replace(" ", "-"), name, keywords, "", (), "objects", "x", True)


CONCEPTS = {"1": concept("axe", "1", "tool", "hatchet"), "2": concept("dog face", "2", "tool"),
            "3": concept("cherries", "3")}  # fmt: skip


@pytest.fixture
def nouns(tmp_path: Path) -> Nouns:
    """Anvils and hoods can be seen, justice cannot; a link is a thing only in WordNet's second sense."""
    words = {
        "anvil": ("06", ["anvil", "smith_block"]),
        "hood": ("06", ["hood"]),
        "justice": ("07", ["justice"]),
    }
    data = [f"{n:08d} {kind} n {len(w):02x} " + " ".join(f"{x} 0" for x in w) + " 000 | gloss"
            for n, (kind, w) in enumerate(words.values(), 1)]  # fmt: skip
    index = [f"{lemma} n 1 0 1 1 {n:08d}" for n, lemma in enumerate(words, 1)]
    index.append("link n 2 0 2 1 00000003 00000001")
    (tmp_path / "data.noun").write_text("  1 licence\n" + "\n".join(data) + "\n")
    (tmp_path / "index.noun").write_text("  1 licence\n" + "\n".join(index) + "\n")
    return Nouns.read(tmp_path)


def test_wordnet_tells_what_can_be_seen_by_the_commonest_sense(nouns: Nouns) -> None:
    assert [nouns.visible(word) for word in ("anvil", "justice", "link", "nothing such")] == [
        True, False, False, False,
    ]  # fmt: skip
    assert nouns.synonyms["anvil"] == ("smith block",)


@pytest.mark.parametrize(
    ("name", "pictures", "said"),
    [
        ("axe", False, "axe"),
        ("axes", False, "axe"),
        ("tool axe", False, "axe"),  # 'tool' says nothing more
        ("cherry", False, "cherry"),
        ("dog", False, "dog"),
        ("anvil alt", False, "anvil"),
        ("anvils", False, "anvil"),
        ("justice", False, None),
        ("file axe", False, None),
        ("warlock hood", False, None),  # on a button this may be anything
        ("warlock hood", True, "warlock hood"),
        ("a very long anvil", True, None),
    ],
)
def test_an_icon_s_words_name_a_known_concept_or_something_that_can_be_seen(
    nouns: Nouns, name: str, pictures: bool, said: str | None
) -> None:
    assert meaning(name.split(), names_of(CONCEPTS.values()), nouns, pictures) == said


def write_set(folder: Path, licence: str, icons: dict[str, str]) -> None:
    folder.mkdir()
    (folder / "info.json").write_text(json.dumps({"license": {"spdx": licence}}))
    bodies = {name: {"body": body} for name, body in icons.items()}
    (folder / "icons.json").write_text(json.dumps({"width": 24, "height": 24, "icons": bodies}))


def test_a_set_gives_its_things_once_for_each_wanted_variant(tmp_path: Path, nouns: Nouns) -> None:
    names = ("axe", "axe-filled", "axe-2", "axe-thin", "anvil", "arrow-left", "justice")
    write_set(tmp_path / "set", "MIT", dict.fromkeys(names, SQUARE))
    wanted = IconSet("style", "package", "MIT", True, "-filled|(?<!-thin)", each=1)
    found = list(read_icons(tmp_path / "set", wanted, CONCEPTS, nouns))
    assert [(i.drawing, i.words, i.code) for i in found] == [
        ("axe", "axe", "1"), ("axe-filled", "axe", "1"), ("anvil", "anvil", ""),
    ]  # fmt: skip
    assert found[2].keywords == ("smith block",)
    assert 'viewBox="0 0 24 24"' in found[0].svg


def test_a_set_under_another_licence_than_it_was_is_refused(tmp_path: Path, nouns: Nouns) -> None:
    write_set(tmp_path / "set", "GPL-2.0-only", {"axe": SQUARE})
    with pytest.raises(ValueError, match=r"under GPL-2\.0-only, not MIT"):
        list(read_icons(tmp_path / "set", IconSet("style", "package", "MIT", True), CONCEPTS, nouns))


def test_icon_sets_are_free_to_train_on_and_none_draws_what_tests_show() -> None:
    assert {s.licence for s in ICON_SETS} <= {"MIT", "Apache-2.0", "CC-BY-3.0", "CC-BY-4.0", "CC0-1.0"}
    assert not any(kept in s.package for s in ICON_SETS for kept in ("emojione", "openmoji"))
    styles = [s.style for s in (*SOURCES, *ICON_SETS)]
    assert len(set(styles)) == len(styles)


def test_a_drawing_named_like_a_held_out_concept_is_held_out() -> None:
    words = words_held_out(list(CONCEPTS.values()), {"axe"})
    for name in ("axe", "battle-axe", "Axes", "small hatchets"):
        assert gives_away(name, words), name
    for name in ("tool", "relaxed dog", "cherries"):  # 'tool' is the dog's keyword too
        assert not gives_away(name, words), name


@pytest.mark.parametrize(
    ("plural", "one"),
    [("axes", "axe"), ("boxes", "box"), ("cherries", "cherry"), ("glass", "glass"), ("cactus", "cactus"),
     ("matches", "match"), ("red hats", "red hat"), ("bus", "bus")],
)  # fmt: skip
def test_plain_plurals_are_undone(plural: str, one: str) -> None:
    assert singular(plural) == one


def drawn(body: str) -> np.ndarray:
    pytest.importorskip("resvg_py")
    picture = render(f'<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24">{body}</svg>')
    assert picture is not None
    return glyph(picture)


def test_a_glyph_is_ink_on_the_paper_that_it_encloses() -> None:
    ring = drawn(RING)
    assert ring[64, 64].tolist() == [255, 255, 255, 255]  # inside: paper
    assert ring[64, 21].tolist() == [0, 0, 0, 255]  # the line
    assert ring[2, 2, 3] == 0  # outside
    assert drawn(SQUARE)[64, 64].tolist() == [0, 0, 0, 255]


def test_a_glyph_is_open_where_its_line_is() -> None:
    cup = drawn('<path fill="none" stroke="currentColor" stroke-width="3" d="M4 4v16h16V4"/>')
    assert cup[64, 64, 3] == 0


def test_inked_glyphs_stand_out_from_their_ground_in_ever_new_colours() -> None:
    stored = torch.from_numpy(drawn(RING)).permute(2, 0, 1)[None].float() / 255
    stored[:, :3] *= stored[:, 3:]
    layers = stored.expand(60, -1, -1, -1)
    for light in (0.0, 1.0):
        ground = torch.full((60, 3, 128, 128), light)
        made = scenes.inked(layers, ground, torch.Generator().manual_seed(1))
        assert float((made[:, :3] - made[:, 3:]).max()) <= 1e-5  # colours multiplied by alpha
        bare = made[:, 3, 64, 64] < 0.01
        assert 15 < int(bare.sum()) < 45
        line = scenes.over(made, ground)[:, :, 64, 21]
        assert float((line - light).abs().mean(1)[bare].min()) > 0.1
        assert len({tuple(colour) for colour in line.round(decimals=2).tolist()}) > 50
