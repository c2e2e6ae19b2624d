"""The judge's training and its measuring, on a few squares of colour."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.evaluation import prompt_list
from engine.models import perceptor
from engine.pocket.captions import COLOUR_NAMES, Captions
from engine.pocket.judge import GRAMS, Judge, JudgePerceptor
from engine.training import evaluate_judge, scenes, train_judge
from engine.training.evaluate_judge import DRAWINGS, Gallery
from engine.training.judge_batches import (
    FREE_TEXTS,
    HELD_OUT_STYLES,
    WRONG_PAIRS,
    JudgeBatchMaker,
    learnt,
    soften,
    with_families,
)
from engine.training.sources import SOURCES
from tests.engine.pocket.test_judge import TINY

COLOURS = {"cat": (200, 0, 0), "frog": (0, 180, 0), "crown": (0, 0, 200), "lion": (20, 20, 20)}
SPLITS = {source.style: source.split for source in SOURCES}


def describe(name: str, style: str) -> dict:
    return {
        "concept": name, "code": "1", "style": style, "split": SPLITS[style], "thing": True,
        "held_out": False, "group": "animals-nature", "subgroup": "animal-mammal", "name_en": name,
        "keywords_en": ["wild", "old"], "name_it": name + "a", "keywords_it": ["belva"],
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as `python -m engine.training data` leaves it."""
    lines, pictures = [], []
    for style in ("noto", "emojione", "twemoji", "openmoji"):
        for name, colour in COLOURS.items():
            lines.append(json.dumps(describe(name, style)))
            picture = np.zeros((128, 128, 4), np.uint8)
            picture[16:112, 16:112] = (*colour, 255)
            pictures.append(picture)
    np.save(tmp_path / "pictures.npy", np.stack(pictures))
    (tmp_path / "pictures.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path


def lines(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "pictures.jsonl").read_text().splitlines()]


def maker(folder: Path) -> JudgeBatchMaker:
    descriptions = with_families(lines(folder)[:4])
    drawings = scenes.load_drawings(np.load(folder / "pictures.npy"), np.arange(4))
    return JudgeBatchMaker(descriptions, drawings, np.ones(4), Captions(descriptions), TINY, seed=1)


def test_held_out_styles_and_the_test_set_are_never_learnt(folder: Path) -> None:
    assert {lines(folder)[i]["style"] for i in learnt(lines(folder))} == {"noto", "emojione"}
    assert {SPLITS[style] for style in HELD_OUT_STYLES} == {"train"}, "others than the perceptor's"


def test_families_have_names_in_both_languages(folder: Path) -> None:
    told = with_families(lines(folder)[:1])[0]
    assert "animal" in told["keywords_en"]
    assert "animale" in told["keywords_it"]


def test_a_batch_counts_its_texts(folder: Path) -> None:
    batch = maker(folder).make(24)
    tinted, pairs = len(batch.tinted), len(batch.pairs)
    assert (tinted, pairs) == (2, 3)
    texts = 24 + (len(COLOUR_NAMES) - 1) * tinted + WRONG_PAIRS * pairs + FREE_TEXTS * 24
    assert batch.pieces.shape[0] == texts
    assert batch.pieces.shape[2] == GRAMS
    assert batch.pictures.shape == (24, 3, 32, 32)
    assert float(batch.pictures.min()) >= 0
    assert float(batch.pictures.max()) < 1.00001
    torch.testing.assert_close(batch.picture_target.sum(1), torch.ones(24))
    torch.testing.assert_close(batch.text_target.sum(1), torch.ones(24 + FREE_TEXTS * 24))
    assert not batch.fits_picture[:pairs].any(), "two things are more than one of them"
    assert not batch.fits_picture.diagonal().any()


