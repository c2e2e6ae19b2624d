"""How the perceptor and the judge lie on disk: config.json beside model.safetensors in half precision."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from engine.errors import ModelError

Model = TypeVar("Model", bound=nn.Module)


def save(model: nn.Module, config: dict[str, Any], folder: Path) -> None:
    """Writes `config` and the weights of `model` to `folder`; each file appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in model.state_dict().items()
    }
    fresh = folder / "model.safetensors.new"
    save_file(weights, fresh, metadata={"format": "pt"})
    fresh.chmod(0o644)  # the library writes it for its owner alone
    fresh.replace(folder / "model.safetensors")
    fresh = folder / "config.json.new"
    fresh.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    fresh.replace(folder / "config.json")


def load(make: Callable[[], Model], folder: Path) -> Model:
    """The model that `make` builds with the weights of `folder`: float32, frozen, in eval mode, on the CPU.

    Raises `ModelError` when the file is missing or damaged, holds numbers that are not finite, or when the
    name or shape of a tensor differs.
    """
    path = folder / "model.safetensors"
    try:
        weights = load_file(path)
        if not all(bool(value.isfinite().all()) for value in weights.values()):
            raise ModelError(f"The weights in {path} hold numbers that are not finite.")
        with torch.random.fork_rng(devices=[]), _Unfilled():
            model = make()
        model.load_state_dict({k: _full(v) for k, v in weights.items()}, strict=True, assign=True)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} is missing or damaged.") from error
    except (RuntimeError, ValueError) as error:
        raise ModelError(f"The weights in {path} do not fit their config.json.") from error
    return model.eval().requires_grad_(False)


def _full(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value


class _Unfilled(TorchFunctionMode):
    """Layers made within it hold whatever numbers: to draw millions takes longer than to read a file.

    To import what the device "meta" needs would take longer still.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in _FILLS:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)


_FILLS = {nn.init.kaiming_uniform_, nn.init.uniform_, nn.init.normal_}  # what torch's layers call
