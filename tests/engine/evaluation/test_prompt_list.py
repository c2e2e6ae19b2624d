from collections import Counter
from pathlib import Path

import pytest

from engine.errors import BadRequest
from engine.evaluation.prompt_list import MIXTURES, Listed, read, some
from engine.words import counts, mixtures, nouns, scene


def test_the_hundred_are_a_hundred_in_their_groups() -> None:
    listed = read()
    assert Counter(one.group for one in listed) == {
        "plain": 60, "colour": 10, "pair": 10, "italian": 10, "loose": 10,
    }  # fmt: skip
    assert len({one.prompt.lower().removeprefix("a ").removeprefix("an ") for one in listed}) == 100


def test_the_mixtures_are_read_as_such_and_the_counts_as_several() -> None:
    listed = read(MIXTURES)
    groups = Counter(one.group for one in listed)
    assert groups.pop("count") == 12 and sum(groups.values()) == 24 and groups.keys() == set(mixtures.KINDS)
    for one in listed:
        found = mixtures.read(one.prompt, lambda thing: thing in nouns.ALL | {"teapot"})
        if one.group == "count":
            assert counts.read(one.prompt) is not None and scene.read(one.prompt) is None, one.prompt
        else:
            assert found is not None and found.kind == one.group, one.prompt
    assert not {one.prompt for one in listed} & {one.prompt for one in read()}


def test_what_must_be_recognised_stands_after_each_mixture() -> None:
    lines = MIXTURES.read_text(encoding="utf-8").splitlines()
    for one in read(MIXTURES):
        said = lines[lines.index(one.prompt) + 1]
        assert said.startswith("# ") and (one.group == "count" or "," in said), one.prompt


def test_a_list_may_have_groups_and_comments(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("\ufeff# mine\na cat\n\n[ Sea ]\n  a ship \n", encoding="utf-8")
    assert read(path) == [Listed("a cat", "prompts"), Listed("a ship", "Sea")]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "holds no prompts"),
        (b"# nothing\n[group]\n", "holds no prompts"),
        (b"a cat\na cat\n", "'a cat' twice"),
        (b"\xff\xfe\x00", "not a text in UTF-8"),
        (b"x" * 2_000_000, "too long"),
    ],
)
def test_what_is_no_list_is_one_clear_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(content)
    with pytest.raises(BadRequest, match=sentence):
        read(path)
    with pytest.raises(BadRequest, match="cannot be read: No such file"):
        read(tmp_path / "missing.txt")


def test_some_of_them_are_spread_over_the_list() -> None:
    listed = read()
    assert len(some(listed, 10)) == 10
    assert {one.group for one in some(listed, 10)} == {"plain", "colour", "pair", "italian", "loose"}
    assert some(listed, None) == some(listed, 1000) == listed
