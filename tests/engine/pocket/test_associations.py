"""What words bring to mind: how phrases are read, which are, and how the file is kept."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from engine.errors import ModelError
from engine.models import registry
from engine.pocket import associations, lexicon
from tests.engine.pocket.test_lexicon import BOOK, place

# Two things: what purrs and what buzzes. 'night' is a little of both.
WORDS = {"purr": 0, "buzz": 1, "night": 2, "neck": 3}
VECTORS = torch.tensor([[1.0, 0.1], [0.1, 1.0], [0.7, 0.7], [0.0, 1.0]])
CAT, BEE = (BOOK.names["en"][name] for name in ("cat", "honeybee"))
SOME = associations.in_8_bits(list(WORDS), VECTORS, torch.eye(2), torch.tensor([CAT, BEE]))
READER = replace(BOOK, reminders=SOME)


def test_a_phrase_is_the_sum_of_its_words_in_any_form() -> None:
    for text in ("something that purrs", "purring", "it purred"):
        found = SOME.of(text)
        assert found is not None
        shares, near = found
        assert int(shares.argmax()) == 0
        assert float(shares.sum()) == pytest.approx(1)
        assert near > 0.95
    both = SOME.of("it purrs and buzzes")
    assert both is not None
    torch.testing.assert_close(both[0], torch.tensor([0.5, 0.5]))


def test_the_fewer_words_are_known_the_less_near_it_is() -> None:
    known, strange = SOME.of("purring"), SOME.of("purring blorbs")
    assert known is not None
    assert strange is not None
    assert strange[1] == pytest.approx(known[1] / 2**0.5)
    assert SOME.of("what is it that you are") is None
    assert SOME.of("blorbs") is None


def test_a_text_that_names_no_thing_is_moved_to_what_it_brings_to_mind() -> None:
    tower = F.normalize(torch.ones(1, 8), dim=1)
    found = READER.looked_up(["something that purrs"], tower)[0]
    share = lexicon.BROUGHT
    towards = F.normalize(share * BOOK.vectors[CAT] + (1 - share) * tower[0], dim=0)
    torch.testing.assert_close(found, towards, rtol=0, atol=1e-3)
    torch.testing.assert_close(BOOK.looked_up(["something that purrs"], tower), tower)


@pytest.mark.parametrize(
    "text",
    [
        "a purr and a buzz",
        "a red purr",
        "purr, night",
        "la night",
        "the purring cat",
        "a purring gorilla with a neck",
        "blorb",
    ],
)
def test_what_joins_things_names_one_has_a_colour_or_is_italian_or_strange_is_not(text: str) -> None:
    assert READER.brought(text) == (None, 0.0)


def test_a_thing_that_is_only_said_to_have_something_is_brought_to_mind() -> None:
    assert READER.brought("a creature with a neck")[0] is not None
    vector, near = READER.brought("night")
    assert vector is not None
    assert 0 < near <= 1
    torch.testing.assert_close(vector, place("cat", "cat-face", "honeybee"), rtol=0, atol=1)


def test_what_was_written_is_read_and_no_file_is_none(tmp_path: Path) -> None:
    assert associations.read(tmp_path, 8) is None
    SOME.write(tmp_path)
    again = associations.read(tmp_path, len(BOOK.vectors))
    assert again is not None
    assert again.words == WORDS
    torch.testing.assert_close(again.vectors, SOME.vectors)
    torch.testing.assert_close(again.most, VECTORS.amax(1), rtol=0, atol=1e-3)
    torch.testing.assert_close(again.rows, SOME.rows)
    BOOK.write(tmp_path)
    assert lexicon.read(tmp_path, 8).reminders is not None


def test_a_damaged_file_or_one_of_other_names_is_one_clear_error(tmp_path: Path) -> None:
    SOME.write(tmp_path)
    with pytest.raises(ModelError, match="damaged or of another model"):
        associations.read(tmp_path, 1)
    path = tmp_path / associations.FILE
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ModelError, match="damaged or of another model"):
        associations.read(tmp_path, len(BOOK.vectors))


@pytest.mark.parametrize(
    ("text", "things"),
    [
        ("an insect that makes honey", ("honeybee",)),
        ("something you wear on your feet", ("shoe", "boot", "sandal", "socks")),
        ("where books are kept", ("books", "book")),
    ],
)
def test_the_embedded_ones_know_what_loose_words_may_mean(text: str, things: tuple[str, ...]) -> None:
    names = lexicon.read(registry.POCKET / "perceptor", 256)
    vector, near = names.brought(text)
    assert vector is not None
    assert near > 0.5
    row = int((names.vectors @ vector).argmax())
    called = [name for name, other in names.names["en"].items() if other == row]
    assert any(thing in name for thing in things for name in called), called
