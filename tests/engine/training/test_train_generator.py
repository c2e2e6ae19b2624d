"""The pocket generator's training: it learns, is resumed exactly, and exports what the engine loads."""

import json
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.models import generator
from engine.pocket.generator import PocketGenerator
from engine.training import train_generator
from engine.training.generator_data import Drawings
from engine.training.sources import STYLES
from engine.training.train_generator import HALVED_FROM, LARGE_FROM, LIKENESS_FROM, Training

CPU = torch.device("cpu")
NAMES = ("red", "green", "blue")
STEPS = 16


@pytest.fixture(autouse=True)
def few_in_full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few drawings a step; bfloat16, which halves memory, takes long where the processor has none."""
    monkeypatch.setattr(torch, "autocast", lambda *arguments, **options: nullcontext())
    for name, value in (("SMALL", 2), ("LARGE", 3), ("LIKENED", 1), ("HALVED", 0.34), ("LIKENED_EVERY", 1)):
        monkeypatch.setattr(train_generator, name, value)


@pytest.fixture(scope="module")
def drawings() -> Drawings:
    """Three classes: a red, a green and a blue square of a different size, each in two styles."""
    pictures = np.zeros((6, 256, 256, 4), np.uint8)
    number = torch.full((3, len(STYLES)), -1, dtype=torch.int16)
    for index, margin in enumerate((32, 64, 88)):
        for style in (0, 1):
            at = 2 * index + style
            inside = slice(margin + 16 * style, 256 - margin - 16 * style)
            pictures[at, inside, inside, index] = 230
            pictures[at, inside, inside, 3] = 255
            number[index, style] = at
    classes = [{"id": name, "name_en": name, "name_it": "", "styles": list(STYLES[:2])} for name in NAMES]
    return Drawings(pictures, number, torch.ones(6), classes)


@pytest.fixture(scope="module")
def learnt(drawings: Drawings) -> tuple[Training, list[float]]:
    """A training that has gone some steps, and the errors on its way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_generator, "SMALL", 2)
        patch.setattr(train_generator, "WARM_UP", 5)
        training = Training(drawings, seed=1, rate=2e-3, device=CPU)
        errors = [sum(training.paint(0.0).values()) for _ in range(STEPS)]
    return training, errors


def test_training_lowers_the_error_and_brings_the_average_nearer(
    learnt: tuple[Training, list[float]], drawings: Drawings
) -> None:
    training, errors = learnt
    assert sum(errors[-4:]) < 0.6 * sum(errors[:4])
    wanted = drawings.read(torch.arange(6))
    begun = Training(drawings, seed=1, rate=2e-3, device=CPU)
    with torch.no_grad():
        before, after = (
            (some.average.decoder(some.average(wanted)) - wanted).square().mean()
            for some in (begun, training)
        )
    assert after < 0.8 * before
    assert (training.samples, training.step) == (2 * STEPS, STEPS)


def test_steps_grow_are_halved_and_are_judged_by_the_perceptor_as_time_goes_on(drawings: Drawings) -> None:
    training = Training(drawings, seed=1, rate=2e-3, device=CPU)
    assert set(training.paint(0.0)) == {"error", "squared"} and training.samples == 2
    assert HALVED_FROM < LIKENESS_FROM < LARGE_FROM
    assert set(training.paint(LARGE_FROM)) == {"error", "squared", "unlike"} and training.samples == 5


def test_a_training_is_resumed_to_the_same_bits(drawings: Drawings, tmp_path: Path) -> None:
    training = Training(drawings, seed=1, rate=2e-3, device=CPU)
    training.paint(0.0)
    training.write(tmp_path / "checkpoint.pt")
    other = Training(drawings, seed=2, rate=2e-3, device=CPU)
    other.read(tmp_path / "checkpoint.pt")
    assert (other.samples, other.step) == (training.samples, training.step)
    assert other.paint(0.6) == training.paint(0.6)
    for part in ("model", "average"):
        mine, theirs = (getattr(some, part).state_dict() for some in (training, other))
        assert all(torch.equal(value, theirs[name]) for name, value in mine.items())
    assert torch.equal(other.codes(), training.codes())


def test_a_checkpoint_of_other_classes_is_refused(drawings: Drawings, tmp_path: Path) -> None:
    Training(drawings, seed=1, rate=1e-3, device=CPU).write(tmp_path / "checkpoint.pt")
    fewer = Drawings(drawings.pictures, drawings.number[:2], drawings.weights, drawings.classes[:2])
    with pytest.raises(ValueError, match="other classes"):
        Training(fewer, seed=1, rate=1e-3, device=CPU).read(tmp_path / "checkpoint.pt")


def shown(made: PocketGenerator, number: int) -> Tensor:
    """The drawing [4, 256, 256] of a class in the second style."""
    z = torch.zeros(1, made.rows, made.z_dim)
    z[:, 0, 1] = 2
    weights = torch.zeros(1, made.rows, made.classes)
    weights[..., number] = 1
    with torch.no_grad():
        return made.drawings(z, weights)[0]


def test_what_was_trained_is_what_the_engine_loads(
    learnt: tuple[Training, list[float]], drawings: Drawings, tmp_path: Path
) -> None:
    training, _ = learnt
    training.export(tmp_path / "made")
    assert {path.name for path in (tmp_path / "made").iterdir()} == {
        "model.safetensors", "config.json", "classes.json",
    }  # fmt: skip
    made = generator.load(tmp_path / "made", "made", CPU)
    assert isinstance(made, PocketGenerator) and made.classes == 3 and made.codes.styles == len(STYLES)
    entries = json.loads((tmp_path / "made" / "classes.json").read_text(encoding="utf-8"))
    assert [entry["id"] for entry in entries] == list(NAMES)
    for number in range(3):
        wanted = drawings.read(drawings.number[number, 1:2].long())
        with torch.no_grad():
            mine = training.average.decoder(training.average(wanted)).clamp(0, 1)[0]
        assert mine.std() > 0.05
        assert (shown(made, number) - mine).abs().mean() < 5e-3  # up to half precision and eight bits


def test_the_command_goes_on_where_it_was_and_exports(
    drawings: Drawings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(train_generator, "read_drawings", lambda *_: drawings)
    places = ["--out", str(tmp_path / "out"), "--export", str(tmp_path / "export"), "--threads", "1"]
    assert train_generator.main([*places, "--minutes", "0.005"]) == 0
    first = torch.load(tmp_path / "out" / "checkpoint.pt", weights_only=True)
    assert first["step"] >= 1 and first["seconds"] >= 0.3
    assert train_generator.main([*places, "--minutes", str(first["seconds"] / 60 + 0.005)]) == 0
    second = torch.load(tmp_path / "out" / "checkpoint.pt", weights_only=True)
    assert second["step"] > first["step"] and second["samples"] > first["samples"]
    assert generator.load(tmp_path / "export", "made", CPU).size == 512
    assert "3 classes, 6 drawings" in (tmp_path / "out" / "generator.log").read_text(encoding="utf-8")
