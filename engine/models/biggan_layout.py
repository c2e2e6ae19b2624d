"""The names and shapes of a BigGAN-deep generator's tensors, as pytorch-pretrained-biggan 0.1.1 has them.

The package itself is not imported, which takes half a second; a test holds the layout to its module.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

Shape = tuple[int, ...]
_REDUCTION = 4  # a block's middle is so many times narrower than its input (GenBlock)
_PICTURE = 4  # the side in pixels of what the first linear map makes
_WIDEST = 16  # times the channel width: what the blocks begin with


@dataclass(frozen=True)
class Part:
    """A module's tensors, by the names that they have within it."""

    tensors: Mapping[str, Tensor]
    prefix: str = ""

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[self.prefix + name]

    def get(self, name: str) -> Tensor | None:
        """The tensor, None where there is none of this name."""
        return self.tensors.get(self.prefix + name)

    def part(self, name: str) -> "Part":
        """The module of this name within this one."""
        return Part(self.tensors, f"{self.prefix}{name}.")


def layout(config: Mapping[str, Any]) -> dict[str, Shape]:
    """Each tensor's name and shape for a `config.json`. Raises `TypeError` or `ValueError` for a bad one."""
    channels, z_dim = _size(config["channel_width"]), _size(config["z_dim"])
    statistics, condition = _size(config["n_stats"]), 2 * z_dim
    shapes: dict[str, Shape] = {"embeddings.weight": (z_dim, _size(config["num_classes"]))}
    shapes |= _normed("generator.gen_z", (_PICTURE**2 * _WIDEST * channels, condition), bias=True)
    index = 0
    for number, (_, wide, narrow) in enumerate(config["layers"]):
        before, after = channels * _size(wide), channels * _size(narrow)
        if number == config["attention_layer_position"]:
            shapes |= _attention(f"generator.layers.{index}", before)
            index += 1
        shapes |= _block(f"generator.layers.{index}", before, after, condition, statistics)
        index += 1
    shapes |= _statistics("generator.bn", channels, statistics)
    shapes |= {"generator.bn.weight": (channels,), "generator.bn.bias": (channels,)}
    return shapes | _normed("generator.conv_to_rgb", (channels, channels, 3, 3), bias=True)


def _size(value: Any) -> int:
    if type(value) is not int or value <= 0:
        raise ValueError(f"{value!r:.40} is no size")
    return value


def _normed(name: str, weight: Shape, *, bias: bool) -> dict[str, Shape]:
    """A module with spectral norm: its weight and the two vectors of the power iteration."""
    columns = 1
    for size in weight[1:]:
        columns *= size
    shapes: dict[str, Shape] = {
        f"{name}.weight_orig": weight,
        f"{name}.weight_u": weight[:1],
        f"{name}.weight_v": (columns,),
    }
    return shapes | ({f"{name}.bias": weight[:1]} if bias else {})


def _statistics(name: str, features: int, statistics: int) -> dict[str, Shape]:
    return {f"{name}.{kind}": (statistics, features) for kind in ("running_means", "running_vars")}


def _block(name: str, before: int, after: int, condition: int, statistics: int) -> dict[str, Shape]:
    middle = before // _REDUCTION
    shapes: dict[str, Shape] = {}
    for index, features in enumerate((before, middle, middle, middle)):
        norm = f"{name}.bn_{index}"
        shapes |= _statistics(norm, features, statistics)
        for map in ("scale", "offset"):
            shapes |= _normed(f"{norm}.{map}", (features, condition), bias=False)
    for index, weight in enumerate(_convolutions(before, middle, after)):
        shapes |= _normed(f"{name}.conv_{index}", weight, bias=True)
    return shapes


def _convolutions(before: int, middle: int, after: int) -> Iterator[Shape]:
    yield middle, before, 1, 1
    yield middle, middle, 3, 3
    yield middle, middle, 3, 3
    yield after, middle, 1, 1


def _attention(name: str, channels: int) -> dict[str, Shape]:
    shapes: dict[str, Shape] = {f"{name}.gamma": (1,)}
    for kind, out, within in (
        ("theta", channels // 8, channels),
        ("phi", channels // 8, channels),
        ("g", channels // 2, channels),
        ("o_conv", channels, channels // 2),
    ):
        shapes |= _normed(f"{name}.snconv1x1_{kind}", (out, within, 1, 1), bias=False)
    return shapes
