"""BigGAN-deep (Brock et al. 2018, arXiv 1809.11096) of pytorch-pretrained-biggan, baked for the search.

Loaded strictly, then rewritten for use with fixed weights and truncation 1: spectral norm folded into the
weights, the batch statistics folded into the condition's linear maps (one map per block for its four norms),
the last convolution cut to its three used channels, and a condition vector per layer, which the package
cannot take. The large generators are loaded into the package's own module; the embedded one has more to it
than that can hold, and does without its import, which takes half a second (`engine.models.biggan_layout`).
"""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, TypeVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.errors import ModelError
from engine.models import contents, folders, registry
from engine.models.biggan_layout import Part, layout
from engine.models.files import read_config, read_tensors

CENTRED = "centred_classes"  # keys of config.json that the package does not know; see BakedBigGAN
GROUNDED = "grounds"
BILINEAR = "bilinear"
TAIL, TAIL_FILE = "class_tail", folders.TAIL
TRUNCATION = 1.0  # BigSleep's; the statistics of this truncation are folded in


# What a generator can be asked for by name, beside a thing: a ground that it is on, a hue that it has.
Ability = Literal["grounds", "hues"]
Kind = TypeVar("Kind")


class LatentMap(Protocol):
    """What the rows of latents z [n, rows, z_dim] mean, as far as it is known.

    The background row paints what is behind things; where a generator has a horizon, the ground below it too.
    """

    shared: tuple[int, ...]  # rows of drawing style and background, which make a picture one
    background: int  # the background row
    used: int  # of its coordinates, those that mean anything

    def contrasting(self, z: Tensor) -> Tensor:
        """The same things on another background; unchanged where there is no background row."""
        ...

    def ground(self, background: Tensor) -> tuple[Tensor, Tensor]:
        """Of background rows [..., z_dim] those that paint below the horizon, and their share there [...]."""
        ...

    def below_horizon(self, size: int) -> Tensor:
        """Where the ground lies [size], 0..1, from the top to the bottom of a picture."""
        ...

    def backgrounds(self, seen: Callable[[Tensor], Tensor], number: int, rng: torch.Generator) -> Tensor:
        """Backgrounds [n, numbers] in which `seen`, a perceptor's `Grounds`, sees the ground `number`."""
        ...

    def on(self, z: Tensor, backgrounds: Tensor) -> Tensor:
        """`z` on these backgrounds [n, numbers]."""
        ...

    def tinted(self, z: Tensor, hue: float, which: Tensor, rng: torch.Generator) -> Tensor:
        """`z` in about this hue, in degrees, where `which` [n, 1] is true."""
        ...


class Generator(Protocol):
    """What the search knows of a generator.

    A picture has one panel or more, each a thing that is searched by itself, by latent rows of its own.
    """

    name: str
    size: int  # side of its pictures in pixels
    rows: int  # latent rows it takes: of each panel its blocks + 1
    z_dim: int
    classes: int
    latent_map: LatentMap
    abilities: frozenset[Ability]
    panels: int

    @property
    def panel(self) -> "Generator":
        """What draws a panel by itself: where there is one, this."""
        ...

    def sheet(self, z: Tensor, class_weights: Tensor) -> Tensor:
        """The panels apart, with gradients; arguments, shape and range as `__call__`, and where there is one
        panel the same picture."""
        ...

    def __call__(self, z: Tensor, class_weights: Tensor) -> Tensor:
        """`z` [n, rows, z_dim], `class_weights` [n, rows, classes] in 0..1 -> [n, 3, size, size], -1..1."""
        ...


class OnePanel:
    """What goes for each `Generator` whose picture is one panel."""

    panels = 1

    @property
    def panel(self: Kind) -> Kind:
        """As `Generator.panel` says."""
        return self

    def sheet(self: Generator, z: Tensor, class_weights: Tensor) -> Tensor:
        """As `Generator.sheet` says."""
        return self(z, class_weights)


