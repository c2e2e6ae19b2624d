"""Writes models of exactly the published layout with random numbers, for trials without the real weights.

`python -m tests.engine.published FOLDER NAME ...` writes them as a mirror has them: FOLDER/<model>/<file>.
"""

import sys
from pathlib import Path

import torch

from engine.benchmark.random_models import without_type, write
from engine.models import catalogue

__all__ = ["hollow", "without_type", "write"]


def hollow(weights: dict[str, torch.Tensor], path: Path) -> None:
    """A PyTorch file with tensors of these names and shapes that hold one repeated number: a small file."""
    tensors = {key: torch.full((1,), 0.5).expand(value.shape) for key, value in weights.items()}
    torch.save(tensors, path, _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    for name in sys.argv[2:]:
        remote = catalogue.named(name)
        write(remote, Path(sys.argv[1]) / remote.folder)
        for file in sorted((Path(sys.argv[1]) / remote.folder).iterdir()):
            print(f"{file}: {file.stat().st_size:,} bytes")  # noqa: T201
