"""Contact sheets of the pocket generator, to look at while it learns."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from engine.pocket import latents_map
from engine.pocket.latents_map import BACKGROUND_ROW, TINT_ROW
from engine.training.generator_data import SHOWN_FIRST, Drawings
from engine.training.generator_net import TrainedGenerator

OTHERS = ("bicycle", "dog-face", "butterfly", "hamburger", "umbrella", "owl")


def contact_sheet(model: TrainedGenerator, data: Drawings, full: bool, folder: Path) -> Path:
    """Writes `folder`/sheet-HHMM.png: a row a concept (the README's prompts, then others, then random ones);
    the styles on white, then draws of everything, and the drawing itself; below, half-half mixes."""
    names = [entry["id"] for entry in data.classes]
    rng = torch.Generator().manual_seed(7)
    random = torch.randint(len(names), (4,), generator=rng).tolist()
    wanted = [names.index(name) for name in (*SHOWN_FIRST, *OTHERS) if name in names] + random
    rows = len(model.config.layers) + 1
    table = model.table().detach().t()
    lines = []
    for number in wanted:
        z = torch.randn(9, rows, latents_map.USED, generator=rng)
        styles = torch.tensor([*range(len(latents_map.STYLES)), latents_map.STYLES.index("twemoji")])
        plain = len(styles)  # the last one inked
        z[:plain, 0] = latents_map.with_style(z[:plain, 0], styles)
        z[:plain, TINT_ROW, 3:5] = 0
        z[:plain, BACKGROUND_ROW, 5:] = 0
        z[:plain, BACKGROUND_ROW, latents_map.INKING] = 0
        z[plain - 1, BACKGROUND_ROW, latents_map.INKING] = 1.5
        z[plain, TINT_ROW, 3:5] *= 2.5 / z[plain, TINT_ROW, 3:5].norm()
        e = table[number].expand(9, rows, -1)
        lines.append(torch.cat((paint(model, z, e, full), drawing(data, number))))
    for first, second in ((0, 5), (6, 7), (8, 9), (2, 10)):
        if second >= len(wanted):
            continue
        z = torch.randn(9, rows, latents_map.USED, generator=rng)
        z[:, TINT_ROW, 3:5] = 0
        mixes = torch.linspace(0.3, 0.7, 9)[:, None] * (table[wanted[second]] - table[wanted[first]])
        e = (table[wanted[first]] + mixes)[:, None].expand(9, rows, -1)
        lines.append(torch.cat((paint(model, z, e, full), drawing(data, wanted[first]))))
    sheet = torch.cat([torch.cat(list(line), dim=2) for line in lines], dim=1)  # [3, H, W]
    pixels = (sheet * 255).round().clamp(0, 255).byte().permute(1, 2, 0).contiguous().numpy()
    path = folder / f"sheet-{datetime.now():%H%M}.png"
    Image.fromarray(pixels).save(path)
    return path


@torch.no_grad()
def paint(model: TrainedGenerator, z: Tensor, e: Tensor, full: bool) -> Tensor:
    """Pictures [B, 3, 128, 128] in 0..1; before the full size is trained, the 32 px head's, enlarged."""
    features = model.trunk(z, e)
    if full:
        return model.top(features, z, e) / 2 + 0.5
    coarse = model.coarse(features)
    return F.interpolate(coarse[:, :3] + 1 - coarse[:, 3:], size=128, mode="nearest")


def drawing(data: Drawings, number: int) -> Tensor:
    """The class's first drawing [1, 3, 128, 128] in 0..1 on white."""
    values = data.pictures[data.index[number, :1]].permute(0, 3, 1, 2).float() / 255
    return values[:, :3] * values[:, 3:] + 1 - values[:, 3:]
