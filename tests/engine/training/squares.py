"""What a perceptor learns from in tests: drawings that are squares of four colours, in three styles."""

import gzip
import json
from pathlib import Path

import numpy as np
import torch

from engine.pocket.captions import Captions
from engine.pocket.clip import PocketClipConfig
from engine.pocket.tokens import load_tokenizer, write_tokenizer
from engine.training import scenes, teacher
from engine.training.batches import BatchMaker

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


def write(folder: Path) -> None:
    """Fill a folder as `python -m engine.training data` leaves it, with a tokenizer and a teacher's
    lessons."""
    lines, pictures = [], []
    for style, split in (("noto", "train"), ("emojione", "unseen_vendor"), ("openmoji", "test_only")):
        for name, colour in COLOURS.items():
            lines.append(json.dumps(describe(name, style, split)))
            picture = np.zeros((128, 128, 4), np.uint8)
            picture[16:112, 16:112] = (*colour, 255)
            pictures.append(picture)
    np.save(folder / "pictures.npy", np.stack(pictures))
    (folder / "pictures.jsonl").write_text("\n".join(lines) + "\n")
    vocabulary = folder / "bpe.gz"
    vocabulary.write_bytes(gzip.compress(b"#version\nr u\nl e"))
    write_tokenizer(vocabulary, folder / "tokenizer", 32)
    teacher.write(folder / teacher.FILE, lessons())


def lessons() -> teacher.Lessons:
    """Two known words and one that is not, at right angles to each other; the concepts are the first axes."""
    return teacher.Lessons(
        ["ruby", "rubya", "sorrow"], np.array([0, 1, 2]), torch.eye(6)[[3, 3, 5]],
        torch.tensor([1.0, 1.0, 0.2]), torch.eye(6)[:4],
    )  # fmt: skip


def lines(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "pictures.jsonl").read_text().splitlines()]


def maker(folder: Path, descriptions: list[dict], weights: np.ndarray) -> BatchMaker:
    drawings = scenes.load_drawings(np.load(folder / "pictures.npy"), np.arange(len(descriptions)))
    tokenizer = load_tokenizer(folder / "tokenizer")
    return BatchMaker(descriptions, drawings, weights, Captions(descriptions), tokenizer, seed=1)
