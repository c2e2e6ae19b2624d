"""Where a dream starts: not blindly, but at the latents that the perceptor likes best before the first step.

After FuseDream (Liu et al. 2021, arXiv 2112.01573), which scores some 5000 random samples. Ours is cheaper:
an atlas, made once per pair of models, ranks all classes, and all pairs of the best, at the price of one
matrix product; only samples of those are rendered and scored, and the best of them are bred.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import normalize, one_hot

from engine.models.generator import Generator
from engine.models.perceptor import Perceptor, PocketPerceptor
from engine.pocket import scenery, tints
from engine.pocket.latents_map import BACKGROUND_ROW, TINT, TINT_ROW
from engine.search.atlas import BATCH, seen_rows
from engine.search.canvas import Canvas, fitted, joined
from engine.search.latents import Basis, Latents
from engine.search.objective import cosine_score

CLASSES = 8  # nearest to the target, tried by themselves
PAIRS = 4  # of them, tried together
CLASS_ON = math.log(0.9 / 0.1)  # the logit of a chosen class: weight 0.9
CLASS_HALF = 0.0  # of each of two classes in one row: weight 0.5
CLASS_OFF = -6.0  # of all others: weight 0.0025; hundreds of BigSleep's 0.02 would blur a chosen class
PARENTS = 4  # candidates that are bred
FRESH = 0.25  # of a child's rows, noise that neither parent had
EACH = 0.75  # of the candidates, for each of a canvas's two things: together they take half as long again
TINTED = 0.5  # of the candidates wear the colour that the words name
WIDE = 1.5  # its deviation: strong colours, which a search's small steps do not reach, are rare in N(0, 1)


@torch.no_grad()
def scored_start(
    generator: Generator,
    perceptor: Perceptor,
    towards: Tensor,
    atlas: Tensor,
    candidates: int,
    rng: torch.Generator,
    device: torch.device,
    around: Latents | None = None,
    hues: Sequence[float | None] = (),
) -> Latents:
    """The best of `candidates` pictures: half are samples of what the atlas points to, half their children.

    `towards` [d] as `engine.search.objective.direction` gives it, `atlas` [classes, d] as
    `engine.search.atlas.make` does. A sample has one noise for all rows, or that of `around`, whose style and
    background the picture then keeps while its thing becomes another; where `towards` names a ground, each
    has a background that shows it (`engine.pocket.scenery`), and where `hues` has the colour that its words
    name, `TINTED` of all candidates wear it (`engine.pocket.tints`). A child has each row from one of two
    parents or afresh, so that a colour of one and a shape of another may meet. Returns latents on the CPU.

    On a `Canvas`, `towards` [2, d] has a direction for each panel, as `hues` have a colour; each starts so,
    with `EACH` of the candidates, the second in the style of the first.
    """
    if isinstance(generator, Canvas):
        candidates = math.ceil(EACH * candidates)
        panels: list[Latents] = []
        around = around and fitted(around, generator.base.rows)
        for part, hue in zip(towards, hues or [None] * len(towards), strict=True):
            panels.append(
                scored_start(generator.base, perceptor, part, atlas, candidates, rng, device, around, (hue,))
            )
            around = around or panels[0]
        return joined(panels)
    logits, prior = _suggestions(generator, atlas, towards.cpu(), rng)
    grounds = _grounds(generator, perceptor, towards, rng)
    hue = hues[0] if hues and getattr(generator, "grounds", False) else None  # large models know no tints
    pool_z = torch.empty(0, generator.rows, generator.z_dim)
    pool_kind = torch.empty(0, dtype=torch.long)  # index into logits
    pool_score = torch.empty(0)
    while len(pool_z) < candidates:
        some = min(BATCH, candidates - len(pool_z))
        if len(pool_z) < candidates / 2:
            # The nearest first, and each in turn.
            order = torch.arange(len(pool_z), len(pool_z) + some)
            kind = order % len(logits)
            if around is None:
                z = torch.randn(some, 1, generator.z_dim, generator=rng).expand(-1, generator.rows, -1)
            else:
                z = around.z.detach().cpu().expand(some, -1, -1)
            if len(grounds):
                z = z.clone()
                z[:, BACKGROUND_ROW, scenery.COORDINATES] = grounds[order % len(grounds)]
        else:
            best = pool_score.topk(min(PARENTS, len(pool_score))).indices
            mother, father = best[torch.randint(len(best), (2, some), generator=rng)]  # [some] each
            kind = pool_kind[mother]
            chance = torch.rand(some, generator.rows, 1, generator=rng)
            z = torch.where(chance < (1 + FRESH) / 2, pool_z[mother], pool_z[father])
            fresh = (chance < FRESH).expand(z.shape).clone()
            if len(grounds):
                fresh[:, BACKGROUND_ROW] = False  # what it inherits shows the ground
            z = torch.where(fresh, WIDE * torch.randn(z.shape, generator=rng), z)
        if hue is not None:
            z = z.clone()
            worn = torch.rand(some, 1, generator=rng) < TINTED
            tint = torch.where(worn, tints.points(hue, some, rng), z[:, TINT_ROW, list(TINT)])
            z[:, TINT_ROW, list(TINT)] = tint
        features = seen_rows(generator, perceptor, z, torch.sigmoid(logits[kind]), device)
        score = cosine_score(towards, features).cpu() + prior[kind]
        pool_z, pool_kind = torch.cat((pool_z, z)), torch.cat((pool_kind, kind))
        pool_score = torch.cat((pool_score, score))
    winner = int(pool_score.argmax())
    return Latents(pool_z[winner], logits[pool_kind[winner]])


def _grounds(generator: Generator, perceptor: Perceptor, towards: Tensor, rng: torch.Generator) -> Tensor:
    """Backgrounds [n, coordinates] worth trying where `towards` names a ground; none where it does not, or
    where the models know no grounds. Then no number of `rng` is drawn."""
    none = torch.empty(0, 0)
    if not isinstance(perceptor, PocketPerceptor) or not getattr(generator, "grounds", False):
        return none
    number = scenery.named(towards, perceptor.known_grounds)
    return none if number is None else scenery.backgrounds(perceptor.grounds, number, rng)


def _suggestions(
    generator: Generator, atlas: Tensor, towards: Tensor, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Class logits [n, rows, classes] worth trying, the best first, and their scores [n] by the atlas alone.

    Single classes; then pairs of the best, as two things are often asked for: both half on in every row, and
    one in the coarse rows with the other in the fine ones, either way. A pair's score is its classes' mean,
    below the better one's, so that it has to win by its picture.
    """
    rows = generator.rows
    scores = cosine_score(towards, atlas)  # [classes]
    near = scores.topk(min(CLASSES, len(scores))).indices
    off = CLASS_OFF + 0.3 * torch.randn(rows, generator.classes, generator=rng)

    def on(level: float, *classes: tuple[Tensor, slice]) -> Tensor:
        logits = off.clone()
        for chosen, part in classes:
            logits[part, chosen] = level
        return logits

    every, coarse, fine = slice(None), slice(rows // 2), slice(rows // 2, None)
    found = [on(CLASS_ON, (one, every)) for one in near]
    prior = scores[near].tolist()
    firsts, seconds = torch.triu_indices(len(near), len(near), 1)
    together = normalize(atlas[near[firsts]] + atlas[near[seconds]], dim=1) @ towards  # [pairs]
    for index in together.topk(min(PAIRS, len(together))).indices:
        one, other = near[firsts[index]], near[seconds[index]]
        found += [
            on(CLASS_HALF, (one, every), (other, every)),
            on(CLASS_ON, (one, coarse), (other, fine)),
            on(CLASS_ON, (other, coarse), (one, fine)),
        ]
        prior += [float(scores[one] + scores[other]) / 2] * 3
    return torch.stack(found), torch.tensor(prior)


@torch.no_grad()
def sampled_start(
    generator: Generator,
    perceptor: Perceptor,
    towards: Tensor,
    candidates: int,
    basis: int,
    z_limit: float,
    rng: torch.Generator,
    device: torch.device,
) -> Latents | Basis:
    """FuseDream's: the best `basis` of so many random samples, to be mixed; `basis` 0: the best one's rows.

    z ~ N(0, 1), clamped to ±`z_limit` unless that is 0; a random class each. On the CPU.
    """
    z = torch.randn(candidates, generator.z_dim, generator=rng)
    z = z.clamp(-z_limit, z_limit) if z_limit else z
    weights = one_hot(
        torch.randint(generator.classes, (candidates,), generator=rng), generator.classes
    ).float()
    scores = torch.cat(
        [
            cosine_score(
                towards,
                seen_rows(
                    generator,
                    perceptor,
                    some_z[:, None].expand(-1, generator.rows, -1),
                    some_weights[:, None].expand(-1, generator.rows, -1),
                    device,
                ),
            ).cpu()
            for some_z, some_weights in zip(z.split(BATCH), weights.split(BATCH), strict=True)
        ]
    )
    best = scores.topk(max(basis, 1)).indices
    if not basis:
        off = CLASS_OFF + 0.3 * torch.randn(generator.rows, generator.classes, generator=rng)
        logits = torch.where(weights[best[0]] > 0, CLASS_ON, off)
        return Latents(z[best[0]].expand(generator.rows, -1), logits)
    mix_z = torch.randn(basis, generator.z_dim, generator=rng)
    mix_classes = torch.randn(basis, 1, generator=rng)
    return Basis(z[best], mix_z, weights[best], mix_classes, generator.rows)
