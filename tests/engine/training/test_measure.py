"""The measure of the generator: its own pictures are at no distance, and only what it learnt is compared."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.pocket import generator
from engine.training import measure
from engine.training.measure import Redrawn, Wanted
from engine.training.perceptual import Perceptual

CLASSES = json.loads((measure.WEIGHTS / "classes.json").read_text())


def described(concept: str, style: str) -> dict:
    return {"concept": concept, "style": style}


def face(eye: int) -> Tensor:
    """A round face [1, 3, 128, 128] in -1..1 with two dark eyes of this radius in pixels."""
    down, across = torch.meshgrid(torch.arange(128), torch.arange(128), indexing="ij")
    picture = torch.ones(1, 3, 128, 128)
    picture[0, :, (down - 64) ** 2 + (across - 64) ** 2 < 50**2] = torch.tensor([0.9, 0.6, -0.5])[:, None]
    for x in (44, 84):
        picture[0, :, (down - 50) ** 2 + (across - x) ** 2 < eye**2] = -0.9
    return picture


def test_a_picture_looks_the_less_like_a_drawing_the_softer_it_is_and_least_without_eyes() -> None:
    perceptual = Perceptual.load()
    drawing = face(eye=8)
    softer = [F.interpolate(F.avg_pool2d(drawing, k), size=128, mode="bilinear") for k in (2, 4, 8)]
    far = [float(perceptual.distance(shown, drawing)) for shown in (drawing, *softer)]
    assert far[0] < 1e-6
    assert far == sorted(far)
    pale = drawing + (face(eye=0) - drawing).square().mean().sqrt()  # as wrong, by its pixels
    assert perceptual.distance(face(eye=0), drawing) > 2 * perceptual.distance(pale, drawing)


def test_the_generator_s_own_pictures_are_what_it_is_measured_to_draw(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [("cat", "noto"), ("cat", "twemoji"), ("pizza", "fluent-3d")]
    numbers = torch.tensor([[c["id"] for c in CLASSES].index(concept) for concept, _ in asked])
    generate = generator.load(measure.WEIGHTS, "generator", torch.device("cpu"))
    own = measure.draw(generate, numbers, [style for _, style in asked])  # [3, 3, size, size]
    pictures = torch.cat((own, -torch.ones_like(own[:1])))  # and a black square for what it draws otherwise
    values = ((pictures.permute(0, 2, 3, 1) / 2 + 0.5) * 255).round().clamp(0, 255).byte()
    np.save(tmp_path / "drawings.npy", F.pad(values, (0, 1), value=255).numpy())
    lines = [described(*one) for one in (*asked, ("rose", "noto"))]
    (tmp_path / "drawings.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    out = tmp_path / "redrawn.jsonl"
    assert measure.main(["--data", str(tmp_path), "--out", str(out)]) == 0
    *same, other = measure.read(out)
    assert [(one.concept, one.style) for one in same] == asked
    assert all(one.l1 < 0.004 and one.perceptual < 0.003 for one in same), same
    assert other.l1 > 0.5 and other.perceptual > 0.3
    assert (own[0] - own[1]).abs().mean() > 0.1, "else two styles could be mixed up unseen"
    told = capsys.readouterr().out
    assert "| twemoji | 1 |" in told and "| all | 4 |" in told and "another drawing" in told

    assert measure.main(["--data", str(tmp_path), "--against", str(out)]) == 0
    assert "(100% of" in capsys.readouterr().out


def test_only_drawings_that_a_class_has_learnt_are_wanted_and_each_once() -> None:
    classes = [{"id": "cat", "styles": ["noto", "inked"]}, {"id": "dog", "styles": ["noto"]}]
    concepts = ["dog", "cat", "cat", "cat", "bat"]
    styles = ["noto", "twemoji", "noto", "noto", "noto"]
    found = measure.wanted([described(*one) for one in zip(concepts, styles, strict=True)], classes)
    assert found == [Wanted(0, 1, "dog", "noto"), Wanted(2, 0, "cat", "noto")]


def test_what_is_compared_with_an_earlier_measurement_is_what_both_have() -> None:
    now = [Redrawn("cat", "noto", 0.1, 0.2), Redrawn("cat", "new", 0.5, 0.5)]
    before = [Redrawn("cat", "noto", 0.2, 0.8), Redrawn("dog", "noto", 0.9, 0.9)]
    lines = measure.table(measure.rows(now), before).splitlines()
    assert "| all | 1 | 0.1000 (50% of 0.2000) | 0.2000 (25% of 0.8000) |" in lines
    assert not any(line.startswith("| new") for line in lines)


def test_drawings_stand_on_white_and_large_ones_are_shrunk_by_area() -> None:
    pixels = np.zeros((1, 256, 256, 4), np.uint8)
    pixels[0, ::2] = (0, 0, 0, 255)
    white = measure.on_white(pixels)
    assert white[0, :, 0].max() == -1 and white[0, :, 1].min() == 1
    torch.testing.assert_close(measure.resized(white, 128), torch.zeros(1, 3, 128, 128))
    assert measure.resized(white, 512).shape == (1, 3, 512, 512)
