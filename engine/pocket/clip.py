"""A small CLIP: a residual convolutional tower for 64 px pictures, a two-layer transformer for text.

After Radford et al. 2021 (CLIP). Ours differs where few pictures and few bytes ask for it: batch-normalised
convolutions see the picture, a narrow map of it keeps what stands where, and the text tower looks both ways
and pools by a learned weight.
"""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from engine.errors import ModelError
from engine.pocket import grounds, half_precision

MODEL_TYPE = "pocket-clip"
_MAY_BE_NONE = ("places", "grounds")  # keys of a config that may be 0


@dataclass(frozen=True)
class PocketClipConfig:
    """The shape of a `PocketClip`: what its config.json holds beside `model_type`."""

    image_size: int = 64  # pixels, each side; a multiple of 16
    max_tokens: int = 32  # with start and end
    vocab_size: int = 8706
    dimension: int = 256  # of the embeddings
    channels: tuple[int, int, int, int] = (32, 64, 128, 224)  # at 1/2, 1/4, 1/8 and 1/16 of the picture
    blocks: tuple[int, int, int, int] = (0, 0, 1, 2)  # residual blocks at these sizes
    places: int = 32  # channels that keep their place at 1/16 beside the mean of all; 0: the mean alone
    grounds: int = 0  # how many of `grounds.GROUNDS` it tells apart
    text_width: int = 192
    text_layers: int = 2
    heads: int = 4

    @classmethod
    def read(cls, path: Path) -> "PocketClipConfig":
        """From a config.json. Raises `ModelError`."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            if values.pop("model_type") != MODEL_TYPE:
                raise ValueError("another model type")
            for key in _MAY_BE_NONE:
                values.setdefault(key, 0)  # files from before there were any
            if set(values) != {f.name for f in fields(cls)}:
                raise ValueError("other keys")
            for key in ("channels", "blocks"):
                values[key] = tuple(values[key])
                if len(values[key]) != 4:
                    raise ValueError("not four sizes")
            numbers = [*values["channels"], values["blocks"][-1]]
            numbers += [
                value
                for key, value in values.items()
                if not isinstance(value, tuple) and (value or key not in _MAY_BE_NONE)
            ]
            if any(type(n) is not int or not 0 < n < 100_000 for n in numbers):
                raise ValueError("a value out of range")
            if any(type(n) is not int or not 0 <= n < 100 for n in values["blocks"]):
                raise ValueError("a number of blocks out of range")
            if values["grounds"] > len(grounds.GROUNDS):
                raise ValueError("more grounds than there are names")
            return cls(**values)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{path} is missing or not the config of a pocket perceptor.") from error


class PocketClip(nn.Module):
    """Pictures and texts as unit vectors of one space."""

    def __init__(self, config: PocketClipConfig) -> None:
        super().__init__()
        self.config = config
        layers: list[nn.Module] = []
        before = 3
        for index, (channels, blocks) in enumerate(zip(config.channels, config.blocks, strict=True)):
            kernel = 4 if index == 0 else 3
            layers.append(nn.Conv2d(before, channels, kernel, 2, 1, bias=False))
            layers += [nn.BatchNorm2d(channels), nn.SiLU()]
            layers += [_Residual(channels) for _ in range(blocks)]
            before = channels
        self.image_layers = nn.Sequential(*layers[:-1])  # the last block comes after the positions
        side = config.image_size // 16
        self.image_position = nn.Parameter(0.02 * torch.randn(before, side, side))
        self.image_last = layers[-1]
        self.image_norm = nn.BatchNorm2d(before)
        self.image_projection = nn.Linear(before, config.dimension, bias=False)
        if config.places:
            self.image_places = nn.Conv2d(before, config.places, 1)
            self.place_projection = nn.Linear(config.places * side * side, config.dimension, bias=False)
        if config.grounds:
            self.image_grounds = ground_head(config.grounds)
        self.token = nn.Embedding(config.vocab_size, config.text_width)
        nn.init.normal_(self.token.weight, std=0.02)
        self.text_position = nn.Parameter(0.02 * torch.randn(config.max_tokens, config.text_width))
        self.text_blocks = nn.ModuleList(
            _Block(config.text_width, config.heads) for _ in range(config.text_layers)
        )
        self.text_norm = nn.LayerNorm(config.text_width)
        self.text_weight = nn.Linear(config.text_width, 1)
        self.text_projection = nn.Linear(config.text_width, config.dimension, bias=False)

    def fold(self) -> None:
        """Let each norm that follows a convolution be part of it: for frozen weights, in eval mode."""
        layers: list[nn.Module] = []
        for layer in self.image_layers:
            if isinstance(layer, nn.BatchNorm2d):
                convolution = layers.pop()
                assert isinstance(convolution, nn.Conv2d)  # what stands before each norm
                layer = fuse_conv_bn_eval(convolution, layer)
            layers.append(layer)
        self.image_layers = nn.Sequential(*layers)
        for module in self.modules():
            if isinstance(module, _Residual):
                assert isinstance(module.norm, nn.BatchNorm2d)
                module.first = fuse_conv_bn_eval(module.first, module.norm)
                module.norm = nn.Identity()
        self.requires_grad_(False)

    def encode_image(self, pixels: Tensor) -> Tensor:
        """Pictures float [n, 3, 64, 64] in 0..1 → float [n, dimension], unit rows; differentiable."""
        things = self.embed(self.cells(pixels))
        return grounds.composed(things, self.ground(pixels)) if self.config.grounds else things

    def cells(self, pixels: Tensor) -> Tensor:
        """What is seen in each sixteenth of the pictures' sides: [n, 3, 64, 64] → [n, channels, 4, 4]."""
        x = self.image_layers(pixels * 4 - 2) + self.image_position
        return F.silu(self.image_norm(self.image_last(x)))

    def embed(self, cells: Tensor) -> Tensor:
        """[n, channels, 4, 4] of `cells` → [n, dimension], unit rows."""
        found = self.image_projection(cells.mean((2, 3)))  # what is there
        if self.config.places:  # and where it is
            found = found + self.place_projection(self.image_places(cells).flatten(1))
        return F.normalize(found.float(), dim=1)

    def ground(self, pixels: Tensor) -> Tensor:
        """[n, 3, 64, 64] → how much [n, grounds] of each ground is seen, 0..1, together 1 at most."""
        logits = self.image_grounds(coarse(pixels)).float()
        return F.pad(logits, (1, 0)).softmax(1)[:, 1:]  # the first is none of them

    def encode_text(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Token ids and mask (1: a token, 0: padding), both [n, m], m ≤ max_tokens → [n, dimension]."""
        kept = mask.bool()  # [n, m]
        x = self.token(ids) + self.text_position[: ids.shape[1]]  # [n, m, width]
        for block in self.text_blocks:
            x = block(x, kept[:, None, None, :])
        x = self.text_norm(x)
        weight = self.text_weight(x).float().masked_fill(~kept[..., None], float("-inf")).softmax(1)
        return F.normalize(self.text_projection((weight * x).sum(1)).float(), dim=1)

    @classmethod
    def load(cls, folder: Path) -> "PocketClip":
        """Read config.json and model.safetensors strictly; float32, frozen, in eval mode, on the CPU.

        Raises `ModelError` when a file is missing or damaged, or any tensor's name or shape differs.
        """
        config = PocketClipConfig.read(folder / "config.json")
        return half_precision.load(lambda: cls(config), folder)

    def save(self, folder: Path) -> None:
        """Write config.json and model.safetensors (half precision); each file appears whole."""
        half_precision.save(self, {"model_type": MODEL_TYPE, **asdict(self.config)}, folder)


def coarse(pixels: Tensor) -> Tensor:
    """What a head of grounds looks at: pictures [n, 3, s, s] in 0..1 → [n, 3, 16, 16] in -2..2."""
    return F.avg_pool2d(pixels, pixels.shape[-1] // 16) * 4 - 2


def ground_head(count: int) -> nn.Sequential:
    """Tells `count` grounds apart on `coarse` pictures: [n, 3, 16, 16] → logits [n, count], none being 0.

    It looks at colours itself, for the tower has learnt to see things whatever they stand on.
    """
    return nn.Sequential(
        nn.Conv2d(3, 24, 4, 2, 1), nn.SiLU(), nn.Conv2d(24, 32, 4, 2, 1), nn.SiLU(), nn.Flatten(),
        nn.Linear(512, 48), nn.SiLU(), nn.Linear(48, count),
    )  # fmt: skip


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm: nn.BatchNorm2d | nn.Identity = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.second(F.silu(self.norm(self.first(x))))
        return result


class _Block(nn.Module):
    """A pre-norm transformer block."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.attention_in = nn.Linear(width, 3 * width)
        self.attention_out = nn.Linear(width, width)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp_in = nn.Linear(width, 4 * width)
        self.mlp_out = nn.Linear(4 * width, width)

    def forward(self, x: Tensor, kept: Tensor) -> Tensor:
        n, m, width = x.shape
        q, k, v = (
            self.attention_in(self.attention_norm(x)).view(n, m, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        )
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=kept)  # [n, heads, m, width / heads]
        x = x + self.attention_out(mixed.transpose(1, 2).reshape(n, m, width))
        result: Tensor = x + self.mlp_out(F.gelu(self.mlp_in(self.mlp_norm(x))))
        return result
