"""How much memory a dream needs, estimated before its models are loaded, and how many views fit at once."""

import torch

from engine.perceptor import Perceptor

CHUNK_BYTES = 1024**3  # what the activations of the views seen at once may take


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
