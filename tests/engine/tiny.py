"""Makes a tiny BigGAN-deep and a tiny CLIP with random weights, in the large models' exact layout."""

import json
from pathlib import Path
from typing import Any

import torch
from pytorch_pretrained_biggan import BigGAN, BigGANConfig
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

BIGGAN = {
    "output_dim": 32,
    "z_dim": 16,
    "class_embed_dim": 16,
    "channel_width": 8,
    "num_classes": 12,
    "layers": [[False, 16, 16], [True, 16, 8], [True, 8, 4], [True, 4, 2], [False, 2, 1]],
    "attention_layer_position": 3,
    "eps": 1e-4,
    "n_stats": 51,
}
TOKENS = 77  # as CLIP's


def random_biggan(config: dict[str, Any], seed: int = 0) -> BigGAN:
    """The package's own model with random weights, statistics, and settled spectral norms, in eval mode."""
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


def write_biggan(folder: Path, config: dict[str, Any] = BIGGAN) -> BigGAN:
    """A generator's folder, its weights a legacy pickle as the published ones are."""
    folder.mkdir(parents=True, exist_ok=True)
    model = random_biggan(config)
    (folder / "config.json").write_text(json.dumps(config))
    torch.save(model.state_dict(), folder / "pytorch_model.bin", _use_new_zipfile_serialization=False)
    return model


def write_clip(folder: Path) -> CLIPModel:
    """A perceptor's folder: config.json, model.safetensors, tokenizer."""
    letters = [*range(33, 127), *range(161, 173), *range(174, 256)]  # the bytes that stand for themselves
    rest = [byte for byte in range(256) if byte not in letters]
    alphabet = [chr(byte) for byte in letters] + [chr(256 + index) for index in range(len(rest))]
    words = [*alphabet, *(letter + "</w>" for letter in alphabet), "<|startoftext|>", "<|endoftext|>"]
    tokenizer = CLIPTokenizer(vocab={word: index for index, word in enumerate(words)}, merges=[])
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    ends = {"bos_token_id": len(words) - 2, "eos_token_id": len(words) - 1, "pad_token_id": len(words) - 1}
    config = CLIPConfig(
        text_config={**tower, **ends, "vocab_size": len(words), "max_position_embeddings": TOKENS},
        vision_config={**tower, "image_size": 32, "patch_size": 8},
        projection_dim=24,
    )
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = CLIPModel(config).eval()
    model.save_pretrained(folder)
    write_tokenizer(tokenizer, folder)
    return model


def write_tokenizer(tokenizer: CLIPTokenizer, folder: Path) -> None:
    """The tokenizer's files as they are published."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(tokenizer.get_vocab()))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "CLIPTokenizer"}))


def write_models(data_dir: Path) -> None:
    """Tiny models where a user would put the large ones: `biggan-deep-128` and ViT-B/32."""
    write_biggan(data_dir / "models" / "biggan-deep-128")
    write_clip(data_dir / "models" / "clip-vit-base-patch32")
