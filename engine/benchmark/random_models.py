"""Models of exactly the published layout with random numbers: as fast as the real ones, and free to have."""

import json
from pathlib import Path
from typing import Any

import torch

from engine.models import catalogue, installed
from engine.models.catalogue import RemoteModel

VOCABULARY = 49408  # CLIP's word pieces


def write(model: RemoteModel, folder: Path) -> None:
    """The model's files in `folder`: BigGAN a legacy pickle, CLIP safetensors and a tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    if model in catalogue.BIGGANS:
        config = installed.biggan_config(model)
        (folder / "config.json").write_text(installed.as_json(config))
        torch.save(
            biggan(config).state_dict(), folder / "pytorch_model.bin", _use_new_zipfile_serialization=False
        )
        return
    from transformers import CLIPConfig, CLIPModel  # here: slow

    with torch.random.fork_rng():
        torch.manual_seed(2)
        clip = CLIPModel(CLIPConfig(**without_type(installed.clip_config(model.name)))).eval()
    clip.save_pretrained(folder)
    _write_vocabulary(folder)


def biggan(config: dict[str, Any], seed: int = 0) -> Any:
    """The package's own model with random weights, statistics, and settled spectral norms, in eval mode."""
    from pytorch_pretrained_biggan import BigGAN, BigGANConfig  # here: slow

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = BigGAN(BigGANConfig.from_dict(config))
        for name, tensor in model.state_dict().items():
            if name.endswith("running_vars"):
                tensor.uniform_(0.3, 2)
            elif name.endswith(("running_means", "bn.bias")):
                tensor.normal_(std=0.3)
            elif name.endswith(("bn.weight", "gamma")):
                tensor.uniform_(0.5, 1.5)
        with torch.no_grad():  # a few passes in training mode let the power iteration settle u and v
            z, label = torch.randn(1, config["z_dim"]), torch.rand(1, config["num_classes"])
            for _ in range(3):
                model.train()(z, label, 1.0)
    return model.eval()


def _write_vocabulary(folder: Path) -> None:
    """A tokenizer with as many word pieces as CLIP's; words are read letter by letter."""
    from transformers import CLIPTokenizer  # here: slow

    alphabet = letters()
    words = [*alphabet, *(letter + "</w>" for letter in alphabet)]
    words += [f"unused{index}</w>" for index in range(VOCABULARY - 2 - len(words))]
    words += ["<|startoftext|>", "<|endoftext|>"]
    write_tokenizer(CLIPTokenizer(vocab={word: i for i, word in enumerate(words)}, merges=[]), folder)


def letters() -> list[str]:
    """What stands for each of the 256 bytes in CLIP's vocabulary."""
    themselves = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in themselves]
    return [chr(byte) for byte in themselves] + [chr(256 + index) for index in range(len(rest))]


def write_tokenizer(tokenizer: Any, folder: Path) -> None:
    """The tokenizer's files as they are published."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(tokenizer.get_vocab()))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "CLIPTokenizer"}))


def without_type(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration's values for its constructor."""
    plain = {key: value for key, value in config.items() if key not in ("model_type", "architectures")}
    for part in ("text_config", "vision_config"):
        plain[part] = {key: value for key, value in plain[part].items() if key != "model_type"}
    return plain
