"""The pocket generator while it learns: the package's own BigGAN without spectral norm, run one condition
row a layer; and its way out into the package's own file format.

Spectral norm would hold each layer's gain at 1, which hinders a network that learns pictures by heart. So it
is off while training, and the export writes u and v such that u'Wv = 1: the package's evaluation forward,
which divides W by u'Wv, then computes exactly what was trained.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from pytorch_pretrained_biggan import BigGAN, BigGANConfig
from pytorch_pretrained_biggan.model import BigGANBatchNorm, GenBlock, SelfAttn
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engine.models.generator import (
    BILINEAR,
    CENTRED,
    GROUNDED,
    TAIL,
    TAIL_FILE,
    are_bilinear,
    enlarged,
)
from engine.pocket.latents_map import CLASS_TAIL, USED, background

LAYERS = [
    [False, 16, 16],  # 4 px
    [False, 16, 16],
    [True, 16, 8],  # 8 px
    [False, 8, 8],
    [True, 8, 4],  # 16 px
    [False, 4, 4],
    [True, 4, 2],  # 32 px
    [True, 2, 2],  # 64 px
    [True, 2, 1],  # 128 px
]  # widths fall early: every size costs about the same arithmetic, and most weights sit where they are cheap
ATTENTION = 5  # before block 5, at 16 px
TRUNK = 7  # blocks that end at 32 px, where the training's extra head looks
SMOOTH = 3  # enlargements, the last ones, to 32, 64 and 128 px: repeated pixels stay visible as squares
LOUD = 40.0  # how far the picture stands out of the residual path's own features when the top begins


def configuration(num_classes: int, width: int = 32) -> BigGANConfig:
    """The package's configuration of the pocket generator: 128 px, 128 latents, two rows of statistics."""
    return BigGANConfig(
        output_dim=128,
        z_dim=128,
        class_embed_dim=128,
        channel_width=width,
        num_classes=num_classes,
        layers=LAYERS,
        attention_layer_position=ATTENTION,
        eps=1e-4,
        n_stats=2,
    )


