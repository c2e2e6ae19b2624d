"""The large models on this machine: which are here, whether they are sound, taking in a user's files."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import torch

from engine.errors import BadRequest, DiskError, ModelError
from engine.models import (
    catalogue,
    contents,
    files,
    generator,
    perceptor,
)
from engine.models.catalogue import RemoteModel
from engine.models.checksums import fault, pin, pins, sha256_of
from engine.models.download import chosen
from engine.models.folders import CONFIG, PYTORCH, SAFETENSORS, TOKENIZER

CPU = torch.device("cpu")

_TENSORS, _TENSORS_A_BLOCK = 26, 48  # in a BigGAN-deep's file
_PATCH = "vision_model.embeddings.patch_embedding.weight"
_PATCHES = {(768, 32): "ViT-B/32", (768, 16): "ViT-B/16", (1024, 14): "ViT-L/14"}  # width, patch


class Soundness(StrEnum):
    """What `verify` found."""

    CHECKED = "the published checksum agrees"
    REMEMBERED = "unchanged since it came here; no checksum is published"
    FIRST = "seen for the first time; its checksum is remembered from now on"


@dataclass(frozen=True)
class Verdict:
    """One file's soundness."""

    file: Path
    soundness: Soundness


def as_json(config: dict[str, Any]) -> str:
    """A configuration as the published files spell it: byte for byte the same, for a BigGAN-deep."""
    return json.dumps(config, indent=2) + "\n"


def biggan_config(model: RemoteModel) -> dict[str, Any]:
    """The published configuration of a BigGAN-deep."""
    layers = []
    for block in model.blocks.split():
        before, after = block[1:].split("-")
        layers.append([block[0] == "T", int(before), int(after)])
    return {
        "attention_layer_position": 8,
        "channel_width": 128,
        "class_embed_dim": 128,
        "eps": 1e-4,
        "layers": layers,
        "n_stats": 51,
        "num_classes": 1000,
        "output_dim": model.side,
        "z_dim": 128,
    }


def clip_config(name: str) -> dict[str, Any]:
    """The configuration of a CLIP of `engine.settings.CLIPS`, for transformers' CLIPModel."""
    if name == "ViT-L/14":
        vision = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24}
        vision |= {"num_attention_heads": 16, "patch_size": 14}
        text = {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12}
        width = 768
    else:
        vision, text, width = {"patch_size": int(name.partition("/")[2])}, {}, 512
    return {
        "model_type": "clip",
        "architectures": ["CLIPModel"],
        "projection_dim": width,
        "text_config": {"model_type": "clip_text_model", "projection_dim": width, **text},
        "vision_config": {"model_type": "clip_vision_model", "projection_dim": width, **vision},
    }


def here(model: RemoteModel, models: Path) -> bool:
    """Whether every file of the model is in its folder, unread."""
    folder = models / model.folder
    return all(any((folder / file.name).is_file() for file in choice) for choice in model.files)


def verify(model: RemoteModel, models: Path) -> Iterator[Verdict]:
    """Compare every file with what is known of it, then load the model strictly.

    Raises `ModelError` at the first file that is missing, differs, or does not load.
    """
    folder = models / model.folder
    first: list[Path] = []
    for choice in model.files:
        file = chosen(choice, folder)
        if file is None:
            raise ModelError(f"{folder / choice[0].name} is missing; {contents.remedy(folder)}.")
        path = folder / file.name
        wrong = fault(file, path)
        if wrong:
            raise ModelError(f"{path} {wrong}; {contents.remedy(folder)}.")
        is_first = file.name not in pins(folder)
        if is_first:
            first.append(path)
        if file.sha256 is not None:
            yield Verdict(path, Soundness.CHECKED)
        else:
            yield Verdict(path, Soundness.FIRST if is_first else Soundness.REMEMBERED)
    prove(model, folder)
    for path in first:  # not before it is known to be sound
        pin(folder, path.name, sha256_of(path), path.stat().st_size)


