"""Named grounds: texts taken apart, vectors added, a head of the picture tower taught to agree."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.pocket import grounds, places, texts
from engine.pocket.captions import Captions
from engine.pocket.clip import PocketClip, coarse
from engine.pocket.grounds import GROUNDS
from engine.pocket.lexicon import Lexicon
from engine.pocket.tokens import load_tokenizer
from engine.training import painted, scenes, train_grounds
from engine.training.batches import SIDE, BatchMaker
from engine.words.grounds import PAINTED
from tests.engine.training.squares import SMALL, lines

WORDS = {"a cat": 0, "a dog": 1, "a bridge": 2, "a bridge at night": 3, "a day at the beach": 4}


def axes(texts: Sequence[str]) -> Tensor:
    """Each text an axis of its own, the known ones always the same."""
    return torch.eye(64)[[WORDS.get(text, 5 + i % 50) for i, text in enumerate(texts)]]


def read_by_axes(*texts_: str, names: Lexicon | None = None, known: int = len(GROUNDS)) -> Tensor:
    return texts.encode(texts_, axes, names, known)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a cat at night", ("a cat", "night")),
        ("An owl  under the stars!", ("An owl", "night")),
        ("un gatto di notte", ("un gatto", "night")),
        ("a castle at dusk", ("a castle", "sunset")),
        ("un castello al tramonto", ("un castello", "sunset")),
        ("fire in the sky", ("fire", "sky")),
        ("un uccello tra le nuvole", ("un uccello", "sky")),
        ("a cow in a green field", ("a cow", "meadow")),
        ("una volpe nell’erba", ("una volpe", "meadow")),
        ("un cane sulla spiaggia", ("un cane", "beach")),
        ("a house in the snow", ("a house", "snow")),
        ("a camel in the desert", ("a camel", "desert")),
        ("a boat on the sea", ("a boat", "sea")),
        ("un'anatra nell'acqua", ("un'anatra", "sea")),
        ("a fish under the sea", ("a fish", "underwater")),
        ("un razzo nello spazio", ("un razzo", "space")),
        ("a fox in the woods", ("a fox", "forest")),
        ("un'auto per strada", ("un'auto", "street")),
        ("a cat under a tree, at night", ("a cat under a tree", "night")),
        ("una casa nel bosco di notte", ("una casa nel bosco", "night")),
        ("a day at the beach", ("a day at the beach", "beach")),
        ("lost in space", ("lost in space", "space")),
        ("una bella giornata al mare", ("una bella giornata al mare", "beach")),
    ],
)
def test_text_that_ends_in_a_ground_is_taken_apart(text: str, found: tuple[str, str]) -> None:
    assert grounds.read(text) == found


@pytest.mark.parametrize(
    "text", ["a cat", "", "  ", "at night", "in the snow", "di notte", "a knight", "a bee on a sunflower",
             "seaside", "a night at the opera", "midnight", "https://a.b/in space", "snow in the box"],
)  # fmt: skip
def test_any_other_text_is_left_whole(text: str) -> None:
    assert grounds.read(text) == (text, None)


def test_what_is_said_of_each_ground_is_read_as_it_in_both_languages() -> None:
    assert list(grounds.SAID) == [*GROUNDS, *PAINTED]
    for ground, phrases in grounds.SAID.items():
        for thing, phrase in zip(("a cat", "un gatto"), phrases, strict=True):
            assert grounds.read(f"{thing} {phrase}") == (thing, ground)


def test_a_text_as_long_as_a_message_is_read_at_once() -> None:
    for text in ("in the " * 600, "a , " * 1000, "a" + " " * 4000 + "x", "at night" * 500, "a" + "!" * 4000):
        grounds.read(text)  # the suite's timeout is the proof


@pytest.mark.parametrize("dimension", [16, 64, 256])
def test_grounds_are_unit_vectors_at_right_angles(dimension: int) -> None:
    rows = grounds.vectors(dimension)
    torch.testing.assert_close(rows @ rows.T, torch.eye(len(GROUNDS)))


def test_a_text_on_a_ground_lies_near_its_thing_and_nearer_to_the_same_ground() -> None:
    night, dog, beach, plain = read_by_axes("a cat at night", "a dog at night", "a cat on the beach", "a cat")
    torch.testing.assert_close(plain, axes(["a cat"])[0])
    torch.testing.assert_close(night.norm(), torch.tensor(1.0))
    expected = F.normalize(plain + grounds.BOUND * grounds.vectors(64)[GROUNDS.index("night")], dim=0)
    torch.testing.assert_close(night, expected)
    assert float(night @ plain) > float(night @ beach) > float(night @ dog)


def test_a_ground_is_added_to_what_stands_where() -> None:
    both, scene = read_by_axes("a cat under a dog at night", "a cat under a dog")
    torch.testing.assert_close(scene, places.composed(axes(["a cat"])[0], "below", axes(["a dog"])[0]))
    assert 0.85 < float(both @ scene) < 0.95


def test_a_name_by_heart_is_never_taken_apart() -> None:
    names = Lexicon(
        {"en": {"bridge at night": 0}, "it": {}}, {"en": {}, "it": {}}, torch.eye(64)[60:61], frozenset()
    )
    bridge, castle = read_by_axes("a bridge at night", "a castle at night", names=names)
    torch.testing.assert_close(bridge, names.vectors[0])
    assert float(castle @ grounds.vectors(64)[0]) > 0.3


def test_words_that_name_no_thing_stay_whole_beside_their_ground() -> None:
    day = read_by_axes("a day at the beach")[0]
    whole = axes(["a day at the beach"])[0]
    torch.testing.assert_close(day, grounds.composed(whole[None], torch.eye(12)[4:5])[0])


def test_weights_that_know_no_grounds_read_texts_whole() -> None:
    asked = ["a cat at night", "a cat left of a dog at night"]
    whole = places.encode_texts(asked, axes)
    torch.testing.assert_close(read_by_axes(*asked, known=0), whole)
    first, beach = read_by_axes("a cat at night", "a cat on the beach", known=1)
    assert float(first @ grounds.vectors(64)[0]) > 0.3
    torch.testing.assert_close(beach, axes(["x", "a cat on the beach"])[1])
    assert texts.encode([], lambda some: torch.empty(len(some), 16), None, 12).shape == (0, 16)


def test_settling_teaches_the_grounds_and_changes_nothing_else(folder, monkeypatch) -> None:
    monkeypatch.setattr(train_grounds, "COUNT", 48)
    described = lines(folder)[:4]
    captions, tokenizer = Captions(described), load_tokenizer(folder / "tokenizer")
    drawings = scenes.load_drawings(np.load(folder / "pictures.npy"), np.arange(4))
    torch.manual_seed(0)
    model = PocketClip(SMALL).eval().requires_grad_(False)

    def maker(seed: int) -> BatchMaker:
        return BatchMaker(described, drawings, np.ones(4), captions, tokenizer, seed)

    before = {name: value.clone() for name, value in model.state_dict().items()}
    random_state = torch.get_rng_state()
    finished = train_grounds.settled(model, maker(1), seed=0, batches=24, steps=150)
    assert torch.equal(torch.get_rng_state(), random_state)
    assert model.config.grounds == 0
    for name, value in finished.state_dict().items():
        assert name.startswith("image_grounds.") or torch.equal(value, before[name])
    assert not any(p.requires_grad for p in finished.parameters())

    seen, numbers = train_grounds.pictures(maker(9), 12, torch.Generator().manual_seed(9))
    logits = F.pad(finished.image_grounds(seen.float()), (1, 0))
    assert float((logits.argmax(1) == numbers + 1).float().mean()) > 0.6  # chance is a thirteenth

    white = torch.ones(1, 3, SIDE, SIDE)
    assert float((finished.encode_image(white) @ model.encode_image(white).T)[0, 0]) > 0.97
    night = painted.paint(torch.zeros(8, dtype=torch.int64), SIDE, torch.Generator().manual_seed(3))
    bare, named = (m.encode_image(night) @ grounds.vectors(SMALL.dimension)[0] for m in (model, finished))
    assert float((named - bare).mean()) > 0.15
    torch.testing.assert_close(finished.ground(night).sum(1) < 1.0001, torch.ones(8, dtype=torch.bool))


def test_a_head_of_grounds_survives_its_files_and_older_files_have_none(tmp_path) -> None:
    torch.manual_seed(0)
    for count in (0, len(GROUNDS)):
        shape = SMALL.__class__(**{**vars(SMALL), "grounds": count})
        PocketClip(shape).save(tmp_path)
        model = PocketClip.load(tmp_path)
        assert model.config.grounds == count
        pixels = torch.rand(2, 3, 64, 64, requires_grad=True)
        rows = model.encode_image(pixels)
        torch.testing.assert_close(rows.norm(dim=1), torch.ones(2))
    model.ground(pixels)[:, 0].sum().backward()
    assert pixels.grad is not None
    assert (pixels.grad != 0).all()
    assert coarse(pixels).shape == (2, 3, 16, 16)
