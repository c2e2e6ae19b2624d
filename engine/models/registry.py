"""The pairs of generator and perceptor that can dream, where their files lie, and which one `auto` means."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch

from engine.errors import BadRequest, ModelError
from engine.models import catalogue, files
from engine.models.catalogue import MIB, RemoteModel
from engine.models.generator import TAIL_FILE
from engine.pocket import lexicon
from engine.sentences import Key
from engine.settings import CLIPS, DREAM_CLIP, clips

POCKET = Path(__file__).parents[1] / "pocket" / "weights"

# What one dream of a large pair needs of a GPU's memory: weights, a step at 512 px, and cutouts in chunks.
GPU_NEED = 3584 * MIB  # bytes


@dataclass(frozen=True)
class Pair:
    """A generator and the perceptor, or two as one, that dream together."""

    name: str  # one of engine.settings.MODELS but "auto"
    generator: Path  # folder with config.json and weights
    perceptors: tuple[Path, ...]  # folders with config.json, weights and tokenizer
    generator_name: str
    perceptor_names: tuple[str, ...]
    clip: str = ""  # the perceptors as engine.settings.clips reads them; "" where there is no choice
    remote: tuple[RemoteModel, ...] = ()  # what can be fetched of it, generator first

    def present(self) -> bool:
        """Whether all folders hold a model, unread."""
        return all(files.has_weights(folder) for folder in (self.generator, *self.perceptors))


def pair(name: str, data_dir: Path, clip: str = "") -> Pair:
    """The pair of this name; `clip`: its perceptors, as `engine.settings.clips` reads them.

    Raises `ModelError` for a name that is none of `engine.settings.MODELS`, `BadRequest` for such a clip.
    """
    if name == "pocket":
        return Pair(
            name,
            POCKET / "generator",
            (POCKET / "perceptor",),
            "pocket BigGAN-deep 128",
            ("pocket CLIP",),
        )
    big = next((model for model in catalogue.BIGGANS if model.name == name), None)
    if big is None:
        raise ModelError(f"There is no model named {name!r}.")
    try:
        names = clips(clip or CLIPS[0])
    except ValueError as error:
        raise BadRequest(Key.CLIP_UNKNOWN, clip=clip[:80], allowed=DREAM_CLIP.allowed) from error
    remote = [catalogue.named(one) for one in names]
    models = data_dir / "models"
    return Pair(
        name,
        models / big.folder,
        tuple(models / one.folder for one in remote),
        big.title,
        tuple(one.title for one in remote),
        "+".join(names),
        (big, *remote),
    )


def resolve(name: str, data_dir: Path, device: torch.device, clip: str = "", fetch: bool = False) -> Pair:
    """The pair that a request's model means on this machine; it may have to be fetched first.

    "auto" is biggan-deep-512 on a GPU with `GPU_NEED` bytes free, if its files are there or `fetch` says
    that they may be fetched; else pocket. Raises as `pair` does.
    """
    if name != "auto":
        return pair(name, data_dir, clip)
    large = pair("biggan-deep-512", data_dir, clip)
    return large if _has_room(device) and (fetch or large.present()) else pair("pocket", data_dir)


def _has_room(device: torch.device) -> bool:
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free >= GPU_NEED
    return device.type != "cpu"  # Apple's GPUs share the machine's memory


def fingerprint(chosen: Pair) -> str:
    """A SHA-256 over all models' weights and learnt names, in hex: the same only for the very same models."""
    digest = hashlib.sha256()
    for folder in (chosen.generator, *chosen.perceptors):
        path = next(path for path in (folder / files.SAFETENSORS, folder / files.PYTORCH) if path.is_file())
        for each in (path, folder / lexicon.FILE, folder / TAIL_FILE):
            if each.is_file():
                with each.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
