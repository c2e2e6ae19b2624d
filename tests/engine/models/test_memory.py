from pathlib import Path

import pytest
import torch

from engine.errors import OutOfMemory
from engine.models import memory, registry
from engine.models.perceptor import Perceptor


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


def test_a_large_pair_needs_its_weights_a_picture_and_a_chunk(tiny_models: Path) -> None:
    pair = registry.pair("biggan-deep-128", tiny_models)
    files = [*pair.generator.glob("*.bin"), *(pair.perceptors[0]).glob("*.safetensors")]
    on_disk = sum(file.stat().st_size for file in files)
    assert memory.need(pair) == on_disk + pair.model.picture_bytes + memory.CHUNK_BYTES
    assert memory.need(registry.pair("pocket", tiny_models)) < memory.need(pair)


def test_what_is_free_is_known_on_linux() -> None:
    found = memory.free(torch.device("cpu"))
    assert found is None or 0 < found < 1e15
    assert not Path("/proc/meminfo").exists() or found is not None


def test_a_model_that_does_not_fit_is_refused_with_both_numbers() -> None:
    with pytest.raises(OutOfMemory, match=r"biggan-deep-512 needs about 3\.0 GB .* only 1\.5 GB are free"):
        memory.check_room(registry.BEST, 3_000_000_000, 1_500_000_000)
    memory.check_room(registry.BEST, 3_000_000_000, 3_000_000_000)
    memory.check_room(registry.BEST, 3_000_000_000, None)  # nobody knows: try
