"""What the pocket generator draws is picked from the drawings: classes, styles, how often each is shown."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.training import generator_data
from engine.training.generator_data import (
    ASKED_OFTEN,
    FAMILIAR,
    FEWEST_STYLES,
    LEFT_OUT,
    familiarity,
    premultiplied,
    read_drawings,
    write_json,
)
from engine.training.sources import STYLES
from tests.engine.training.squares import describe

OFTEN, KNOWN = "cherries", next(name for name in sorted(FAMILIAR) if name not in ASKED_OFTEN | LEFT_OUT)
CONCEPTS = ("abacus", OFTEN, KNOWN, "coral")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Drawings as the data step leaves them: of each concept one in some styles, and some to be left out."""
    lines, pictures = [], []

    def add(concept: str, style: str, **more: object) -> None:
        lines.append(json.dumps(describe(concept, style, "train") | more))
        picture = np.zeros((256, 256, 4), np.uint8)
        picture[32:224, 32:224] = (len(pictures), 100, 200, 255)
        pictures.append(picture)

    for number, concept in enumerate(CONCEPTS):
        for style in STYLES[number : number + 4]:
            add(concept, style)
    add("abacus", STYLES[0], name_en="another")  # a second drawing in a style that it has
    for style in STYLES[: FEWEST_STYLES - 1]:
        add("rare", style)
    for style in STYLES:
        add("idea", style, thing=False)
        add(min(LEFT_OUT), style)
    for style in ("openmoji", "emojione"):
        add("coral", style)
    np.save(tmp_path / "drawings.npy", np.stack(pictures))
    (tmp_path / "drawings.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_things_with_enough_drawings_are_classes_each_with_one_drawing_a_style(folder: Path) -> None:
    data = read_drawings(folder)
    names = [entry["id"] for entry in data.classes]
    assert names == sorted(CONCEPTS)
    assert data.number.shape == (4, len(STYLES)) and data.number.dtype == torch.int16
    assert sorted(data.number[data.number >= 0].tolist()) == list(range(len(data.pictures)))
    original = [json.loads(line) for line in (folder / "drawings.jsonl").read_text().splitlines()]
    for index, row in enumerate(data.number.tolist()):
        assert [style for style, there in zip(STYLES, row, strict=True) if there >= 0] == data.classes[index][
            "styles"
        ]
        for style, number in zip(STYLES, row, strict=True):
            if number >= 0:
                record = original[int(data.pictures[number, 128, 128, 0])]  # its colour is its line
                assert (record["concept"], record["style"]) == (names[index], style)
                assert record["name_en"] != "another"


def test_what_is_asked_often_is_shown_most_and_what_is_familiar_more_than_the_rest(folder: Path) -> None:
    assert familiarity(OFTEN) > familiarity(KNOWN) > familiarity("abacus") > 0
    data = read_drawings(folder)
    names = [entry["id"] for entry in data.classes]
    for name in CONCEPTS:
        numbers = data.number[names.index(name)]
        assert torch.equal(data.weights[numbers[numbers >= 0].long()], torch.full((4,), familiarity(name)))


def test_few_classes_are_the_most_familiar_ones(folder: Path) -> None:
    data = read_drawings(folder, limit=2)
    assert [entry["id"] for entry in data.classes] == sorted((OFTEN, KNOWN))
    assert len(data.pictures) == len(data.weights) == 8 and int(data.number.max()) == 7


def test_a_drawing_is_read_as_the_decoder_makes_it(folder: Path) -> None:
    data = read_drawings(folder)
    found = data.read(torch.tensor([3, 0]))
    assert found.shape == (2, 4, 256, 256) and found.dtype == torch.float32
    assert not found[:, :, 0, 0].any()
    assert torch.allclose(found[:, 1:, 128, 128], torch.tensor([100, 200, 255]) / 255)
    straight = torch.tensor([[[[200, 100, 0, 51]]]], dtype=torch.uint8)
    assert torch.allclose(
        premultiplied(straight).flatten(), torch.tensor([200 / 255 / 5, 100 / 255 / 5, 0.0, 0.2])
    )


def test_without_drawings_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="run `python -m"):
        read_drawings(tmp_path)


def test_one_class_a_line(tmp_path: Path) -> None:
    entries = [{"id": "perché", "styles": ["noto"]}, {"id": "b"}]
    write_json(tmp_path / "classes.json", entries)
    text = (tmp_path / "classes.json").read_text(encoding="utf-8")
    assert json.loads(text) == entries and "perché" in text
    assert len(text.splitlines()) == 4


def test_what_is_shown_oftener_is_no_class_that_is_left_out() -> None:
    assert not (generator_data.ASKED_OFTEN | generator_data.FAMILIAR) & generator_data.LEFT_OUT
