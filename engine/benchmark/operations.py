"""The large operations of a step, counted in FLOP, and how fast the machine does just these by themselves.

What it takes for them one by one, each in the best layout, is the machine's ceiling for the step.
"""

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils import flop_counter
from torch.utils._python_dispatch import TorchDispatchMode

TRIES = 5  # of each operation, of which the median counts …
ENOUGH_S = 2.0  # … fewer where they take longer

_ATEN = torch.ops.aten


def _attention(query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any) -> int:
    flop: int = flop_counter.sdpa_flop_count(query.shape, key.shape, value.shape)
    return flop


def _attention_backward(
    gradient: Tensor, query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any
) -> int:
    flop: int = flop_counter.sdpa_backward_flop_count(gradient.shape, query.shape, key.shape, value.shape)
    return flop


# FLOP of an operation's arguments and result, by the operation; torch's table lacks a CPU's attention.
_FLOP: dict[Any, Callable[..., int]] = {
    **flop_counter.flop_registry,
    _ATEN._scaled_dot_product_flash_attention_for_cpu: _attention,
    _ATEN._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
}


@dataclass(frozen=True)
class _Shape:
    """A tensor without its numbers."""

    size: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: torch.dtype


@dataclass(frozen=True)
class Operation:
    """One kind of call: what is called, with tensors of which shapes, and its FLOP."""

    function: Any = field(repr=False)
    arguments: tuple[Any, ...]
    named: tuple[tuple[str, Any], ...]
    flop: int


class Recorder(TorchDispatchMode):
    """While it is entered and `on`, counts the operations that have FLOP."""

    def __init__(self) -> None:
        super().__init__()
        self.on = False
        self.found: Counter[Operation] = Counter()

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call it; note what it was."""
        named = kwargs or {}
        result = function(*args, **named)
        count = _FLOP.get(function._overloadpacket) if self.on else None
        if count is not None:
            flop = int(count(*args, **named, out_val=result))
            described = tuple((name, _described(value)) for name, value in sorted(named.items()))
            self.found[Operation(function, tuple(map(_described, args)), described, flop)] += 1
        return result

    @property
    def flop(self) -> int:
        """Of all that was counted."""
        return sum(operation.flop * times for operation, times in self.found.items())


def _described(value: Any) -> Any:
    if isinstance(value, Tensor):
        return _Shape(tuple(value.shape), value.stride(), value.dtype)
    return tuple(map(_described, value)) if isinstance(value, list | tuple) else value


def ceiling(found: Counter[Operation], device: torch.device, told: Callable[[], object] = bool) -> float:
    """Seconds for all that was counted, each operation by itself in its best layout and precision.

    `told` hears after each kind of operation.
    """
    total = 0.0
    for operation, times in found.items():
        total += times * min(_seconds(operation, device, form) for form in _forms(operation, device))
        told()
    return total


@dataclass(frozen=True)
class _Form:
    channels_last: bool
    precision: torch.dtype | None  # None: as it was


def _forms(operation: Operation, device: torch.device) -> Iterator[_Form]:
    """The ways to compute it that are worth trying."""
    yield _Form(False, None)
    pictures = any(isinstance(each, _Shape) and len(each.size) == 4 for each in operation.arguments)
    if pictures:
        yield _Form(True, None)
    if native_bfloat16(device):
        yield _Form(pictures, torch.bfloat16)


def native_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 by itself, and not by way of float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and (
        torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    )


def rate(device: torch.device) -> float:
    """FLOP a second of a large product of matrices, in the precision that the device likes best."""
    side = 4096 if device.type == "cuda" else 1024
    square = _Shape((side, side), (side, 1), torch.float32)
    operation = Operation(torch.mm, (square, square), (), 2 * side**3)
    return operation.flop / min(_seconds(operation, device, form) for form in _forms(operation, device))


def _seconds(operation: Operation, device: torch.device, form: _Form) -> float:
    arguments = [_made(each, device, form) for each in operation.arguments]
    named = {name: _made(value, device, form) for name, value in operation.named}

    def once() -> float:
        begun = time.perf_counter()
        operation.function(*arguments, **named)
        if device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - begun

    with torch.no_grad():
        once()  # the first prepares
        taken = [once()]
        while len(taken) < TRIES and sum(taken) < ENOUGH_S:
            taken.append(once())
    return statistics.median(taken)


def _made(value: Any, device: torch.device, form: _Form) -> Any:
    if isinstance(value, tuple):
        return [_made(each, device, form) for each in value]
    if not isinstance(value, _Shape):
        return value
    if not value.dtype.is_floating_point:
        return torch.zeros(value.size, dtype=value.dtype, device=device)
    made = torch.empty_strided(value.size, value.stride, dtype=form.precision or value.dtype, device=device)
    made.normal_()
    if form.channels_last and len(value.size) == 4:
        return made.contiguous(memory_format=torch.channels_last)
    return made