def test_softening_blurs_some_and_keeps_the_light() -> None:
    sharp = (torch.rand(40, 3, 16, 16, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    soft = soften(sharp.clone(), torch.Generator().manual_seed(1))
    changed = (soft != sharp).flatten(1).any(1)
    assert 4 <= int(changed.sum()) <= 25
    assert (soft[changed].std((2, 3)) < sharp[changed].std((2, 3))).all()
    assert float((soft - sharp).mean().abs()) < 0.02


def test_training_brings_pictures_and_their_words_together(folder: Path) -> None:
    batch = maker(folder).make(24)
    torch.manual_seed(0)
    model, anchors = Judge(TINY), train_judge.Anchors(4, TINY.dimension)
    optimiser = torch.optim.AdamW([*model.parameters(), *anchors.parameters()], lr=1e-2)
    totals = []
    for _ in range(25):
        losses = train_judge.batch_losses(model.train(), anchors, batch)
        total = torch.stack(list(losses.values())).sum()
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        totals.append(float(total.detach()))
    assert set(losses) == {"pair", "picture", "text", "colour", "both"}
    assert totals[-1] < 0.8 * totals[0]


def test_command_leaves_a_judge_and_a_checkpoint_and_goes_on_from_it(folder: Path) -> None:
    arguments = ["--data", str(folder), "--minutes", "0", "--batch", "8"]
    assert train_judge.main(arguments) == 0
    first = Judge.load(folder / "judge" / "export")
    assert train_judge.main([*arguments, "--seed", "3"]) == 0
    again = Judge.load(folder / "judge" / "export")
    assert torch.equal(first.pieces.weight, again.pieces.weight), "another seed would begin elsewhere"
    assert "start at step 0 after 0.0 min: 8 pictures" in (folder / "judge" / "judge.log").read_text()


def test_every_drawing_stands_for_a_prompt_of_the_list() -> None:
    prompts = {one.prompt for one in prompt_list.read()}
    assert set(DRAWINGS) <= prompts
    assert len(prompts - set(DRAWINGS)) <= 2


def test_the_gallery_shows_tints_and_pairs(folder: Path) -> None:
    gallery = Gallery(lines(folder), np.load(folder / "pictures.npy"), 32)
    blue = gallery.show("cat:blue", "twemoji")
    pair = gallery.show("frog + crown", "twemoji")
    assert blue is not None and pair is not None
    assert blue[0, 2, 16, 16] > blue[0, 0, 16, 16]
    assert pair[0, 1, 16, 8] > pair[0, 2, 16, 8]
    assert pair[0, 2, 16, 24] > pair[0, 1, 16, 24]
    assert pair[0, :, 0, 0].tolist() == [1, 1, 1]
    assert gallery.show("crown + zebra", "twemoji") is None


def test_measuring_prints_what_the_judge_finds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    Judge(TINY).save(folder / "judge")
    assert evaluate_judge.main(["--data", str(folder), "--weights", str(folder / "judge")]) == 0
    printed = capsys.readouterr().out
    assert "| twemoji | 5 |" in printed  # a cat, a lion, a frog, a crown, a frog wearing a crown
    assert "| openmoji, Italian | 4 |" in printed


def test_raw_pixels_fool_the_one_that_they_are_made_for_and_no_other() -> None:
    torch.manual_seed(0)
    one, two = (
        JudgePerceptor(Judge(TINY).eval().requires_grad_(False), "x", torch.device("cpu")) for _ in "ab"
    )
    prompts = ["a cat", "a frog", "the moon", "a castle", "una mela", "a rocket", "a sword", "a bee"]
    (first, cosine), (_, other) = evaluate_judge.fooled(one, two, prompts, every=1, steps=40)
    assert first >= 0.5
    assert cosine > other + 0.2


def test_naming_counts_right_names(folder: Path) -> None:
    class Sees:
        """Tells the four colours apart, and knows their names."""

        name, size = "sees", 32

        def encode_images(self, images: torch.Tensor) -> torch.Tensor:
            colours = torch.tensor([COLOURS[name] for name in COLOURS]) / 255
            middle = images[:, :, 16, 16]
            return torch.nn.functional.one_hot(torch.cdist(middle, colours).argmin(1), 4).float()

        def encode_texts(self, texts) -> torch.Tensor:
            return torch.stack([torch.tensor([float(name in text) for name in COLOURS]) for text in texts])

        def fitting(self, text: str) -> str:
            return text

    sees: perceptor.Perceptor = Sees()
    gallery = Gallery(lines(folder), np.load(folder / "pictures.npy"), 32)
    assert evaluate_judge.naming(sees, gallery, lines(folder), "twemoji", "en") == (4, 1.0, 1.0)
    found = evaluate_judge.ranks(sees, gallery, ["a cat", "a lion", "the sun"], "twemoji")
    assert found == {"a cat": [(1, "a cat")], "a lion": [(1, "a lion")]}
