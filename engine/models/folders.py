"""A model's folder: what its files are called, and whether they are there. Standard library only."""

from pathlib import Path

CONFIG = "config.json"
SAFETENSORS, PYTORCH = "model.safetensors", "pytorch_model.bin"  # the weights: the first that is there
TOKENIZER = ("vocab.json", "merges.txt", "tokenizer_config.json")
CLASSES = "classes.json"  # what a generator's classes are called
NAMES = "names.safetensors"  # of a perceptor: words that it knows by heart


def has_weights(folder: Path) -> bool:
    """Whether the folder holds a configuration and weights, unread."""
    return (folder / CONFIG).is_file() and any((folder / name).is_file() for name in (SAFETENSORS, PYTORCH))
