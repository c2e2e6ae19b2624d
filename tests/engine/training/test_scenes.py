"""Training pictures: drawings bent and outlined, and the generator's own."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.models import generator
from engine.training import dreamt, scenes
from tests.engine import tiny


def disc() -> torch.Tensor:
    """A red disc in the middle: float [1, 4, 64, 64], colours multiplied by alpha."""
    line = torch.linspace(-1, 1, 64)
    inside = (line[:, None] ** 2 + line**2 < 0.4).float()
    return torch.stack([inside, 0 * inside, 0 * inside, inside])[None]


def test_outlined_drawing_keeps_its_shape_and_loses_its_colour() -> None:
    picture = scenes.over(scenes.outlined(disc()), torch.ones(1, 3, 64, 64))
    assert float(picture[0, :, 32, 32].min()) > 0.85
    assert float((picture[0, 0] - picture[0, 1])[28:36, 28:36].max()) < 0.15
    edge = 32 + round(32 * 0.4**0.5)
    assert float(picture[0, :, 32, edge - 1 : edge + 1].max()) < 0.3
    assert float(picture[0, :, 2, 2].min()) == 1


def test_bent_drawing_is_the_same_thing_a_little_elsewhere() -> None:
    drawing = (torch.nn.functional.interpolate(disc(), size=96) * 255).to(torch.uint8).expand(20, -1, -1, -1)
    zero, one = torch.zeros(20), torch.ones(20)
    layout = scenes.Layout(zero, zero, one, zero, one)
    straight = scenes.place(drawing, layout, 64)
    bend = scenes.bends(20, 64, torch.Generator().manual_seed(3))
    assert bend.shape == (20, 64, 64, 2)
    bent = scenes.place(drawing, layout, 64, bend)
    assert 0.005 < float((bent - straight).abs().mean()) < 0.1
    assert float(bent[:, 3].mean()) == pytest.approx(float(straight[:, 3].mean()), rel=0.1)


def test_dreamt_pictures_are_rendered_kept_and_read_as_opaque_drawings(tmp_path: Path) -> None:
    tiny.write_biggan(tmp_path / "generator")
    classes = [{"id": f"thing-{i}"} for i in range(tiny.BIGGAN["num_classes"])]
    (tmp_path / "generator" / "classes.json").write_text(json.dumps(classes))
    lines = [
        {"concept": f"thing-{i}", "style": "emojione", "split": "unseen_vendor", "held_out": i == 1}
        for i in range(3)
    ]
    (tmp_path / "pictures.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    arguments = ["--data", str(tmp_path), "--weights", str(tmp_path / "generator")]
    assert dreamt.main(arguments) == 0
    described, pictures = dreamt.load(tmp_path)
    assert pictures.shape == (3 * dreamt.EACH, 4, 96, 96)
    assert int(pictures[:, 3].min()) == 255
    assert {d["style"] for d in described} == {scenes.DREAMT}
    assert [d["split"] for d in described[:3]] == ["train", "unseen_concept", "train"]


def test_where_none_were_dreamt_there_are_none(tmp_path: Path) -> None:
    described, pictures = dreamt.load(tmp_path)
    assert described == []
    assert len(pictures) == 0


def test_the_same_generator_dreams_the_same_pictures(tmp_path: Path) -> None:
    tiny.write_biggan(tmp_path)
    model = generator.load(tmp_path, "tiny", torch.device("cpu"))
    assert np.array_equal(dreamt.render(model, 1), dreamt.render(model, 1))
