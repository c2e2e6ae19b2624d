"""A dream's state as a value: all that a search needs to go on exactly where it was, well under a megabyte.

Kept as safetensors, whose header is JSON: loading one runs no code and trusts no length. Knows neither models
nor files.
"""

import hashlib
import json
import math
from dataclasses import dataclass, field
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from engine.errors import BadRequest
from engine.sentences import Key

FORMAT = 1  # counted up when the meaning of a state changes
MAX_BYTES = 4 * 1024 * 1024  # a state of biggan-deep-512 has 0.4 MB
MAX_NUMBER = 1e6  # larger latents, averages or moments than this never come from a search
_KEY = "oneiro-state"


@dataclass(frozen=True)
class State:
    """Where a search stands after a step. Tensors are on the CPU."""

    settings: dict[str, Any]  # of the search, by name, its steps included
    step: int  # steps done
    best_step: int
    best_score: float
    average_weight: float  # of the moving average's sum, 0..1
    # By name: "target" [d], "rng", and for every parameter p of the latents (engine.search.latents)
    # "latents.p", "average.p", "best.p", and the optimiser's "first.p" and "second.p" (Adam's moments).
    tensors: dict[str, Tensor]
    numbers: dict[str, float] = field(default_factory=dict)  # what else the search keeps, by name
    model: str = ""  # fingerprint of the pair of models (engine.models.registry); the loop does not know it
    prompt: str = ""  # as the user wrote it, for people to read; what is compared is the "target" above
    seed: int = 0
    notes: list[str] = field(default_factory=list)  # what happened to the search so far that is worth telling
    origin: dict[str, float | str] = field(default_factory=dict)  # what its recipe says of how it began

    def part(self, prefix: str) -> dict[str, Tensor]:
        """The tensors whose names begin with `prefix` and a dot, without it."""
        return {
            name.removeprefix(f"{prefix}."): value
            for name, value in self.tensors.items()
            if name.startswith(f"{prefix}.")
        }

    def to_bytes(self) -> bytes:
        """As one file; the same state gives the same bytes."""
        header = {"format": FORMAT} | {
            name: getattr(self, name) for name in self.__dataclass_fields__ if name != "tensors"
        }
        tensors = {name: self.tensors[name].contiguous() for name in sorted(self.tensors)}
        return save(tensors, metadata={_KEY: json.dumps(header, sort_keys=True)})

    @classmethod
    def from_bytes(cls, data: bytes) -> "State":
        """Read `to_bytes`'s file strictly. Raises `BadRequest` with a sentence for anything else."""
        if len(data) > MAX_BYTES:
            raise BadRequest(Key.STATE_BYTES, size=len(data), most=MAX_BYTES)
        try:
            length = int.from_bytes(data[:8], "little")
            header = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][_KEY])
            if header.pop("format") != FORMAT:
                raise BadRequest(Key.STATE_VERSION)
            state = cls(**header, tensors=load(data))
            state._check()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, SafetensorError) as error:
            raise BadRequest(Key.STATE_DAMAGED) from error
        return state

    def _check(self) -> None:
        """Raises `TypeError` or `ValueError` for values that no search has saved."""
        kinds = {
            "model": str,
            "prompt": str,
            "seed": int,
            "settings": dict,
            "step": int,
            "best_step": int,
            "best_score": float,
            "average_weight": float,
            "numbers": dict,
            "notes": list,
            "origin": dict,
        }
        for name, kind in kinds.items():
            if type(getattr(self, name)) is not kind:
                raise TypeError(f"{name} is not of its type")
        if not all(type(value) is float for value in self.numbers.values()):
            raise TypeError("a number is none")
        if not all(type(note) is str for note in self.notes):
            raise TypeError("a note is none")
        if not all(isinstance(value, float | str) for value in self.origin.values()):
            raise TypeError("the origin is none")
        if not math.isfinite(self.best_score):
            raise ValueError("the score is no number")
        if not 1 <= self.best_step <= self.step or not 0 < self.average_weight <= 1:
            raise ValueError("steps or average out of range")
        if "rng" not in self.tensors or "target" not in self.tensors:
            raise ValueError("a tensor is missing")
        for name, tensor in self.tensors.items():
            expected = torch.uint8 if name == "rng" else torch.float32
            if tensor.dtype != expected:
                raise TypeError(f"{name} is not of its type")
            if expected == torch.float32 and not bool((tensor.abs() <= MAX_NUMBER).all()):  # also NaN
                raise ValueError(f"{name} is out of range")


def digest(data: bytes) -> str:
    """The first 16 hex digits of a file's SHA-256: names in a recipe the state that a dream began at."""
    return hashlib.sha256(data).hexdigest()[:16]
