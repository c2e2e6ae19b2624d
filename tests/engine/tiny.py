"""Makes a tiny BigGAN-deep and a tiny CLIP with random weights, in the large models' exact layout."""

import json
from pathlib import Path
from typing import Any

import torch
from pytorch_pretrained_biggan import BigGAN
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

from engine.benchmark.random_models import biggan, letters, write_tokenizer

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


def write_biggan(folder: Path, config: dict[str, Any] = BIGGAN) -> BigGAN:
    """A generator's folder, its weights a legacy pickle as the published ones are."""
    folder.mkdir(parents=True, exist_ok=True)
    model: BigGAN = biggan(config)
    (folder / "config.json").write_text(json.dumps(config))
    torch.save(model.state_dict(), folder / "pytorch_model.bin", _use_new_zipfile_serialization=False)
    return model


def write_clip(folder: Path) -> CLIPModel:
    """A perceptor's folder: config.json, model.safetensors, tokenizer."""
    alphabet = letters()
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


def write_models(data_dir: Path) -> None:
    """Tiny models where a user would put the large ones: `biggan-deep-128` and ViT-B/32."""
    write_biggan(data_dir / "models" / "biggan-deep-128")
    write_clip(data_dir / "models" / "clip-vit-base-patch32")
