"""BigGAN-deep (Brock et al. 2018, arXiv 1809.11096) of pytorch-pretrained-biggan, baked for the search.

Loaded strictly, then rewritten for use with fixed weights and truncation 1: spectral norm folded into the
weights, the batch statistics folded into the condition's linear maps (one map per block for its four norms),
the last convolution cut to its three used channels, and a condition vector per layer, which the package
cannot take. Other kinds of generator are loaded by what the registry names for them.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.errors import ModelError
from engine.models import contents, registry
from engine.models.biggan_layout import Part, layout
from engine.models.files import read_config, read_tensors
from engine.words.colours import Tint

TRUNCATION = 1.0  # BigSleep's; the statistics of this truncation are folded in


# What a generator can be asked for by name, beside a thing: a ground that it is on, a tint that it has.
Ability = Literal["grounds", "tints"]
Kind = TypeVar("Kind")


class LatentMap(Protocol):
    """What the rows of latents z [n, rows, z_dim] mean, as far as it is known."""

    shared: tuple[int, ...]  # rows of drawing style and background, which make a picture one
    manner: tuple[int, ...]  # rows that a seed chooses for a thing: how it is drawn and stands
    background: int | None  # the row that paints what is behind things

    pair_gain: float  # how much higher than the best class two have to score, to be tried together

    def standing(self, z: Tensor) -> Tensor:
        """The same things upright and in the middle of their pictures."""
        ...

    def plain(self, z: Tensor) -> Tensor:
        """The same things on calm grounds, in natural colours, as they mostly look."""
        ...

    def sober(self, z: Tensor, alone: bool = True) -> Tensor:
        """The same things, none of them both strangely drawn and before a busy background; before calm ones
        where a picture shows one not `alone`."""
        ...

    def mixed(self, kind: str) -> Sequence[tuple[Sequence[int], Sequence[int]]]:
        """Ways to make one being of two things, by a kind of `engine.words.mixtures`; the best first.

        Each tells which rows get the first one's class and which the second one's, some of them both."""
        ...

    def made(self, z: Tensor) -> Tensor:
        """`z` with things that are made of the class of their last rows, in its colours."""
        ...

    def backgrounds(self, seen: Callable[[Tensor], Tensor] | None, name: str, rng: torch.Generator) -> Tensor:
        """Backgrounds [n, numbers] that show the ground of this name of `engine.words.grounds`; the best by
        `seen`, a perceptor's `Grounds`, where there is one."""
        ...

    def on(self, z: Tensor, backgrounds: Tensor) -> Tensor:
        """`z` on these backgrounds [n, numbers]."""
        ...

    def tinted(self, z: Tensor, tint: Tint, which: Tensor, rng: torch.Generator) -> Tensor:
        """`z` in about this tint where `which` [n, 1] is true."""
        ...


class Unknown:
    """The `LatentMap` of a generator whose latents mean nothing in particular."""

    shared: tuple[int, ...] = (0,)
    manner: tuple[int, ...] = ()
    background: int | None = None
    pair_gain = -math.inf

    def __init__(self, rows: int) -> None:
        self._rows = rows

    def standing(self, z: Tensor) -> Tensor:
        """`z`."""
        return z

    def plain(self, z: Tensor) -> Tensor:
        """`z`."""
        return z

    def sober(self, z: Tensor, alone: bool = True) -> Tensor:
        """`z`."""
        return z

    def mixed(self, kind: str) -> Sequence[tuple[Sequence[int], Sequence[int]]]:
        """Both in every row, and one in the coarse rows with the other in the fine ones, either way."""
        every, half = range(self._rows), self._rows // 2
        return (every, every), (every[:half], every[half:]), (every[half:], every[:half])

    def made(self, z: Tensor) -> Tensor:
        """`z`."""
        return z

    def backgrounds(self, seen: Callable[[Tensor], Tensor] | None, name: str, rng: torch.Generator) -> Tensor:
        """None."""
        return torch.empty(0, 0)

    def on(self, z: Tensor, backgrounds: Tensor) -> Tensor:
        """`z`."""
        return z

    def tinted(self, z: Tensor, tint: Tint, which: Tensor, rng: torch.Generator) -> Tensor:
        """`z`."""
        return z


