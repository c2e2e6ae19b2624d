"""Writes models of exactly the published layout with random numbers, for trials without the real weights.

`python -m tests.engine.published FOLDER NAME ...` writes them as a mirror has them: FOLDER/<model>/<file>.
"""

import sys
from pathlib import Path
from typing import Any

import torch
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

from engine.models import catalogue, installed
from engine.models.catalogue import RemoteModel
from tests.engine import tiny

VOCABULARY = 49408  # CLIP's word pieces


def write(model: RemoteModel, folder: Path) -> None:
    """The model's files in `folder`: BigGAN a legacy pickle, CLIP safetensors and a tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    if model in catalogue.BIGGANS:
        config = installed.biggan_config(model)
        (folder / "config.json").write_text(installed.as_json(config))
        weights = tiny.random_biggan(config).state_dict()
        torch.save(weights, folder / "pytorch_model.bin", _use_new_zipfile_serialization=False)
        return
    with torch.random.fork_rng():
        torch.manual_seed(2)
        clip = CLIPModel(CLIPConfig(**without_type(installed.clip_config(model.name)))).eval()
    clip.save_pretrained(folder)
    write_tokenizer(folder)


def write_tokenizer(folder: Path) -> None:
    """A tokenizer with as many word pieces as CLIP's; words are read letter by letter."""
    letters = [*range(33, 127), *range(161, 173), *range(174, 256)]  # the bytes that stand for themselves
    rest = [byte for byte in range(256) if byte not in letters]
    alphabet = [chr(byte) for byte in letters] + [chr(256 + index) for index in range(len(rest))]
    words = [*alphabet, *(letter + "</w>" for letter in alphabet)]
    words += [f"unused{index}</w>" for index in range(VOCABULARY - 2 - len(words))]
    words += ["<|startoftext|>", "<|endoftext|>"]
    tiny.write_tokenizer(CLIPTokenizer(vocab={word: i for i, word in enumerate(words)}, merges=[]), folder)


def hollow(weights: dict[str, torch.Tensor], path: Path) -> None:
    """A PyTorch file with tensors of these names and shapes that hold one repeated number: a small file."""
    tensors = {key: torch.full((1,), 0.5).expand(value.shape) for key, value in weights.items()}
    torch.save(tensors, path, _use_new_zipfile_serialization=False)


def without_type(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration's values for its constructor."""
    plain = {key: value for key, value in config.items() if key not in ("model_type", "architectures")}
    for part in ("text_config", "vision_config"):
        plain[part] = {key: value for key, value in plain[part].items() if key != "model_type"}
    return plain


if __name__ == "__main__":
    for name in sys.argv[2:]:
        remote = catalogue.named(name)
        write(remote, Path(sys.argv[1]) / remote.folder)
        for file in sorted((Path(sys.argv[1]) / remote.folder).iterdir()):
            print(f"{file}: {file.stat().st_size:,} bytes")  # noqa: T201