def take_in(path: Path, models: Path) -> RemoteModel:
    """Copy a user's own model, a weights file or a folder with one, to where the engine looks for it.

    Its tensors tell what it is; it is loaded strictly before anything is put in place. A CLIP's tokenizer
    must lie beside it or in `models` already. Raises `ModelError`, `BadRequest` or `DiskError`.
    """
    source = _weights_in(path)
    try:
        name = contents.kind_of_weights(source)
        _look(source, name)
        with _scratch(models) as staged:
            shutil.copyfile(source, staged / name)
            try:
                model = _identify(staged, source)
                _complete(model, staged, source.parent, models / model.folder)
                prove(model, staged)
            except ModelError as error:  # of the copy; the user knows the file
                told = str(error).replace(str(staged / name), str(source)).replace(str(staged), str(source))
                raise ModelError(told) from error
            folder = models / model.folder
            folder.mkdir(parents=True, exist_ok=True)
            for file in sorted(staged.iterdir(), key=lambda f: f.suffix in (".bin", ".safetensors")):
                digest, size = sha256_of(file), file.stat().st_size
                file.replace(folder / file.name)
                pin(folder, file.name, digest, size)
            (folder / (PYTORCH if name == SAFETENSORS else SAFETENSORS)).unlink(missing_ok=True)
    except OSError as error:
        raise DiskError(f"The model cannot be copied to {models}: {error.strerror or error}.") from error
    return model


def _weights_in(path: Path) -> Path:
    if path.is_dir():
        found = [path / name for name in (SAFETENSORS, PYTORCH) if (path / name).is_file()]
        if not found:
            raise BadRequest(f"The folder {path} holds neither {SAFETENSORS} nor {PYTORCH}.")
        return found[0]
    if not path.is_file():
        raise BadRequest(f"There is no file {path}.")
    return path


@contextmanager
def _scratch(models: Path) -> Iterator[Path]:
    """A folder beside the models', gone afterwards."""
    models.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".importing-", dir=models, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _identify(staged: Path, source: Path) -> RemoteModel:
    shapes = {name: tuple(tensor.shape) for name, tensor in files.read_tensors(staged).items()}
    patch = shapes.get(_PATCH)
    if patch is not None and len(patch) == 4:
        name = _PATCHES.get((patch[0], patch[3]))
        if name is not None:
            return catalogue.named(name)
    for model in catalogue.BIGGANS:
        count = _TENSORS + _TENSORS_A_BLOCK * len(model.blocks.split())
        if len(shapes) == count and "generator.gen_z.weight_orig" in shapes:
            return model
    raise ModelError(
        f"{source} is none of the models that Oneiro knows: "
        f"{', '.join(model.name for model in catalogue.ALL)}."
    )


def _complete(model: RemoteModel, staged: Path, beside: Path, folder: Path) -> None:
    """Add the configuration, and a CLIP's tokenizer from beside the file or from a former fetch."""
    if model in catalogue.BIGGANS:
        config = biggan_config(model)
    else:
        config = clip_config(model.name)
        for name in TOKENIZER:
            found = next((place / name for place in (beside, folder) if (place / name).is_file()), None)
            if found is None:
                raise ModelError(
                    f"{model.name} needs its tokenizer: please put {', '.join(TOKENIZER)} beside the file."
                )
            _look(found, name)
            shutil.copyfile(found, staged / name)
    (staged / CONFIG).write_text(as_json(config), encoding="utf-8")


def _look(path: Path, name: str) -> None:
    """Raises `ModelError` for a user's file that is not what the name `name` promises."""
    wrong = contents.objection(path, name=name)
    if wrong:
        raise ModelError(f"{path} {wrong}, so it is not imported.")


def prove(model: RemoteModel, folder: Path) -> None:
    """Load it strictly, and let it go again. Raises `ModelError`."""
    if model in catalogue.BIGGANS:
        generator.load(folder, model.title, CPU)
    else:
        perceptor.load(folder, model.title, CPU)
