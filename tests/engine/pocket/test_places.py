"""What stands where: texts taken apart, vectors bound to places, the map of places taught to agree."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.pocket import places
from engine.pocket.captions import Captions
from engine.pocket.clip import PocketClip
from engine.pocket.tokens import load_tokenizer
from engine.training import scenes, train_places
from engine.training.batches import BatchMaker
from tests.engine.training.squares import SMALL, lines

WORDS = {"a cat": 0, "a dog": 1, "A cat": 0, "dog": 1}


def axes(texts: Sequence[str]) -> Tensor:
    """Each text an axis of its own, the known ones always the same."""
    numbers = [WORDS.get(text, 2 + i % 6) for i, text in enumerate(texts)]
    return torch.eye(16)[numbers]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a cat left of a dog", ("a cat", "left", "a dog")),
        ("A cat to the right of a dog", ("A cat", "right", "a dog")),
        ("a cat on top of a dog", ("a cat", "above", "a dog")),
        ("the moon under  the sea", ("the moon", "below", "the sea")),
        ("un gatto a sinistra dell'albero", ("un gatto", "left", "albero")),
        ("un gatto a destra di un cane", ("un gatto", "right", "un cane")),
        ("il sole SOPRA il mare", ("il sole", "above", "il mare")),
        ("una barca sotto un ponte", ("una barca", "below", "un ponte")),
    ],
)
def test_text_that_says_what_stands_where_is_taken_apart(text: str, found: tuple[str, str, str]) -> None:
    assert places.read(text) == found


@pytest.mark.parametrize(
    "text", ["a cat", "", "  ", "over the rainbow", "game over", "left of", "a clover field",
             "una sottoveste", "a cat on the left", "https://a.b/over"],
)  # fmt: skip
def test_any_other_text_is_left_whole(text: str) -> None:
    assert places.read(text) is None


def test_swapped_things_lie_apart_and_opposite_words_for_one_scene_lie_together() -> None:
    left, right, swapped, plain = places.encode_texts(
        ["a cat left of a dog", "a dog right of a cat", "a dog left of a cat", "a cat"], axes
    )
    torch.testing.assert_close(left, right)
    assert float(left @ swapped) < 0.9
    torch.testing.assert_close(plain, axes(["a cat"])[0])
    torch.testing.assert_close(left.norm(), torch.tensor(1.0))


def test_no_texts_give_no_vectors() -> None:
    assert places.encode_texts([], lambda texts: torch.empty(len(texts), 16)).shape == (0, 16)


def test_places_are_at_right_angles_to_one_another() -> None:
    vector = F.normalize(torch.randn(256, generator=torch.Generator().manual_seed(0)), dim=0)
    turned = torch.stack([vector, *(places.turned(vector, place) for place in places.PLACES)])
    assert float((turned @ turned.T - torch.eye(5)).abs().max()) < 0.25


def test_settling_teaches_what_stands_where_and_keeps_what_single_things_are(folder) -> None:
    described = lines(folder)[:4]
    captions, tokenizer = Captions(described), load_tokenizer(folder / "tokenizer")
    drawings = scenes.load_drawings(np.load(folder / "pictures.npy"), np.arange(4))
    torch.manual_seed(0)
    model = PocketClip(SMALL).eval().requires_grad_(False)
    model.token.weight.normal_()  # an untrained tower's texts would hardly differ

    def maker(seed: int) -> BatchMaker:
        return BatchMaker(described, drawings, np.ones(4), captions, tokenizer, seed)

    words = train_places.name_vectors(model, captions, tokenizer)
    pictures, *rest = maker(9).couples(96)
    right, wrong = train_places._texts(words, *rest)
    alone = maker(8).singles(48)
    for _ in range(30):  # the batch statistics of these pictures
        model.train().encode_image(pictures)
    model.eval()

    def told_apart() -> float:
        return float(((model.encode_image(pictures) * (right - wrong)).sum(1) > 0).float().mean())

    before, single = told_apart(), model.encode_image(alone)
    trunk = model.image_last.first.weight.clone()
    train_places.settle(model, maker(1), words, seed=0, batches=6, steps=120)
    assert told_apart() > max(0.8, before)
    assert float((model.encode_image(alone) * single).sum(1).mean()) > 0.9
    assert torch.equal(trunk, model.image_last.first.weight)
    assert not any(p.requires_grad for p in model.parameters())