class Generator(Protocol):
    """What the search knows of a generator.

    A picture has one panel or more, each a thing that is searched by itself, by latent rows of its own.
    """

    name: str
    size: int  # side of its pictures in pixels
    rows: int  # latent rows that it takes: of each panel its layers, as it counts them
    z_dim: int
    classes: int
    latent_map: LatentMap
    abilities: frozenset[Ability]
    panels: int
    whole: bool  # whether the sheet shows the picture itself

    @property
    def sheet_size(self) -> int:
        """Side of what the search looks at, of each panel, in pixels."""
        ...

    @property
    def panel(self) -> "Panel":
        """What draws a panel by itself: where there is one, this."""
        ...

    def sheet(self, z: Tensor, class_weights: Tensor) -> Tensor:
        """What the search looks at, with gradients; arguments and range as `__call__`.

        The panels apart, two beside each other in the upper half of a square; where there is one panel, the
        picture itself, perhaps smaller.
        """
        ...

    def __call__(self, z: Tensor, class_weights: Tensor) -> Tensor:
        """`z` [n, rows, z_dim], `class_weights` [n, rows, classes] in 0..1 -> [n, 3, size, size], -1..1."""
        ...


class Panel(Generator, Protocol):
    """A generator that draws one thing a picture, and can draw it for a picture of several."""

    def cut_out(self, z: Tensor, class_weights: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """The things, cut out, and what is behind them; arguments as `__call__`.

        Things [n, 4, s, s] in 0..1: colours times coverage, coverage; grounds [n, 3, size, size] in 0..1.
        """
        ...


class OnePanel:
    """What goes for each `Generator` whose picture is one panel."""

    panels, whole = 1, True

    @property
    def sheet_size(self: Generator) -> int:
        """As `Generator.sheet_size` says."""
        return self.size

    @property
    def panel(self: Kind) -> Kind:
        """As `Generator.panel` says."""
        return self

    def sheet(self: Generator, z: Tensor, class_weights: Tensor) -> Tensor:
        """As `Generator.sheet` says."""
        return self(z, class_weights)

    def cut_out(self: Generator, z: Tensor, class_weights: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """As `Panel.cut_out` says: whole squares, on the mean of each row's ends."""
        picture = (self(z, class_weights) + 1) / 2
        ends = torch.cat((picture[..., : self.size // 16], picture[..., -self.size // 16 :]), 3)
        ground = F.interpolate(ends.mean(3, keepdim=True), (size, 1), mode="bilinear")  # [n, 3, size, 1]
        cover = torch.ones_like(picture[:, :1])
        return torch.cat((picture, cover), dim=1), ground.expand(-1, -1, -1, size)


class BakedBigGAN(OnePanel, nn.Module):
    """A frozen BigGAN-deep generator that takes one condition per layer; see the module's docstring."""

    def __init__(self, config: Mapping[str, Any], tensors: Mapping[str, Tensor], name: str) -> None:
        """`config` and `tensors` are those of the package's module, all of them (see `biggan_layout`)."""
        super().__init__()
        model = Part({key: value.detach() for key, value in tensors.items()})
        generator = model.part("generator")
        layers = config["layers"]
        self.name = name
        self.size: int = 4 * 2 ** sum(bool(up) for up, _, _ in layers)
        self.rows = len(layers) + 1
        self.z_dim: int = config["z_dim"]
        self.classes: int = config["num_classes"]
        self.latent_map: LatentMap = Unknown(self.rows)
        self.abilities = frozenset[Ability]()
        self.embed = _frozen_linear(model["embeddings.weight"])  # [z_dim, classes]
        self.input = _bake_input(generator.part("gen_z"), 16 * config["channel_width"])
        self.layers = nn.ModuleList()
        for index, layer in enumerate(layers):
            if index == config["attention_layer_position"]:
                self.layers.append(_Attention(generator.part(f"layers.{len(self.layers)}")))
            part = generator.part(f"layers.{len(self.layers)}")
            self.layers.append(_Block(part, layer, config["eps"]))
        norm = generator.part("bn")
        scale, shift = _statistics(norm, config["eps"])
        self.register_buffer("last_scale", (norm["weight"] * scale)[:, None, None])
        self.register_buffer("last_shift", (norm["bias"] + norm["weight"] * shift)[:, None, None])
        weight, bias = _folded(generator.part("conv_to_rgb"))
        assert bias is not None
        self.to_rgb = _Conv(weight[:3], bias[:3])
        self.eval().requires_grad_(False)

    def forward(self, z: Tensor, class_weights: Tensor) -> Tensor:
        """As `Generator.__call__` says."""
        condition = torch.cat((z, self.embed(class_weights)), dim=2)  # [n, rows, 2 z_dim]
        x = self.input(condition[:, 0])  # [n, 16 ch * 4 * 4]
        x = x.view(len(x), -1, 4, 4)  # [n, 16 ch, 4, 4]
        row = 1
        for layer in self.layers:
            if isinstance(layer, _Block):
                x = layer(x, condition[:, row])  # [n, out, h or 2h, w or 2w]
                row += 1
            else:
                x = layer(x)
        x = F.relu(x * self.last_scale + self.last_shift)  # [n, ch, size, size]
        return torch.tanh(self.to_rgb(x))  # [n, 3, size, size]


def load(folder: Path, name: str, device: torch.device) -> Panel:
    """Read the generator in `folder`, of whatever kind its `config.json` says, and move it to the device.

    Raises `ModelError` when a file is missing or damaged, or when any tensor's name or shape differs.
    """
    kind = read_config(folder, (), model_type=None)["model_type"]
    other = registry.generator_loader(kind) if isinstance(kind, str) else None
    return cast(Panel, other(folder, name, device)) if other else load_biggan(folder, name, device)


def load_biggan(folder: Path, name: str, device: torch.device) -> BakedBigGAN:
    """Read `config.json` and the weights in `folder`, strictly, bake them, and move them to the device.

    Raises as `load` does.
    """
    config = read_config(folder, _CONFIG_KEYS)
    layers = config["layers"]
    fits = (
        all(
            isinstance(config[key], (int, float)) and 0 < config[key] < math.inf
            for key in _CONFIG_KEYS
            if key not in _NOT_SIZES
        )
        and isinstance(layers, list)
        and 0 < len(layers) <= 64
        and all(isinstance(layer, list) and len(layer) == 3 for layer in layers)
        and config["n_stats"] >= 2
    )
    if not fits:
        raise ModelError(f"{folder / 'config.json'} does not describe a BigGAN-deep generator.")
    contents.check(folder)
    tensors = read_tensors(folder)
    try:
        expected = layout(config)
    except (RuntimeError, ValueError, TypeError, ZeroDivisionError) as error:
        raise ModelError(f"{folder / 'config.json'} does not describe a BigGAN-deep generator.") from error
    found = {key: tuple(value.shape) for key, value in tensors.items()}
    if found != expected:
        wrong = sorted(key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key))
        raise ModelError(
            f"The weights in {folder} do not fit their config.json: "
            f"{len(wrong)} tensors differ, the first is {wrong[0]}; {contents.remedy(folder)}."
        )
    if not all(bool(value.isfinite().all()) for value in tensors.values()):
        raise ModelError(
            f"The weights in {folder} hold numbers that are not finite; {contents.remedy(folder)}."
        )
    tensors = _through_the_package(config, {key: value.float() for key, value in tensors.items()})
    return BakedBigGAN(config, tensors, name).to(device)


def _through_the_package(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors as the package's own module holds them, into which they are loaded strictly."""
    from pytorch_pretrained_biggan import BigGAN, BigGANConfig  # here: see the module's docstring

    with torch.device("meta"):  # the tensors take the places; nothing is made twice
        model = BigGAN(BigGANConfig.from_dict(config))
    model.load_state_dict(tensors, strict=True, assign=True)
    return dict(model.state_dict())


_NOT_SIZES = ("layers", "attention_layer_position")
_CONFIG_KEYS = (
    "output_dim",
    "z_dim",
    "class_embed_dim",
    "channel_width",
    "num_classes",
    "layers",
    "attention_layer_position",
    "eps",
    "n_stats",
)


class _Conv(nn.Module):
    """A convolution with fixed weights and 'same' padding."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.register_buffer("weight", weight.clone())
        self.register_buffer("bias", None if bias is None else bias.clone())
        self.padding = weight.shape[-1] // 2

    def forward(self, x: Tensor) -> Tensor:
        """[n, in, h, w] -> [n, out, h, w]."""
        return F.conv2d(x, cast(Tensor, self.weight), cast(Tensor | None, self.bias), padding=self.padding)


class _Block(nn.Module):
    """A residual block whose four conditional norms come from one linear map of its condition."""

    def __init__(self, block: Part, layer: Sequence[Any], eps: float) -> None:
        """`layer`: as config.json has it, whether it enlarges and its widths."""
        super().__init__()
        self.up_sample = bool(layer[0])
        self.drop_channels: bool = layer[1] != layer[2]
        norms = [block.part(f"bn_{index}") for index in range(4)]
        self.widths = [norm["running_means"].shape[1] for norm in norms]
        maps = [_condition_map(norm, eps) for norm in norms]
        self.norms = _frozen_linear(torch.cat([w for w, _ in maps]), torch.cat([b for _, b in maps]))
        self.convs = nn.ModuleList(_Conv(*_folded(block.part(f"conv_{index}"))) for index in range(4))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """x [n, in, h, w], condition [n, 2 z_dim] -> [n, out, h, w] or [n, out, 2h, 2w]."""
        y = x
        for index, (norm, conv) in enumerate(zip(self._norms(condition), self.convs, strict=True)):
            scale, shift = norm.chunk(2, dim=1)  # [n, width, 1, 1] each
            y = F.relu(torch.addcmul(shift, y, scale))
            if self.up_sample and index == 1:
                y = F.interpolate(y, scale_factor=2, mode="nearest")
            y = conv(y)
        if self.drop_channels:
            x = x[:, : x.shape[1] // 2]
        if self.up_sample:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
        return x + y

    def _norms(self, condition: Tensor) -> tuple[Tensor, ...]:
        """Scale and shift of each norm, [n, 2 width, 1, 1]."""
        norms: Tensor = self.norms(condition)
        return norms[:, :, None, None].split([2 * width for width in self.widths], dim=1)


class _Attention(nn.Module):
    """Self-attention over positions, keys and values pooled by two."""

    def __init__(self, layer: Part) -> None:
        super().__init__()
        self.query = _Conv(*_folded(layer.part("snconv1x1_theta")))
        self.key = _Conv(*_folded(layer.part("snconv1x1_phi")))
        self.value = _Conv(*_folded(layer.part("snconv1x1_g")))
        weight, _ = _folded(layer.part("snconv1x1_o_conv"))
        self.out = _Conv(layer["gamma"] * weight, None)

    def forward(self, x: Tensor) -> Tensor:
        """[n, c, h, w] -> [n, c, h, w]."""
        n, _, height, width = x.shape
        query = self.query(x).flatten(2).transpose(1, 2)  # [n, hw, c/8]
        key = F.max_pool2d(self.key(x), 2).flatten(2).transpose(1, 2)  # [n, hw/4, c/8]
        value = F.max_pool2d(self.value(x), 2).flatten(2).transpose(1, 2)  # [n, hw/4, c/2]
        y = F.scaled_dot_product_attention(
            query, key, value, scale=1.0
        )  # [n, hw, c/2], unscaled as in the package
        return x + self.out(y.transpose(1, 2).reshape(n, -1, height, width))


def _folded(part: Part) -> tuple[Tensor, Tensor | None]:
    """Weight and bias of a spectral-normed module as its evaluation uses them: W / (uᵀ W v)."""
    weight = part["weight_orig"]
    sigma = torch.dot(part["weight_u"], weight.flatten(1) @ part["weight_v"])
    return weight / sigma, part.get("bias")


def _statistics(norm: Part, eps: float) -> tuple[Tensor, Tensor]:
    """The norm's own scale and shift [features] at `TRUNCATION` 1, the last of its stored statistics."""
    mean, variance = norm["running_means"][-1], norm["running_vars"][-1]
    scale = (variance + eps).rsqrt()
    return scale, -mean * scale


def _condition_map(norm: Part, eps: float) -> tuple[Tensor, Tensor]:
    """The affine map from a condition to the norm's scale and shift: weight [2 f, 2 z_dim], bias [2 f].

    ((x - mean) / std) (1 + S c) + O c  =  x (r + r S c) + (O c - mean r - mean r S c)  with r = 1 / std.
    """
    r, shift = _statistics(norm, eps)
    scale_weight, _ = _folded(norm.part("scale"))
    offset_weight, _ = _folded(norm.part("offset"))
    weight = torch.cat((r[:, None] * scale_weight, offset_weight + shift[:, None] * scale_weight))
    return weight, torch.cat((r, shift))


def _bake_input(gen_z: Part, channels: int) -> nn.Linear:
    """The first linear map, its outputs reordered from TensorFlow's [4, 4, channels] to [channels, 4, 4]."""
    weight, bias = _folded(gen_z)
    assert bias is not None
    order = torch.arange(16 * channels).view(4, 4, channels).permute(2, 0, 1).flatten()
    return _frozen_linear(weight[order], bias[order])


def _frozen_linear(weight: Tensor, bias: Tensor | None = None) -> nn.Linear:
    linear = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
    linear.weight = nn.Parameter(weight.detach().clone(), requires_grad=False)
    if bias is not None:
        linear.bias = nn.Parameter(bias.detach().clone(), requires_grad=False)
    return linear
