"""The pairs of generator and perceptor that can dream, where their files lie, and which one `auto` means."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from engine import files
from engine.dream import DreamSettings
from engine.errors import ModelError

POCKET = Path(__file__).parent / "pocket" / "weights"

# The embedded models see 64 px and are cheap: fewer, smoother views; a start that the perceptor chose; a
# short average. A small rate, chosen by looking at dreams: 0.03 scores higher, but takes a cat's tail off.
POCKET_SETTINGS = DreamSettings(
    steps=60,
    learning_rate=0.015,
    cutouts=24,
    ema_decay=0.9,
    look_every=5,
    filter="triangle",
    start="scored",
)
BIGSLEEP_SETTINGS = DreamSettings()


@dataclass(frozen=True)
class Pair:
    """A generator and a perceptor that dream together."""

    name: str  # one of engine.settings.MODELS but "auto"
    generator: Path  # folder with config.json and weights
    perceptor: Path  # folder with config.json, weights and tokenizer
    generator_name: str
    perceptor_name: str
    settings: DreamSettings

    def present(self) -> bool:
        """Whether both folders hold a model, unread."""
        return files.has_weights(self.generator) and files.has_weights(self.perceptor)


def pair(name: str, data_dir: Path) -> Pair:
    """The pair of this name. Raises `ModelError` for a name that is none of `engine.settings.MODELS`."""
    if name == "pocket":
        return Pair(
            name,
            POCKET / "generator",
            POCKET / "perceptor",
            "pocket BigGAN-deep 128",
            "pocket CLIP",
            POCKET_SETTINGS,
        )
    if name not in ("biggan-deep-128", "biggan-deep-256", "biggan-deep-512"):
        raise ModelError(f"There is no model named {name!r}.")
    models = data_dir / "models"
    return Pair(
        name,
        models / name,
        models / "clip-vit-base-patch32",
        name.replace("biggan-deep", "BigGAN-deep"),
        "CLIP ViT-B/32",
        BIGSLEEP_SETTINGS,
    )


def resolve(name: str, data_dir: Path, device: str) -> Pair:
    """The pair that a request's model means on this machine; "auto" never fails.

    "auto" is biggan-deep-512 where a GPU (`device` "cuda" or "mps") and its files are, else pocket. Raises
    `ModelError` that says which files to put where when a named pair is not there.
    """
    if name == "auto":
        large = pair("biggan-deep-512", data_dir)
        return large if device != "cpu" and large.present() else pair("pocket", data_dir)
    chosen = pair(name, data_dir)
    for folder in (chosen.generator, chosen.perceptor):
        if not files.has_weights(folder):
            raise ModelError(
                f"The model {name} is not on this machine: {folder} must hold config.json and "
                f"{files.SAFETENSORS} or {files.PYTORCH}. The embedded model needs no files: pocket."
            )
    return chosen


def fingerprint(chosen: Pair) -> str:
    """A SHA-256 over both models' weights, in hex: the same only for the very same pair."""
    digest = hashlib.sha256()
    for folder in (chosen.generator, chosen.perceptor):
        path = next(path for path in (folder / files.SAFETENSORS, folder / files.PYTORCH) if path.is_file())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
