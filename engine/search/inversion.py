"""The latents whose picture comes closest to a given one, so that a dream can begin at somebody's picture.

The atlas names the classes that the perceptor sees in the picture; samples of them are rendered and compared;
the best are then moved by Adam: all rows together first, then each by itself. The loss compares pixels at
several scales, coarse ones counting as much as fine ones (as in Laplacian-pyramid losses, Bojanowski et al.
2018, arXiv 1707.05776), and what the perceptor sees.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.models.generator import Generator
from engine.models.perceptor import Perceptor
from engine.search import cutouts
from engine.search.adam import Adam
from engine.search.atlas import BATCH
from engine.search.latents import Latents
from engine.search.start import CLASS_OFF, CLASS_ON

CLASSES = 8  # of the atlas's ranking that are tried
SAMPLES = 4  # of noise, for each
FINALISTS = 3  # samples that are moved together
TOGETHER = 25  # steps with all rows alike, of the finalists
APART = 50  # steps with a latent of its own for each row, of the winner
RATE = 0.05  # of Adam
FEATURES = 0.5  # what 1 - cosine weighs beside the pyramid's mean absolute difference (of -1..1)
PRIOR = 0.01  # what the noise's mean square beyond 1 weighs: where it is larger, the generator draws worse
LEVELS = 4  # of the pyramid: the picture, and three times half as large


def closest(
    generator: Generator,
    perceptor: Perceptor,
    picture: Tensor,
    seen: Tensor,
    atlas: Tensor | None,
    rng: torch.Generator,
    device: torch.device,
) -> Latents:
    """Latents, on the CPU, whose picture is as close to `picture` [3, s, s], -1..1, as a short search gets.

    `seen` [d] is how the perceptor sees the picture, of unit length; `atlas` [classes, d] as
    `engine.search.atlas.make` gives it; None: classes are tried at random. `rng` is the only source of
    randomness.
    """
    goal = _resized(picture[None].to(device), generator.sheet_size)  # [1, 3, s, s]
    seen = seen.to(device)
    z, classes = _samples(generator, seen, atlas, rng)
    logits = CLASS_OFF + 0.3 * torch.randn(len(z), 1, generator.classes, generator=rng)  # [n, 1, classes]
    logits[torch.arange(len(z)), 0, classes] = CLASS_ON
    z, logits = z[:, None].to(device), logits.to(device)  # [n, 1, z_dim]

    with torch.no_grad():
        losses = torch.cat(
            [
                _losses(generator, perceptor, some_z, some_logits, goal, seen)
                for some_z, some_logits in zip(z.split(BATCH), logits.split(BATCH), strict=True)
            ]
        )
    best = losses.topk(min(FINALISTS, len(losses)), largest=False).indices
    z, logits, losses = _moved(generator, perceptor, z[best], logits[best], goal, seen, TOGETHER)
    winner = losses.argmin()[None]
    z, logits = (part[winner].expand(-1, generator.rows, -1) for part in (z, logits))  # [1, rows, …]
    z, logits, _ = _moved(generator, perceptor, z, logits, goal, seen, APART)
    return Latents(z[0].cpu(), logits[0].cpu())


def _samples(
    generator: Generator, seen: Tensor, atlas: Tensor | None, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Noise [n, z_dim] and a class [n] for each sample that is tried."""
    if atlas is None:
        classes = torch.randint(generator.classes, (CLASSES * SAMPLES,), generator=rng)
    else:
        near = (atlas @ seen.cpu()).topk(min(CLASSES, generator.classes)).indices
        classes = near.repeat_interleave(SAMPLES)
    return torch.randn(len(classes), generator.z_dim, generator=rng), classes


def _moved(
    generator: Generator,
    perceptor: Perceptor,
    z: Tensor,
    logits: Tensor,
    goal: Tensor,
    seen: Tensor,
    steps: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """The best that was met for each [n, …] while Adam moved it, and its loss [n]."""
    z, logits = z.detach().clone().requires_grad_(), logits.detach().clone().requires_grad_()
    optimizer = Adam([z, logits], RATE)
    best_z, best_logits = z.detach().clone(), logits.detach().clone()
    least = torch.full((len(z),), torch.inf, device=z.device)
    for _ in range(steps):
        losses = _losses(generator, perceptor, z, logits, goal, seen)
        better = (losses < least)[:, None, None]
        least = torch.minimum(losses.detach(), least)
        best_z, best_logits = torch.where(better, z, best_z), torch.where(better, logits, best_logits)
        best_z, best_logits = best_z.detach(), best_logits.detach()
        optimizer.zero_grad()
        losses.sum().backward()
        optimizer.step()
    return best_z, best_logits, least


def _losses(
    generator: Generator, perceptor: Perceptor, z: Tensor, logits: Tensor, goal: Tensor, seen: Tensor
) -> Tensor:
    """How far each picture of z [n, 1 or rows, z_dim] and logits [n, 1 or rows, classes] is: [n]."""
    rows = (-1, generator.rows, -1)
    drawn = generator.sheet(z.expand(rows), torch.sigmoid(logits).expand(rows))  # [n, 3, s, s], -1..1
    apart = drawn.new_zeros(len(drawn))  # [n]
    ours, theirs = drawn, goal
    for level in range(LEVELS):
        if level:
            ours, theirs = F.avg_pool2d(ours, 2), F.avg_pool2d(theirs, 2)
        apart = apart + (ours - theirs).abs().mean((1, 2, 3)) / LEVELS
    whole = (torch.zeros(1), torch.zeros(1), torch.ones(1))
    views = cutouts.cut((drawn + 1) / 2, whole, perceptor.size, "triangle")  # [n, 3, s, s]
    unlike = 1 - perceptor.encode_images(views) @ seen  # [n]
    excess = (z.square().mean((1, 2)) - 1).clamp(min=0)
    return apart + FEATURES * unlike + PRIOR * excess


def _resized(picture: Tensor, size: int) -> Tensor:
    """[1, 3, s, s] -> [1, 3, size, size] by the cutouts' own bilinear filter."""
    whole = (torch.zeros(1), torch.zeros(1), torch.ones(1))
    return cutouts.cut(picture, whole, size, "triangle")