class BakedBigGAN(OnePanel, nn.Module):
    """A frozen BigGAN-deep generator that takes one condition per layer; see the module's docstring."""

    def __init__(
        self,
        config: Mapping[str, Any],
        tensors: Mapping[str, Tensor],
        name: str,
        centred: bool = False,
        grounds: bool = False,
        bilinear: int = 0,
        tail: Tensor | None = None,
    ) -> None:
        """`config` and `tensors` are those of the package's module, all of them (see `biggan_layout`).

        `centred`: what sets a class's vector apart from the mean of all goes with its weight; the mean
        counts once. Else the many small weights of a search would add it up many times. `grounds`: one row
        has another condition below the horizon, as the `LatentMap` says, and it can be asked for grounds
        and hues. `bilinear`: so many of
        the last blocks that enlarge do it smoothly, where BigGAN repeats each pixel. `tail` [t, classes]:
        more of the class vectors, which takes the place of a latent row's last t coordinates.
        """
        super().__init__()
        model = Part({key: value.detach() for key, value in tensors.items()})
        generator = model.part("generator")
        layers = config["layers"]
        self.name = name
        self.size: int = 4 * 2 ** sum(bool(up) for up, _, _ in layers)
        self.rows = len(layers) + 1
        self.z_dim: int = config["z_dim"]
        self.classes: int = config["num_classes"]
        self.latent_map: LatentMap = registry.latent_map()
        self.abilities = frozenset[Ability](("grounds", "hues") if grounds else ())
        self._horizon_row = self.latent_map.background if grounds else None
        self.tail = 0 if tail is None else len(tail)
        vectors = model["embeddings.weight"]  # [z_dim, classes]
        if tail is not None:
            vectors = torch.cat((tail, vectors))  # [t + z_dim, classes]
        mean = vectors.mean(1) if centred else torch.zeros_like(vectors[:, 0])
        self.embed = _frozen_linear(vectors - mean[:, None], mean if centred else None)
        self.input = _bake_input(generator.part("gen_z"), 16 * config["channel_width"])
        self.layers = nn.ModuleList()
        smooth = are_bilinear([bool(up) for up, _, _ in layers], bilinear)
        for index, (layer, is_smooth) in enumerate(zip(layers, smooth, strict=True)):
            if index == config["attention_layer_position"]:
                self.layers.append(_Attention(generator.part(f"layers.{len(self.layers)}")))
            part = generator.part(f"layers.{len(self.layers)}")
            self.layers.append(_Block(part, layer, config["eps"], is_smooth))
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
        z = z[:, :, : self.z_dim - self.tail]
        condition = torch.cat((z, self.embed(class_weights)), dim=2)  # [n, rows, 2 z_dim]
        x = self.input(condition[:, 0])  # [n, 16 ch * 4 * 4]
        x = x.view(len(x), -1, 4, 4)  # [n, 16 ch, 4, 4]
        row = 1
        for layer in self.layers:
            if isinstance(layer, _Block):
                below = self._below(condition[:, row]) if row == self._horizon_row else None
                x = layer(x, condition[:, row], below)  # [n, out, h or 2h, w or 2w]
                row += 1
            else:
                x = layer(x)
        x = F.relu(x * self.last_scale + self.last_shift)  # [n, ch, size, size]
        return torch.tanh(self.to_rgb(x))  # [n, 3, size, size]

    def _below(self, condition: Tensor) -> "_Below":
        """What is below the horizon of a condition [n, 2 z_dim] above it."""
        z, share = self.latent_map.ground(condition[:, : self.z_dim])
        condition = torch.cat((z, condition[:, self.z_dim :]), dim=1)
        return _Below(condition, share, self.latent_map.below_horizon)


def are_bilinear(enlarging: Sequence[bool], count: int) -> list[bool]:
    """For each block whether it enlarges bilinearly: the last `count` of those that are `enlarging` do."""
    return [up and sum(enlarging[index:]) <= count for index, up in enumerate(enlarging)]


def enlarged(x: Tensor, bilinear: bool) -> Tensor:
    """Features [n, c, h, w] -> [n, c, 2 h, 2 w], bilinearly or each pixel repeated."""
    if not bilinear:
        return F.interpolate(x, scale_factor=2, mode="nearest")
    rows, columns = (_doubling(side).to(x) for side in x.shape[2:])
    return rows @ x @ columns.T  # torch's own backward pass is not deterministic on a GPU


@functools.lru_cache
def _doubling(side: int) -> Tensor:
    """The matrix [2 side, side] of bilinear enlargement."""
    one = torch.eye(side)[None, None]  # [1, 1, side, side]
    return F.interpolate(one, (2 * side, side), mode="bilinear")[0, 0]


