"""More pictures for a finished small CLIP, on a few squares of colour."""

import logging
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.models import perceptor
from engine.pocket.clip import PocketClip
from engine.pocket.grounds import GROUNDS
from engine.training import train_pictures
from engine.training.train_perceptor import TOKENIZER_FILES
from tests.engine.training.squares import SMALL, lines, maker


@pytest.fixture
def weights(folder: Path) -> Path:
    """A small perceptor that knows grounds, as it lies on disk."""
    torch.manual_seed(0)
    path = folder / "weights"
    PocketClip(replace(SMALL, vocab_size=516, grounds=len(GROUNDS))).save(path)
    for name in TOKENIZER_FILES:
        shutil.copy(folder / "tokenizer" / name, path / name)
    return path


def arguments(folder: Path, pictures: int, *more: str) -> list[str]:
    return [
        "--data", str(folder), "--weights", str(folder / "weights"), "--pictures", str(pictures),
        "--batch", "24", "--rate", "5e-3", *more,
    ]  # fmt: skip


def likeness(folder: Path, weights: Path) -> float:
    """The mean cosine of new pictures and their captions."""
    batch = maker(folder, lines(folder)[:4], np.ones(4)).make(96)
    seen = PocketClip.load(weights).encode_image(batch.pictures)
    said = perceptor.load(weights, "small", torch.device("cpu")).encode_texts(batch.texts[:96])
    return float((seen * said).sum(1).mean())


def test_pictures_come_nearer_to_their_texts_and_only_their_tower_changes(
    folder: Path, weights: Path
) -> None:
    before, apart = PocketClip.load(weights).state_dict(), likeness(folder, weights)
    assert train_pictures.main(arguments(folder, 24 * 40)) == 0
    after = PocketClip.load(weights).state_dict()
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert not any(name.startswith(("token", "text_", "image_grounds")) for name in changed)
    assert {"image_layers.0.weight", "image_projection.weight", "place_projection.weight"} <= changed
    assert likeness(folder, weights) > apart + 0.1


def test_a_training_goes_on_where_it_stopped_and_says_when_nothing_is_left(
    folder: Path, weights: Path, caplog: pytest.LogCaptureFixture
) -> None:
    train_pictures.main(arguments(folder, 48))
    first = (weights / "model.safetensors").read_bytes()
    with caplog.at_level(logging.INFO):
        logging.getLogger().addHandler(caplog.handler)
        train_pictures.main(arguments(folder, 48))
        assert (weights / "model.safetensors").read_bytes() == first
        train_pictures.main(arguments(folder, 96))
    kept = torch.load(folder / train_pictures.CHECKPOINT, weights_only=True)
    assert (kept["step"], kept["pictures"]) == (4, 96)
    assert (weights / "model.safetensors").read_bytes() != first


def test_a_run_that_ended_before_its_weights_were_written_brings_them(folder: Path, weights: Path) -> None:
    before = (weights / "model.safetensors").read_bytes()
    train_pictures.main(arguments(folder, 48))
    after = (weights / "model.safetensors").read_bytes()
    (weights / "model.safetensors").write_bytes(before)
    train_pictures.main(arguments(folder, 48))
    assert (weights / "model.safetensors").read_bytes() == after


def test_two_processes_share_the_pictures(folder: Path, weights: Path) -> None:
    before = (weights / "model.safetensors").read_bytes()
    assert train_pictures.main(arguments(folder, 96, "--processes", "2")) == 0
    kept = torch.load(folder / train_pictures.CHECKPOINT, weights_only=True)
    assert (kept["step"], kept["pictures"]) == (2, 96)
    assert (weights / "model.safetensors").read_bytes() != before
    assert not list(folder.glob("*.meeting"))


def test_a_caption_that_fits_another_picture_as_well_is_not_held_against_it(folder: Path) -> None:
    torch.manual_seed(0)
    model = PocketClip(SMALL).train()
    batch = maker(folder, lines(folder)[:4], np.ones(4)).make(24)
    texts = F.normalize(torch.randn(len(batch.texts), SMALL.dimension), dim=1)
    places = F.normalize(torch.randn(4, SMALL.dimension), dim=1)
    losses = train_pictures.batch_losses(model, batch, texts, places)
    strict = replace(batch, excused=torch.zeros_like(batch.excused))
    more = train_pictures.batch_losses(model, strict, texts, places)
    assert float(more["pair"].detach()) > float(losses["pair"].detach())
    torch.stack(list(losses.values())).sum().backward()
    learnt = {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert learnt == {name for name, _ in model.named_parameters() if train_pictures.is_of_pictures(name)}


def test_texts_by_length_come_back_in_their_order() -> None:
    asked = []

    def encode(texts: Sequence[str]) -> Tensor:
        asked.append(len(texts))
        return torch.tensor([[float(len(text))] for text in texts])

    texts = ["a" * length for length in (5, 1, 9, 2, 2, 7)]
    found = train_pictures.by_length(encode, 4)(texts)
    assert found.flatten().tolist() == [5, 1, 9, 2, 2, 7]
    assert asked == [4, 2]
