import torch

from engine import memory
from engine.perceptor import Perceptor


def test_views_keep_memory_in_proportion_and_weights_are_not_counted(tiny_perceptor: Perceptor) -> None:
    size = tiny_perceptor.size
    kept = [
        memory.saved_bytes(tiny_perceptor, torch.rand(n, 3, size, size, requires_grad=True))
        for n in (1, 2, 8)
    ]
    assert kept[0] > 4 * 3 * size * size / 2  # more than half of the pixels
    assert 1.8 < kept[1] / kept[0] < 2.2 and 7 < kept[2] / kept[0] < 9


def test_as_many_views_are_seen_at_once_as_fit(tiny_perceptor: Perceptor) -> None:
    size = tiny_perceptor.size
    fit = memory.views_at_once(tiny_perceptor, torch.device("cpu"))
    one = memory.saved_bytes(tiny_perceptor, torch.rand(1, 3, size, size, requires_grad=True))
    assert fit * one <= memory.CHUNK_BYTES < (fit + 1) * one
