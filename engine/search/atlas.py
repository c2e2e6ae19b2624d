"""The atlas: how the perceptor sees each of the generator's classes; made once for a pair and kept."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import normalize

from engine.errors import ModelError
from engine.models.folders import CLASSES
from engine.models.generator import Generator
from engine.models.perceptor import Perceptor
from engine.search import cutouts

FILE = "atlas.safetensors"
SAMPLES = 4  # pictures a class
BATCH = 16  # pictures scored together
AT_ONCE = 4  # of them rendered together: what a batch of four needs stays in a processor's cache


@torch.no_grad()
def make(
    generator: Generator,
    perceptor: Perceptor,
    device: torch.device,
    names: Sequence[Sequence[str]] = (),
    told: Callable[[int], object] = bool,
) -> Tensor:
    """The mean of the perceptor's features of `SAMPLES` pictures of each class, of unit length.

    `names` are what each class is called, in any number of languages, or nothing: where they are known, half
    of a class's feature is that of its names, which a small perceptor knows better than a soft picture.
    Returns [classes, d], float32, on the CPU; always the same for the same models. `told` hears after each
    batch how many classes are done. Raises `ModelError` when there are more or fewer names than classes.
    """
    if names and len(names) != generator.classes:
        raise ModelError(f"The generator has {generator.classes} classes, but its names are {len(names)}.")
    z = torch.randn(SAMPLES, generator.z_dim, generator=torch.Generator().manual_seed(0))
    z = generator.latent_map.plain(z)
    features: list[Tensor] = []
    for classes in torch.arange(generator.classes).split(BATCH):
        each = torch.stack(
            [seen(generator, perceptor, row.expand(len(classes), -1), classes, device) for row in z]
        )  # [SAMPLES, batch, d]
        features.append(normalize(each.mean(0), dim=1).cpu())
        told(int(classes[-1]) + 1)
    pictures = torch.cat(features)
    if not names:
        return pictures
    called = torch.stack([perceptor.encode_texts(some).mean(0) for some in names]).cpu()
    return normalize(pictures + normalize(called, dim=1), dim=1)


_NAME = "name_"  # and a language: a key of `classes.json`


def names_by_language(folder: Path) -> dict[str, list[str]]:
    """What each class is called in the languages that name them all; empty where there are no names.

    Raises `ModelError`.
    """
    entries = _read_names(folder)
    languages = [key for key in (entries[0] if entries else {}) if all(each.get(key) for each in entries)]
    return {key.removeprefix(_NAME): [each[key] for each in entries] for key in languages}


def read_names(folder: Path) -> list[list[str]]:
    """What the generator's classes are called, from its `classes.json`; empty where there is none.

    The file is a list with an object a class, whose `name_…` values are its names. Raises `ModelError`.
    """
    return [list(each.values()) for each in _read_names(folder)]


def _read_names(folder: Path) -> list[dict[str, str]]:
    path = folder / CLASSES
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        found = [
            {key: value for key, value in each.items() if key.startswith(_NAME) and value} for each in entries
        ]
        if not all(some and all(isinstance(name, str) for name in some.values()) for some in found):
            raise ValueError("a class has no name")
    except FileNotFoundError:
        return []
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ModelError(f"The model file {path} cannot be read: {error}.") from error
    return found


@torch.no_grad()
def seen(
    generator: Generator, perceptor: Perceptor, z: Tensor, classes: Tensor, device: torch.device
) -> Tensor:
    """Unit features [n, d] of whole pictures from z [n, z_dim] and classes [n], all rows alike."""
    weights = torch.zeros(len(classes), generator.classes)
    weights[torch.arange(len(classes)), classes] = 1
    rows = (len(classes), generator.rows, -1)
    return seen_rows(generator, perceptor, z[:, None].expand(rows), weights[:, None].expand(rows), device)


@torch.no_grad()
def seen_rows(
    generator: Generator, perceptor: Perceptor, z: Tensor, class_weights: Tensor, device: torch.device
) -> Tensor:
    """Unit features [n, d] of whole pictures from z [n, rows, z_dim] and class weights [n, rows, classes]."""
    whole = (torch.zeros(1), torch.zeros(1), torch.ones(1))
    at_once = AT_ONCE if device.type == "cpu" else max(len(z), 1)
    views: list[Tensor] = []
    for some_z, some_weights in zip(z.split(at_once), class_weights.split(at_once), strict=True):
        picture = generator.sheet(some_z.to(device), some_weights.to(device))  # [some, 3, h, w]
        views.append(cutouts.cut((picture + 1) / 2, whole, perceptor.size, "triangle"))
    return perceptor.encode_images(torch.cat(views))


def read(path: Path, fingerprint: str) -> Tensor | None:
    """The atlas [classes, d] in `path`, or None when there is none, or it is of other models."""
    try:
        with safe_open(path, framework="pt") as file:
            if (file.metadata() or {}).get("fingerprint") == fingerprint:
                return file.get_tensor("features").float()
    except (OSError, SafetensorError):
        return None
    return None


def write(path: Path, atlas: Tensor, fingerprint: str) -> None:
    """Keep the atlas [classes, d] as float16, under its final name only when whole. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    try:
        save_file({"features": atlas.half()}, partial, metadata={"fingerprint": fingerprint})
        partial.replace(path)
    except SafetensorError as error:
        raise OSError(str(error)) from error
    finally:
        partial.unlink(missing_ok=True)