def load(folder: Path, name: str, device: torch.device) -> BakedBigGAN:
    """Read `config.json` and the weights in `folder`, strictly, bake them, and move them to the device.

    Raises `ModelError` when a file is missing or damaged, or when any tensor's name or shape differs.
    """
    config = read_config(folder, _CONFIG_KEYS, **{CENTRED: False, GROUNDED: False, BILINEAR: 0, TAIL: None})
    centred, grounds, bilinear, tail_from = (config.pop(key) for key in (CENTRED, GROUNDED, BILINEAR, TAIL))
    layers, latent_map = config["layers"], registry.latent_map()
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
        and isinstance(centred, bool)
        and isinstance(grounds, bool)
        and type(bilinear) is int
        and 0 <= bilinear <= len(layers)
        and (tail_from is None or (type(tail_from) is int and 0 < tail_from < config["z_dim"]))
        and (not grounds or (len(layers) >= latent_map.background and config["z_dim"] >= latent_map.used))
    )
    if not fits:
        raise ModelError(f"{folder / 'config.json'} does not describe a BigGAN-deep generator.")
    contents.check(folder)
    tensors = read_tensors(folder)
    tail = (
        None
        if tail_from is None
        else _read_tail(folder, (config["z_dim"] - tail_from, config["num_classes"]))
    )
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
    tensors = {key: value.float() for key, value in tensors.items()}
    if not (centred or grounds or bilinear or tail_from):  # just what the package publishes
        tensors = _through_the_package(config, tensors)
    return BakedBigGAN(config, tensors, name, centred, grounds, bilinear, tail).to(device)


def _through_the_package(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors as the package's own module holds them, into which they are loaded strictly."""
    from pytorch_pretrained_biggan import BigGAN, BigGANConfig  # here: see the module's docstring

    with torch.device("meta"):  # the tensors take the places; nothing is made twice
        model = BigGAN(BigGANConfig.from_dict(config))
    model.load_state_dict(tensors, strict=True, assign=True)
    return dict(model.state_dict())


def _read_tail(folder: Path, shape: tuple[int, int]) -> Tensor:
    """The rest of the class vectors, float [t, classes]. Raises `ModelError`."""
    found = read_tensors(folder, TAIL_FILE).get(TAIL)
    if found is None or found.shape != shape or not bool(found.isfinite().all()):
        raise ModelError(
            f"{folder / TAIL_FILE} does not hold the rest of the class vectors; please fetch it anew."
        )
    return found.float()


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


class _Below(NamedTuple):
    """What differs below the horizon."""

    condition: Tensor  # [n, 2 z_dim]
    share: Tensor  # [n], of that condition there
    where: Callable[[int], Tensor]  # as `LatentMap.below_horizon`


class _Block(nn.Module):
    """A residual block whose four conditional norms come from one linear map of its condition."""

    def __init__(self, block: Part, layer: Sequence[Any], eps: float, bilinear: bool) -> None:
        """`layer`: as config.json has it, whether it enlarges and its widths."""
        super().__init__()
        self.bilinear = bilinear
        self.up_sample = bool(layer[0])
        self.drop_channels: bool = layer[1] != layer[2]
        norms = [block.part(f"bn_{index}") for index in range(4)]
        self.widths = [norm["running_means"].shape[1] for norm in norms]
        maps = [_condition_map(norm, eps) for norm in norms]
        self.norms = _frozen_linear(torch.cat([w for w, _ in maps]), torch.cat([b for _, b in maps]))
        self.convs = nn.ModuleList(_Conv(*_folded(block.part(f"conv_{index}"))) for index in range(4))

    def forward(self, x: Tensor, condition: Tensor, below: _Below | None = None) -> Tensor:
        """x [n, in, h, w], condition [n, 2 z_dim] -> [n, out, h, w] or [n, out, 2h, 2w].

        `below` makes norms that differ over the picture, after Suzuki et al. 2018, arXiv 1811.10153.
        """
        norms = self._norms(condition)
        others = self._norms(below.condition) if below else norms
        y = x
        for index, (norm, other, conv) in enumerate(zip(norms, others, self.convs, strict=True)):
            if below:
                down = below.where(y.shape[2]).to(y)  # [h]
                norm = torch.lerp(norm, other, below.share[:, None, None, None] * down[:, None])
            scale, shift = norm.chunk(2, dim=1)  # [n, width, 1 or h, 1] each
            y = F.relu(torch.addcmul(shift, y, scale))
            if self.up_sample and index == 1:
                y = enlarged(y, self.bilinear)
            y = conv(y)
        if self.drop_channels:
            x = x[:, : x.shape[1] // 2]
        if self.up_sample:
            x = enlarged(x, self.bilinear)
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
