"""The stage of words alone: names go where their things lie, and take their colours and company along."""

import numpy as np
import torch

from engine.pocket.captions import Captions
from engine.pocket.clip import PocketClip
from engine.pocket.tokens import load_tokenizer
from engine.training import teacher, train_words
from engine.training.space import Space
from tests.engine.training.squares import SMALL, describe, lessons

NAMES = ("ruby", "leaf", "sea", "coal")
CAPTIONS = Captions([describe(name, "noto", "train") for name in NAMES])


def test_joined_texts_come_with_their_parts() -> None:
    texts, parts = train_words.joined(CAPTIONS, 30, np.random.default_rng(0))
    assert len(texts) == len(parts) == 30
    assert {len(some) for some in parts} == {1, 2}
    for text, some in zip(texts, parts, strict=True):
        for alone, concept in some:
            name = alone.split()[-1]
            assert name in text
            assert CAPTIONS.slugs[concept] in (name, name[:-1])  # the Italian ones end in a


def test_names_come_to_lie_where_their_things_lie_and_pictures_stay(folder, monkeypatch) -> None:
    monkeypatch.setattr(train_words, "LESSONS", 24)
    monkeypatch.setattr(train_words, "JOINED", 12)
    torch.manual_seed(0)
    tokenizer = load_tokenizer(folder / "tokenizer")
    model, space = PocketClip(SMALL).eval().requires_grad_(False), Space(lessons().concepts, SMALL.dimension)
    pictures = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        space.own.normal_()
        place = space.vectors()[0][CAPTIONS.index("leaf")]
    taught = teacher.Lessons(
        ["leaf", "leafa"], np.array([4, 5]), lessons().concepts[[CAPTIONS.index("leaf")] * 2],
        torch.ones(2), lessons().concepts,
    )  # fmt: skip

    def said() -> float:
        tokens = tokenizer(["a leaf"], return_tensors="pt")
        return float(model.encode_text(tokens["input_ids"], tokens["attention_mask"])[0] @ place)

    before, seen = said(), model.encode_image(pictures)
    school = teacher.Class(taught, tokenizer, 18, seed=1)
    train_words.settle(model, space, school, CAPTIONS, tokenizer, seed=1, steps=40)
    assert said() > max(0.6, before + 0.2)
    assert torch.equal(model.encode_image(pictures), seen)
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_only_the_text_tower_s_weights_are_words() -> None:
    names = [name for name, _ in PocketClip(SMALL).named_parameters() if train_words.is_of_texts(name)]
    assert "token.weight" in names
    assert not any("image" in name or "place" in name for name in names)
