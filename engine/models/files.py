"""Reads a model folder: `config.json` and weights (safetensors or a PyTorch file). Runs no code of theirs."""

import json
import pickle
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from engine.errors import ModelError
from engine.models.contents import MAX_CONFIG, remedy
from engine.models.folders import CONFIG, PYTORCH, SAFETENSORS

# What reading a pickle that ends in the middle, or has other bytes in it, may raise beside its own errors.
_OF_HALF_PICKLES = (struct.error, LookupError, TypeError, AttributeError, AssertionError)


def read_config(folder: Path, keys: Sequence[str], **others: Any) -> dict[str, Any]:
    """The configuration's values for `keys`, and for `others`, which may be missing and then are as given.

    Raises `ModelError` when the file is missing, damaged or lacks one of `keys`.
    """
    path = folder / CONFIG
    try:
        if path.stat().st_size > MAX_CONFIG:
            raise ModelError(f"{path} is too long for a model's configuration.")
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"The model file {path} is missing.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"The model file {path} cannot be read: {error}.") from error
    missing = [key for key in keys if key not in config] if isinstance(config, dict) else list(keys)
    if missing:
        raise ModelError(f"{path} lacks {', '.join(missing)}.")
    return others | {key: config[key] for key in (*keys, *(other for other in others if other in config))}


def read_tensors(folder: Path, name: str = SAFETENSORS) -> dict[str, Tensor]:
    """All tensors by name, on the CPU, in the file's own types. Raises `ModelError`.

    Of a file `name` of `folder`; where there is none, of the one that PyTorch itself writes.
    """
    path = folder / name
    try:
        if path.is_file():
            return load_file(path)
        path = folder / PYTORCH
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ModelError(f"The model file {path} is missing.") from error
    except (
        OSError,
        EOFError,
        RuntimeError,
        ValueError,
        SafetensorError,
        pickle.UnpicklingError,
        zipfile.BadZipFile,
        *_OF_HALF_PICKLES,
    ) as error:
        raise ModelError(f"The model file {path} is damaged or not a model; {remedy(folder)}.") from error
    if not isinstance(tensors, dict) or not all(isinstance(value, Tensor) for value in tensors.values()):
        raise ModelError(f"The model file {path} does not hold a model's tensors.")
    return tensors
