"""The perceptor's training and its measuring, on a few squares of colour."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.pocket import scenes, train_perceptor
from engine.pocket.batches import BatchMaker
from engine.pocket.captions import Captions
from engine.pocket.clip import PocketClip, PocketClipConfig
from engine.pocket.evaluate import Examiner, _figure
from engine.pocket.tokens import load_tokenizer, write_tokenizer

COLOURS = {"ruby": (200, 0, 0), "leaf": (0, 180, 0), "sea": (0, 0, 200), "coal": (20, 20, 20)}
SMALL = PocketClipConfig(
    vocab_size=600, dimension=16, channels=(8, 8, 16, 16), blocks=(0, 0, 0, 1),
    text_width=16, text_layers=1, heads=2,
)  # fmt: skip


def describe(name: str, style: str, split: str) -> dict:
    return {
        "concept": name, "code": "1", "style": style, "split": split, "thing": True, "held_out": False,
        "group": "objects", "name_en": name, "keywords_en": ["stone", "old"], "name_it": name + "a",
        "keywords_it": ["sasso"],
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as `python -m engine.pocket data` leaves it, with a tokenizer."""
    lines, pictures = [], []
    for style, split in (("noto", "train"), ("emojione", "unseen_vendor"), ("openmoji", "test_only")):
        for name, colour in COLOURS.items():
            lines.append(json.dumps(describe(name, style, split)))
            picture = np.zeros((128, 128, 4), np.uint8)
            picture[16:112, 16:112] = (*colour, 255)
            pictures.append(picture)
    np.save(tmp_path / "pictures.npy", np.stack(pictures))
    (tmp_path / "pictures.jsonl").write_text("\n".join(lines) + "\n")
    vocabulary = tmp_path / "bpe.gz"
    vocabulary.write_bytes(gzip.compress(b"#version\nr u\nl e"))
    write_tokenizer(vocabulary, tmp_path / "tokenizer", 32)
    return tmp_path


def lines(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "pictures.jsonl").read_text().splitlines()]


def test_training_brings_pictures_and_their_words_together(folder: Path) -> None:
    descriptions = lines(folder)[:4]
    captions = Captions(descriptions)
    drawings = scenes.load_drawings(np.load(folder / "pictures.npy"), np.arange(4))
    tokenizer = load_tokenizer(folder / "tokenizer")
    batch = BatchMaker(descriptions, drawings, np.ones(4), captions, tokenizer, seed=1).make(24)
    torch.manual_seed(0)
    model, prototypes = PocketClip(SMALL), train_perceptor.Prototypes(4, SMALL.dimension)
    optimiser = torch.optim.AdamW([*model.parameters(), *prototypes.parameters()], lr=3e-3)
    totals = []
    for _ in range(25):
        losses = train_perceptor.batch_losses(model.train(), prototypes, batch)
        total = torch.stack(list(losses.values())).sum()
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        totals.append(float(total.detach()))
    assert set(losses) == {"pair", "picture", "text", "wrong"}
    assert totals[-1] < 0.8 * totals[0]


def test_texts_encoded_by_length_are_the_same_texts() -> None:
    torch.manual_seed(0)
    model = PocketClip(SMALL).eval()
    ids = torch.randint(0, 600, (9, 12))
    mask = (torch.arange(12) < torch.randint(2, 13, (9, 1))).long()
    torch.testing.assert_close(
        train_perceptor.encode_by_length(model, ids, mask), model.encode_text(ids, mask), rtol=1e-4, atol=1e-5
    )


def test_command_leaves_a_perceptor_and_a_checkpoint_and_goes_on_from_it(folder: Path) -> None:
    arguments = ["--data", str(folder), "--minutes", "0", "--batch", "8"]
    assert train_perceptor.main(arguments) == 0
    first = PocketClip.load(folder / "export" / "perceptor")
    assert len(load_tokenizer(folder / "export" / "perceptor")) == 256 * 2 + 2 + 2
    assert train_perceptor.main(arguments) == 0
    again = PocketClip.load(folder / "export" / "perceptor")
    assert torch.equal(first.token.weight, again.token.weight)
    assert "start at step 0 after 0.0 min: 4 pictures" in (folder / "perceptor.log").read_text()


def test_figures_count_ranks() -> None:
    similarity = torch.zeros(2, 20)
    similarity[0, 3] = 1.0
    similarity[1, :4] = torch.tensor([0.9, 0.8, 0.7, 0.1])
    figure = _figure("x", similarity, torch.tensor([3, 2]))
    assert (figure.among, figure.first, figure.five) == (20, 0.5, 1.0)


def test_examiner_asks_about_the_unseen_vendor_alone(folder: Path) -> None:
    torch.manual_seed(0)
    model = PocketClip(SMALL).eval().requires_grad_(False)
    examiner = Examiner(
        model, load_tokenizer(folder / "tokenizer"), lines(folder), np.load(folder / "pictures.npy")
    )
    assert examiner.rows("emojione").tolist() == [4, 5, 6, 7]
    assert examiner.names("it")["ruby"] == "una rubya"
    assert examiner.paraphrases()["leaf"] == "stone, old"
    pictures = examiner.on_white(examiner.rows("emojione"))
    assert pictures.shape == (4, 3, 64, 64)
    assert pictures[0, :, 32, 32].tolist() == pytest.approx([200 / 255, 0, 0], abs=0.01)
    assert pictures[0, :, 0, 0].tolist() == [1, 1, 1]
    assert examiner.naming("x", examiner.rows("emojione"), examiner.names("en")).among == 4
