"""The lessons of the text tower: names, WordNet and a sentence model; how they are made, kept and drawn."""

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.pocket.captions import Captions
from engine.pocket.tokens import load_tokenizer, write_tokenizer
from engine.training import teacher

DESCRIPTIONS = [
    {
        "concept": name, "thing": True, "group": "animals-nature", "name_en": name, "keywords_en": [other],
        "name_it": italian, "keywords_it": ["bestia"],
    }
    for name, other, italian in (("cat", "kitten", "gatto"), ("dog", "puppy", "cane"))
]  # fmt: skip
NOUNS = {  # lemma → (number, WordNet's file of it, how many of its senses are tagged)
    "lynx": (1, "05", 0), "cat": (2, "05", 1), "justice": (3, "07", 1), "ablation": (4, "04", 0),
    "great_lynx": (5, "05", 0),
}  # fmt: skip


def letters(texts: Sequence[str]) -> Tensor:
    """A teacher who goes by the letters that a text has."""
    counts = [[text.count(chr(c)) for c in range(97, 123)] for text in texts]
    return F.normalize(torch.tensor(counts, dtype=torch.float32) + 1e-3, dim=1)


@pytest.fixture
def wordnet(tmp_path: Path) -> Path:
    index = [f"{word} n 1 1 @ 1 {tagged} {number:08d}" for word, (number, _, tagged) in NOUNS.items()]
    (tmp_path / "index.noun").write_text("  1 licence\n" + "\n".join(index) + "\n")
    data = [f"{number:08d} {kind} n 01 {word} 0 000 | gloss" for word, (number, kind, _) in NOUNS.items()]
    (tmp_path / "data.noun").write_text("  1 licence\n" + "\n".join(data) + "\n")
    (tmp_path / "index.adj").write_text(
        "  1 licence\nsweet a 1 1 & 1 1 00000001\nrare a 1 1 & 1 0 00000002\n"
    )
    return tmp_path


def test_wordnet_gives_visible_things_and_usual_words(wordnet: Path) -> None:
    nouns, adjectives = teacher.read_wordnet(wordnet, {"cat"})
    assert nouns == ["lynx", "justice"]
    assert adjectives == ["sweet"]


def test_italian_words_lie_where_the_things_lie_that_they_name(wordnet: Path) -> None:
    lessons = teacher.prepare(Captions(DESCRIPTIONS), letters, wordnet, phrases=5)
    place = dict(zip(lessons.texts, lessons.vectors, strict=True))
    torch.testing.assert_close(place["gatto"], lessons.concepts[0])
    torch.testing.assert_close(place["cat"], lessons.concepts[0])
    both = F.normalize(lessons.concepts.mean(0), dim=0)
    torch.testing.assert_close(place["bestia"], both)
    assert np.bincount(lessons.kinds).tolist() == [2, 1, 2, 5, 2, 2]
    torch.testing.assert_close(lessons.vectors.norm(dim=1), torch.ones(len(lessons.texts)))


def test_the_farther_from_all_that_is_drawn_the_less_a_word_shows(wordnet: Path) -> None:
    lessons = teacher.prepare(Captions(DESCRIPTIONS), letters, wordnet, phrases=5)
    near = dict(zip(lessons.texts, lessons.nearness.tolist(), strict=True))
    assert near["cat"] == near["gatto"] == 1
    assert near["lynx"] < 1
    assert near["lynx"] < near["justice"] or near["justice"] < 1
    assert set(lessons.nearness[lessons.kinds == 3].tolist()) == {1}


def test_a_phrase_lies_among_the_things_that_it_names_and_a_mood_near_what_it_brings_to_mind(
    wordnet: Path,
) -> None:
    lessons = teacher.prepare(Captions(DESCRIPTIONS), letters, wordnet, phrases=300)
    place = dict(zip(lessons.texts, lessons.vectors, strict=True))
    both = F.normalize(place["cat"] + place["lynx"], dim=0)
    phrase = next(text for text in lessons.texts if "cat" in text.split() and "lynx" in text.split())
    assert float(place[phrase] @ both) > 0.8
    mood = place["something sweet"]
    assert float((mood @ lessons.concepts.T).max()) > 0.7
    assert all("[" not in text for text in lessons.texts)


def test_names_of_what_is_no_emoji_are_lessons_of_their_own(wordnet: Path) -> None:
    described = [*DESCRIPTIONS, {**DESCRIPTIONS[0], "concept": "clip-yak", "name_en": "yak", "name_it": ""}]
    lessons = teacher.prepare(Captions(described), letters, wordnet, phrases=5)
    kinds = dict(zip(lessons.texts, lessons.kinds.tolist(), strict=True))
    assert (teacher.KINDS[kinds["yak"]], teacher.KINDS[kinds["cat"]]) == ("other name", "name")


def test_lessons_come_back_as_they_were_written(wordnet: Path, tmp_path: Path) -> None:
    lessons = teacher.prepare(Captions(DESCRIPTIONS), letters, wordnet, phrases=5)
    teacher.write(tmp_path / "t.npz", lessons)
    again = teacher.read(tmp_path / "t.npz")
    assert again.texts == lessons.texts
    torch.testing.assert_close(again.vectors, lessons.vectors, rtol=0, atol=1e-3)
    torch.testing.assert_close(again.concepts, lessons.concepts)


def test_a_class_draws_the_same_lessons_for_the_same_seed_and_nonsense_among_them(
    wordnet: Path, tmp_path: Path
) -> None:
    lessons = teacher.prepare(Captions(DESCRIPTIONS), letters, wordnet, phrases=5)
    vocabulary = tmp_path / "bpe.gz"
    vocabulary.write_bytes(gzip.compress(b"#version\nc a\nd o"))
    write_tokenizer(vocabulary, tmp_path / "tokenizer", 32)
    tokenizer = load_tokenizer(tmp_path / "tokenizer")
    ids, mask, vectors, nearness = teacher.Class(lessons, tokenizer, 18, seed=4).draw(50)
    assert ids.shape == mask.shape == (50, ids.shape[1])
    assert ids.shape[1] <= 18
    assert vectors.shape == (50, 26)
    assert nearness[-7:].tolist() == [0] * 7
    assert float(vectors[-7:].abs().sum()) == 0
    same = teacher.Class(lessons, tokenizer, 18, seed=4).draw(50)
    assert torch.equal(ids, same[0])
    assert not torch.equal(ids, teacher.Class(lessons, tokenizer, 18, seed=5).draw(50)[0])
