"""How much memory a dream needs, estimated before its models are loaded, and how many views fit at once."""

import ctypes
import sys

import torch

from engine.errors import OutOfMemory
from engine.models.folders import PYTORCH, SAFETENSORS
from engine.models.perceptor import Perceptor
from engine.models.registry import Model, Pair
from engine.process import free_memory
from engine.process.free_memory import MIB
from engine.sentences import Key

CHUNK_BYTES = 1024 * MIB  # what the activations of the views seen at once may take

# Of glibc's mallopt(3): blocks up to so many bytes, the most it takes, come from memory that it keeps when
# they are freed, up to so much of it. By default each step gets its larger tensors from the system anew, and
# the system clears every page of them.
_MALLOPT = {-3: 32 * MIB, -1: 256 * MIB}  # M_MMAP_THRESHOLD, M_TRIM_THRESHOLD


def keep() -> None:
    """Let this process keep memory that it frees for its next tensors, where its C library can."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        for option, value in _MALLOPT.items():
            mallopt(option, value)


def need(pair: Pair) -> int:
    """About how many bytes a dream of this pair takes: weights, a picture's activations, a chunk of views."""
    if pair.model.dream_bytes:
        return pair.model.dream_bytes
    files = [
        folder / name for folder in (pair.generator, *pair.perceptors) for name in (SAFETENSORS, PYTORCH)
    ]
    weights = sum(file.stat().st_size for file in files if file.is_file())
    return weights + pair.model.picture_bytes + CHUNK_BYTES


def free(device: torch.device) -> int | None:
    """How many bytes are free on the device, or for this process's container; None where nobody tells."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    room = [each for each in (free_memory.found(), free_memory.addresses()) if each is not None]
    return min(room, default=None)


def check_room(model: Model, needed: int, found: int | None) -> None:
    """Raises `OutOfMemory` with a sentence when less is free than the model needs."""
    if found is None or found >= needed:
        return
    if model.dream_bytes:  # none is smaller
        raise OutOfMemory(Key.DREAM_MEMORY, need=f"{needed / 1e9:.1f} GB", free=f"{found / 1e9:.1f} GB")
    raise OutOfMemory(Key.MODEL_MEMORY, name=model.name, need=needed / 1e9, free=found / 1e9)


def views_at_once(perceptor: Perceptor, device: torch.device) -> int:
    """How many views' activations fit into `CHUNK_BYTES`, at least one.

    Measured by counting what the perceptor keeps of one view for its backward pass. It depends on the model
    alone, never on what happens to be free, for a chunk's size changes a picture's rounding.
    """
    view = torch.zeros(1, 3, perceptor.size, perceptor.size, device=device, requires_grad=True)
    return max(1, CHUNK_BYTES // saved_bytes(perceptor, view))


def saved_bytes(perceptor: Perceptor, views: torch.Tensor) -> int:
    """How many bytes `encode_images(views)` keeps for the backward pass, weights not counted."""
    kept: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        if not tensor.is_leaf:  # weights are leaves
            storage = tensor.untyped_storage()
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        features = perceptor.encode_images(views)  # alive until all is counted: no address is used twice
    del features
    return sum(kept.values())