class _NormReLU(torch.autograd.Function):
    """relu(x scale + offset) with a gradient that reads x once: addcmul's own takes twice as long."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, offset: Tensor) -> Tensor:
        y = (x * scale).add_(offset).relu_()
        ctx.save_for_backward(x, scale, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, scale, y = ctx.saved_tensors
        grad = torch.ops.aten.threshold_backward(grad, y, 0)
        to_scale = (grad * x).sum((2, 3), keepdim=True).sum_to_size(scale.shape)
        to_offset = grad.sum((2, 3), keepdim=True).sum_to_size(scale.shape)
        return grad * scale, to_scale, to_offset


def norm_relu(x: Tensor, scale: Tensor, offset: Tensor) -> Tensor:
    """relu(x scale + offset) for x [B, C, H, W], scale and offset [B or 1, C, 1, 1]."""
    shown: Tensor = _NormReLU.apply(x, scale, offset)
    return shown


class TrainedGenerator(nn.Module):
    """The package's BigGAN with plain weights, and a head at 32 px that only training uses."""

    top_begun: Tensor
    quiet: Tensor

    def __init__(self, config: BigGANConfig, generator: torch.Generator) -> None:
        super().__init__()
        self.config = config
        self.net = BigGAN(config)
        self.tail = nn.Parameter(torch.zeros(config.z_dim - CLASS_TAIL, config.num_classes))
        for module in self.net.modules():
            if hasattr(module, "weight_orig"):
                nn.utils.remove_spectral_norm(module)
                module._load_state_dict_pre_hooks.clear()  # the line above leaves one
        self.blocks = [layer for layer in self.net.generator.layers if isinstance(layer, GenBlock)]
        smooth = are_bilinear([block.up_sample for block in self.blocks], SMOOTH)
        self.smooth = {block for block, is_bilinear in zip(self.blocks, smooth, strict=True) if is_bilinear}
        channels = config.channel_width * config.layers[TRUNK - 1][2]
        self.head = nn.Conv2d(channels, 4, 3, padding=1)  # premultiplied RGB and coverage at 32 px
        self.register_buffer("top_begun", torch.tensor(False))
        self.register_buffer("quiet", torch.zeros(4, dtype=torch.long))  # where the top began as a picture
        self._initialise(generator)

    def _initialise(self, generator: torch.Generator) -> None:
        """He's initialisation, quiet residual ends, and no weight on latent coordinates without a meaning."""
        inputs = USED + 2 * self.config.z_dim - CLASS_TAIL  # of a condition's map that have a meaning
        with torch.no_grad():
            for name, module in self.named_modules():
                if isinstance(module, nn.Conv2d):
                    fan_in = module.weight[0].numel()
                    gain = 0.5 if name.endswith("conv_3") else 1.0
                    module.weight.normal_(0, gain * (2 / fan_in) ** 0.5, generator=generator)
                    if module.bias is not None:
                        module.bias.zero_()
                elif name.endswith(("scale", "offset")):
                    module.weight.normal_(0, 0.3 / inputs**0.5, generator=generator)
                    module.weight[:, USED:CLASS_TAIL] = 0
                elif name.endswith("gen_z"):
                    module.weight.normal_(0, 1 / inputs**0.5, generator=generator)
                    module.weight[:, :USED] *= 3
                    module.weight[:, USED:CLASS_TAIL] = 0
                    module.bias.zero_()
            self.net.generator.conv_to_rgb.weight[3:] = 0  # the package keeps the first three channels alone
            self.net.generator.bn.weight.fill_(1)
            self.net.generator.bn.bias.zero_()
            self.net.embeddings.weight.normal_(0, 1, generator=generator)
            self.head.weight.mul_(0.1)

    def table(self) -> Tensor:
        """Class vectors [243, classes]: the package's 128 numbers, then those among the latents."""
        return torch.cat((self.net.embeddings.weight, self.tail))

    def _linear(self, layer: nn.Linear, z: Tensor, e: Tensor) -> Tensor:
        """The layer on the condition (z, e), e [B, 243] as `table` has it: only the used latents are
        multiplied, so that the columns of the others keep their zero."""
        weight, width = layer.weight, self.config.z_dim
        out = F.linear(z, weight[:, :USED]) + F.linear(e[:, :width], weight[:, width:])
        out = out + F.linear(e[:, width:], weight[:, CLASS_TAIL:width])
        return out if layer.bias is None else out + layer.bias

    def _norm(self, bn: BigGANBatchNorm, x: Tensor, z: Tensor, e: Tensor, measure: float) -> Tensor:
        """BigGANBatchNorm at truncation 1 and the ReLU behind it; `measure` first moves the statistics."""
        self._follow(bn, x, measure)
        with torch.autocast("cpu", enabled=False):
            inverse = torch.rsqrt(bn.running_vars[1] + bn.eps)
            scale = (1 + self._linear(bn.scale, z, e)) * inverse  # [B, C]
            offset = self._linear(bn.offset, z, e) - bn.running_means[1] * scale
        scale, offset = scale.to(x.dtype)[:, :, None, None], offset.to(x.dtype)[:, :, None, None]
        return norm_relu(x, scale, offset)

    @torch.no_grad()
    def _follow(self, bn: Any, x: Tensor, measure: float) -> None:
        """Moves the statistics of `bn` by the share `measure` 0..1 towards those of `x` [B, C, H, W], but for
        the channels in which the top began as a picture."""
        if not measure:
            return
        x = x.float()
        for kept, seen in (
            (bn.running_means, x.mean((0, 2, 3))),
            (bn.running_vars, x.var((0, 2, 3)) + 1e-3),
        ):
            moved = kept.lerp(seen.expand_as(kept), measure)
            kept.copy_(torch.where(self._held(bn, len(seen)), kept, moved))

    def _held(self, bn: Any, channels: int) -> Tensor:
        """Which channels [C] of `bn` keep the statistics that `start_top` gave them."""
        held = torch.zeros(channels, dtype=torch.bool)
        if not self.top_begun:
            return held
        first, second = self.blocks[TRUNK], self.blocks[TRUNK + 1]
        if bn is first.bn_0:
            held[:] = True
        elif bn is first.bn_1:
            held[:4] = True
        elif bn is first.bn_2 or bn is first.bn_3:
            held[:7] = True
        elif bn is second.bn_0 or bn is self.net.generator.bn:
            held[self.quiet] = True
        return held

    def _block(self, block: GenBlock, x: Tensor, z: Tensor, e: Tensor, measure: float) -> Tensor:
        h = block.conv_0(self._norm(block.bn_0, x, z, e, measure))
        h = self._norm(block.bn_1, h, z, e, measure)
        if block.up_sample:
            h = enlarged(h, block in self.smooth)
        h = block.conv_1(h)
        h = block.conv_2(self._norm(block.bn_2, h, z, e, measure))
        h = block.conv_3(self._norm(block.bn_3, h, z, e, measure))
        if block.drop_channels:
            x = x[:, : x.shape[1] // 2]
        if block.up_sample:
            x = enlarged(x, block in self.smooth)
        return h + x

    def trunk(self, z: Tensor, e: Tensor, measure: float = 0.0) -> Tensor:
        """Features [B, C, 32, 32] of latents `z` [B, rows, >= USED] and class vectors `e` [B, rows, 243];
        `measure` 0..1 is how far the norms' statistics go towards those of this batch."""
        z = z[:, :, :USED]
        x = self._input(z, e)
        for index in range(TRUNK):
            if index == ATTENTION:
                attention = next(layer for layer in self.net.generator.layers if isinstance(layer, SelfAttn))
                x = attention(x.contiguous()).contiguous(memory_format=torch.channels_last)
            x = self._block(self.blocks[index], x, z[:, index + 1], e[:, index + 1], measure)
        return x

    def _input(self, z: Tensor, e: Tensor) -> Tensor:
        with torch.autocast("cpu", enabled=False):
            x = self._linear(self.net.generator.gen_z, z[:, 0], e[:, 0])
        x = x.view(-1, 4, 4, 16 * self.config.channel_width).permute(0, 3, 1, 2)  # channels last by itself
        return x.bfloat16() if torch.is_autocast_enabled("cpu") else x

    def top_convolutions(self) -> list[nn.Parameter]:
        """The parameters of the top that begin as a picture; its conditional norms begin at nothing."""
        generator = self.net.generator
        parts = (*self.blocks[TRUNK:], generator.bn, generator.conv_to_rgb)
        named = [pair for part in parts for pair in part.named_parameters()]
        return [parameter for name, parameter in named if "scale" not in name and "offset" not in name]

    def top_norms(self) -> list[nn.Parameter]:
        """The parameters of the top's conditional norms."""
        named = [pair for part in self.blocks[TRUNK:] for pair in part.named_parameters()]
        return [parameter for name, parameter in named if "scale" in name or "offset" in name]

    def coarse(self, features: Tensor) -> Tensor:
        """The training head: premultiplied RGB and coverage [B, 4, 32, 32] of the trunk's features. It is
        linear: behind a ReLU, 63 of 64 channels died in the first minutes and all pictures stayed brown."""
        return self.head(features)

    def top(self, x: Tensor, z: Tensor, e: Tensor, measure: float = 0.0) -> Tensor:
        """Picture [B, 3, 128, 128] in -1..1 from the trunk's features."""
        z = z[:, :, :USED]
        for index in range(TRUNK, len(self.blocks)):
            x = self._block(self.blocks[index], x, z[:, index + 1], e[:, index + 1], measure)
        generator = self.net.generator
        bn = generator.bn
        self._follow(bn, x, measure)
        scale = bn.weight * torch.rsqrt(bn.running_vars[1] + bn.eps)
        offset = bn.bias - bn.running_means[1] * scale
        scale, offset = (value.to(x.dtype)[None, :, None, None] for value in (scale, offset))
        x = norm_relu(x, scale, offset)
        rgb = generator.conv_to_rgb
        return torch.tanh(F.conv2d(x, rgb.weight[:3], rgb.bias[:3], padding=1).float())

    @torch.no_grad()
    def start_top(self, z: Tensor, e: Tensor) -> float:
        """Begins the untrained blocks above the trunk as what the head already shows, laid on white and
        enlarged, so that their training starts from a picture. Started at random they first spent minutes on
        unlearning the trunk's own features, which the residual path carries to the end as coloured squares.

        `z` and `e` are a batch of conditions; returns the share of the head's variance that one pixel of the
        trunk's features explains, 0..1.
        """
        features = self.trunk(z, e)
        coarse = self.coarse(features)  # [B, 4, 32, 32]
        mean, variance = features.mean((0, 2, 3)), features.var((0, 2, 3)) + 1e-3
        low = mean - 2.5 * variance.sqrt()  # so that the ReLU behind it cuts next to nothing
        seen = F.relu((features - low[:, None, None]) * variance.rsqrt()[:, None, None])
        known = torch.cat((seen.permute(0, 2, 3, 1).flatten(0, 2), seen.new_ones(seen[:, 0].numel(), 1)), 1)
        wanted = coarse.permute(0, 2, 3, 1).flatten(0, 2)  # [pixels, 4]
        fit = torch.linalg.lstsq(
            known, wanted, driver="gelsd"
        ).solution  # [C + 1, 4]; SVD, for channels may be dead
        explained = 1 - (known @ fit - wanted).var(0).sum() / wanted.var(0).sum()

        first, second = self.blocks[TRUNK], self.blocks[TRUNK + 1]
        last, rgb = self.net.generator.bn, self.net.generator.conv_to_rgb
        for block in (first, second):
            for bn in (block.bn_0, block.bn_1, block.bn_2, block.bn_3):
                bn.scale.weight.zero_()
                bn.offset.weight.zero_()
        blur = torch.tensor([1.0, 2.0, 1.0])
        blur = blur[:, None] * blur / 16
        quiet = variance[: self.config.channel_width].argsort()[:4]  # channels that carry the least else
        self.quiet.copy_(quiet)
        first.conv_0.weight[:4] = fit[:-1].t()[:, :, None, None]
        first.conv_0.bias[:4] = fit[-1]
        first.conv_1.weight[:7] = 0  # 0..2 colour, 3 coverage, 4..6 what the background will fill
        first.conv_2.weight[:7] = 0
        first.conv_3.weight[quiet] = 0
        second.conv_0.weight[:4] = 0
        second.conv_3.weight[quiet] = 0
        rgb.weight.mul_(0.1)
        for channel in range(7):
            first.conv_1.weight[channel, min(channel, 3)] = blur if channel < 4 else -blur
            first.conv_2.weight[channel, channel, 1, 1] = 1
        first.conv_1.bias[4:7] = 1
        for channel in range(3):
            first.conv_3.weight[quiet[channel], channel] = LOUD
            first.conv_3.weight[quiet[channel], channel + 4] = LOUD
            rgb.weight[channel, quiet[channel]] = 0
            rgb.weight[channel, quiet[channel], 1, 1] = 3.3
            rgb.bias[channel] = -1.65  # tanh(3.3 v - 1.65) is nearly 2 v - 1
        first.conv_3.weight[quiet[3], 3] = LOUD
        for channel in range(4):
            second.conv_0.weight[channel, quiet[channel]] = 1
        gain, once, twice = fit_background()
        for channel in range(3):
            first.conv_2.weight[channel + 4, channel + 4, 1, 1] = gain[channel]
        first.bn_2.scale.weight[4:7, :USED] = once
        first.bn_3.scale.weight[4:7, :USED] = twice
        self.top(features, z, e, measure=1.0)
        first.bn_0.running_means.copy_(low.expand_as(first.bn_0.running_means))
        for bn, channels in ((first.bn_1, 4), (first.bn_2, 7), (first.bn_3, 7)):
            bn.running_means[:, :channels] = 0
            bn.running_vars[:, :channels] = 1
        for bn in (second.bn_0, last):
            bn.running_means[:, quiet] = mean[quiet]
            bn.running_vars[:, quiet] = LOUD**2
        self.top_begun.fill_(True)
        return float(explained)


@torch.enable_grad()
def fit_background() -> tuple[Tensor, Tensor, Tensor]:
    """`gain` [3], `once` and `twice` [3, USED] for which gain (1 + once z)+ (1 + twice z)+ comes nearest to
    the background's colour in the mean of |difference|: two conditional norms can compute just that."""
    z = torch.randn(4096, USED, generator=torch.Generator().manual_seed(0))
    wanted = background(z, 3)[:, :, 1, 0]  # [4096, 3], half way down
    gain = torch.full((3,), 0.8, requires_grad=True)
    maps = (0.01 * torch.randn(2, 3, USED, generator=torch.Generator().manual_seed(1))).requires_grad_()
    optimiser = torch.optim.Adam([gain, maps], lr=0.02)
    for _ in range(300):
        once, twice = 1 + z @ maps[0].t(), 1 + z @ maps[1].t()
        loss = (gain * once.relu() * twice.relu() - wanted).abs().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return gain.detach(), maps[0].detach(), maps[1].detach()


def export(state: dict[str, Tensor], tail: Tensor, config: BigGANConfig, folder: Path) -> None:
    """Writes config.json, model.safetensors, which is the package's state dict in half precision, from the
    plain weights `state` (names without the `net.` in front), and the classes' `tail` beside it."""
    reference = BigGAN(config).state_dict()
    state = of_unit_variance(state)
    tensors: dict[str, Tensor] = {}
    for name, like in reference.items():
        if name.endswith(("weight_u", "weight_v")):
            continue
        source = state[name.replace("weight_orig", "weight")].detach().float()
        tensors[name] = source.reshape(like.shape).half()
    for name in reference:
        if name.endswith("weight_orig"):
            u, v = unit_gain(tensors[name])
            tensors[name.replace("_orig", "_u")], tensors[name.replace("_orig", "_v")] = u, v
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.tmp"):
        old.unlink()
    _write(tensors, folder / "model.safetensors")
    _write({TAIL: tail.detach().half()}, folder / TAIL_FILE)
    values = {**config.to_dict(), CENTRED: True, GROUNDED: True, BILINEAR: SMOOTH, TAIL: CLASS_TAIL}
    (folder / "config.json").write_text(json.dumps(values, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _write(tensors: dict[str, Tensor], path: Path) -> None:
    """Keeps `tensors` in `path`, which appears whole."""
    partial = path.with_name(path.name + ".tmp")
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, partial)
    partial.chmod(0o644)  # safetensors writes it for its owner alone
    partial.replace(path)


def of_unit_variance(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """`state` with the kernels in front of the inner norms divided by what these divide by, which then is 1:
    the same network up to `eps`. Nothing holds their size while they learn; half precision ends at 65504.
    """
    scaled = dict(state)
    for name, variance in state.items():
        block, _, norm = name.removesuffix(".running_vars").rpartition(".bn_")
        if not name.endswith(".running_vars") or norm not in ("1", "2", "3"):
            continue
        kernel = f"{block}.conv_{int(norm) - 1}."
        spread = variance[-1].sqrt()  # [C]
        scaled[name] = torch.ones_like(variance)
        scaled[name.replace("vars", "means")] = state[name.replace("vars", "means")] / spread
        scaled[kernel + "weight"] = state[kernel + "weight"] / spread[:, None, None, None]
        scaled[kernel + "bias"] = state[kernel + "bias"] / spread
    return scaled


def unit_gain(weight: Tensor) -> tuple[Tensor, Tensor]:
    """u [rows] and v [columns], half precision, with u'Wv = 1 within 1e-5 for W = `weight` [rows, ...] as
    one matrix: the leading singular pair, u divided by the singular value, then mended after rounding."""
    matrix = weight.double().reshape(weight.shape[0], -1)
    v = F.normalize(torch.ones(matrix.shape[1], dtype=torch.float64), dim=0)
    for _ in range(30):
        u = F.normalize(matrix @ v, dim=0)
        v = F.normalize(matrix.t() @ u, dim=0)
    v = v.half()
    response = matrix @ v.double()  # [rows]
    u = (u / torch.dot(u, response)).half()
    order = response.abs().argsort(descending=True)
    order = order[response[order].abs() > 1e-3 * response.abs().max()]  # rows of zeros can mend nothing
    for index in order.tolist() * 4:  # small steps of single entries
        error = 1 - torch.dot(u.double(), response)
        if error.abs() < 1e-5:
            break
        u[index] = (u[index].double() + error / response[index]).half()
    return u, v


def load(folder: Path) -> BigGAN:
    """The package's BigGAN with the files of `folder`, in single precision, frozen, in evaluation mode."""
    values = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    model = BigGAN(BigGANConfig.from_dict(values))
    tensors = load_file(folder / "model.safetensors")
    model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, strict=True)
    return model.eval().requires_grad_(False)
