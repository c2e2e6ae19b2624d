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
from engine.models.perceptor import Perceptor
from engine.search.atlas import BATCH, seen_rows
from engine.search.canvas import fitted, joined
from engine.search.latents import Basis, Latents
from engine.search.objective import cosine_score
from engine.search.search import Form, Mixed, Search
from engine.settings import MAX_SEED
from engine.words.colours import Tint
from engine.words.grounds import GROUNDS

CLASSES = 8  # nearest to the target, tried by themselves
PAIRS = 4  # of them, tried together
CLASS_ON = math.log(0.9 / 0.1)  # the logit of a chosen class: weight 0.9
CLASS_HALF = 0.0  # of each of two classes in one row: weight 0.5
CLASS_OFF = -6.0  # of all others: weight 0.0025; hundreds of BigSleep's 0.02 would blur a chosen class
PARENTS = 4  # candidates that are bred
FRESH = 0.25  # of a child's rows, noise that neither parent had
EACH = 0.75  # of the candidates, for each of two panels: together they take half as long again
TINTED = 0.5  # of the candidates wear the colour that the words name; all of them that of a stuff
UNLIKE = 0.2  # of the samples' rows of manner are not the seed's, for some suit nothing that the words name
MANNER = 2.0  # what each row in the seed's manner adds to a candidate's score
WIDE = 1.5  # its deviation: strong colours, which a search's small steps do not reach, are rare in N(0, 1)


@torch.no_grad()
def scored_start(
    generator: Generator,
    perceptor: Perceptor,
    search: Search,
    atlas: Tensor,
    rng: torch.Generator,
    device: torch.device,
    around: Latents | None = None,
) -> Latents:
    """The best of the settings' `candidates` pictures: half are samples of what the atlas points to, half
    their children.

    `atlas` [classes, d] as `engine.search.atlas.make` gives it. A sample has one noise for all rows, or that
    of `around`, whose style and background the picture then keeps while its thing becomes another; where the
    targets name a ground, each has a background that shows it, and where they name a colour, `TINTED` of all
    candidates wear it: as far as the models are able to. A child has each row from one of two parents or
    afresh, so that a colour of one and a shape of another may meet. Returns latents on the CPU.

    Where there are several panels, each starts so, with `EACH` of the candidates, the later ones in the style
    of the first.
    """
    panel, candidates = generator.panel, search.settings.candidates
    if generator.panels > 1:
        candidates = math.ceil(EACH * candidates)
        around = around and fitted(around, panel.rows)
    found: list[Latents] = []
    for index, towards in enumerate(search.towards.view(generator.panels, -1)):
        near = around or next(iter(found), None)
        samples = _Samples(panel, perceptor, atlas, towards, rng, near, search.form(index))
        samples.alone = samples.alone and generator.panels == 1
        if "tints" in panel.abilities:
            samples.wear(search.tints[index], search.form(index).mixture)
        found.append(samples.best(candidates, device))
    return joined(found)


class _Samples:
    """The candidates for the start of one panel, sampled and bred batch by batch."""

    def __init__(
        self,
        generator: Generator,
        perceptor: Perceptor,
        atlas: Tensor,
        towards: Tensor,
        rng: torch.Generator,
        around: Latents | None,
        form: Form,
    ) -> None:
        self.generator, self.perceptor, self.towards, self.rng = generator, perceptor, towards, rng
        self.around = around
        self.tint: Tint | None = None
        self.tinted = TINTED  # share of them that wear it
        suggested = _Suggestions(generator, atlas, towards.cpu(), rng)
        mixture = form.mixture
        self.logits, self.prior = suggested.mixed(mixture) if mixture else suggested.single()
        self.made = mixture is not None and mixture.kind == "made"
        self.manner = _manner(generator, rng, int((atlas @ towards.cpu()).argmax()))
        self.grounds = _grounds(generator, perceptor, towards, form.ground, rng)
        self.alone = form.count == 1 and form.vessel is None
        self.z = torch.empty(0, generator.rows, generator.z_dim)
        self.kind = torch.empty(0, dtype=torch.long)  # index into logits
        self.score = torch.empty(0)
        self.kept = torch.empty(0, generator.rows, 1, dtype=torch.bool)  # rows that are in the seed's manner

    def wear(self, tint: Tint | None, mixture: Mixed | None) -> None:
        """Some candidates wear the `tint` that words name, or else all of them that of their stuff."""
        if tint is None and mixture is not None and mixture.tint is not None:
            self.tint, self.tinted = mixture.tint, 1.0
        else:
            self.tint = tint

    def best(self, candidates: int, device: torch.device) -> Latents:
        """The best of so many, half of them sampled, half bred."""
        while len(self.z) < candidates:
            some = min(BATCH, candidates - len(self.z))
            z, kind, kept = self._fresh(some) if len(self.z) < candidates / 2 else self._children(some)
            if self.around is None:
                z = self.generator.latent_map.sober(z, self.alone or len(self.grounds) > 0)
            if self.made:
                z = self.generator.latent_map.made(z)
            if self.tint is not None:
                worn = torch.rand(some, 1, generator=self.rng) < self.tinted
                z = self.generator.latent_map.tinted(z, self.tint, worn, self.rng)
            weights = torch.sigmoid(self.logits[kind])
            features = seen_rows(self.generator, self.perceptor, z, weights, device)
            score = cosine_score(self.towards, features).cpu() + self.prior[kind]
            score = score + MANNER * kept.sum((1, 2))
            self.z, self.kind = torch.cat((self.z, z)), torch.cat((self.kind, kind))
            self.kept = torch.cat((self.kept, kept))
            self.score = torch.cat((self.score, score))
        winner = int(self.score.argmax())
        return Latents(self.z[winner], self.logits[self.kind[winner]])

    def _fresh(self, some: int) -> tuple[Tensor, Tensor, Tensor]:
        """Noise [some, rows, z_dim] and kinds [some], the nearest first, and each in turn; and which rows are
        in the seed's manner [some, rows, 1]."""
        generator = self.generator
        order = torch.arange(len(self.z), len(self.z) + some)
        if self.around is None:
            z = torch.randn(some, 1, generator.z_dim, generator=self.rng).expand(-1, generator.rows, -1)
        else:
            z = self.around.z.detach().cpu().expand(some, -1, -1)
        kept = torch.zeros(some, generator.rows, 1, dtype=torch.bool)
        if self.manner is not None and self.around is None:
            rows = list(generator.latent_map.manner)
            kept[:, rows] = torch.rand(some, len(rows), 1, generator=self.rng) >= UNLIKE
            z = torch.where(kept, self.manner, z)
        if len(self.grounds):
            z = generator.latent_map.on(z, self.grounds[order % len(self.grounds)])
        return z, order % len(self.logits), kept

    def _children(self, some: int) -> tuple[Tensor, Tensor, Tensor]:
        """As `_fresh`, bred of the best so far."""
        best = self.score.topk(min(PARENTS, len(self.score))).indices
        mother, father = best[torch.randint(len(best), (2, some), generator=self.rng)]  # [some] each
        chance = torch.rand(some, self.generator.rows, 1, generator=self.rng)
        hers = chance < (1 + FRESH) / 2
        z = torch.where(hers, self.z[mother], self.z[father])
        kept = torch.where(hers, self.kept[mother], self.kept[father])
        fresh = ((chance < FRESH) & ~kept).expand(z.shape).clone()
        if len(self.grounds):
            fresh[:, self.generator.latent_map.background] = False  # what it inherits shows the ground
        z = torch.where(fresh, WIDE * torch.randn(z.shape, generator=self.rng), z)
        return z, self.kind[mother], kept


def _manner(generator: Generator, rng: torch.Generator, nearest: int) -> Tensor | None:
    """Noise [rows, z_dim] for the rows of the generator's `manner`, that seeds differ, and things of one
    seed, by their nearest class, too; None, and no number of `rng` is drawn, where there are none."""
    if not generator.latent_map.manner:
        return None
    seeds = torch.randint(MAX_SEED, (generator.classes,), generator=rng)
    own = torch.Generator().manual_seed(int(seeds[nearest]))
    return torch.randn(generator.rows, generator.z_dim, generator=own)


def _grounds(
    generator: Generator, perceptor: Perceptor, towards: Tensor, said: str, rng: torch.Generator
) -> Tensor:
    """Backgrounds [n, numbers] worth trying where words `said` a ground or `towards` names one.

    None where there is none, or where the models know no grounds. Then no number of `rng` is drawn."""
    if "grounds" not in generator.abilities:
        return torch.empty(0, 0)
    if said:
        return generator.latent_map.backgrounds(None, said, rng)
    number = perceptor.grounds.named(towards) if perceptor.grounds is not None else None
    if number is None:
        return torch.empty(0, 0)
    return generator.latent_map.backgrounds(perceptor.grounds, GROUNDS[number], rng)


class _Suggestions:
    """Class logits [n, rows, classes] worth trying, the best first, and their scores [n] by the atlas."""

    def __init__(self, generator: Generator, atlas: Tensor, towards: Tensor, rng: torch.Generator) -> None:
        self.generator, self.atlas, self.towards = generator, atlas, towards
        self.scores = cosine_score(towards, atlas)  # [classes]
        shape = (generator.rows, generator.classes)
        self._off = CLASS_OFF + 0.3 * torch.randn(shape, generator=rng)

    def single(self) -> tuple[Tensor, Tensor]:
        """Single classes; then pairs of the best, as two things are often asked for.

        Pairs as far as both together are closer to the words. Their score is their classes' mean, below the
        better one's, so that they have to win by their picture.
        """
        near = self.scores.topk(min(CLASSES, len(self.scores))).indices
        every = range(self.generator.rows)
        found, prior = [self._on((one, every)) for one in near], self.scores[near].tolist()
        firsts, seconds = torch.triu_indices(len(near), len(near), 1)
        together = normalize(self.atlas[near[firsts]] + self.atlas[near[seconds]], dim=1)
        together = cosine_score(self.towards, together)  # [pairs]
        least = self.scores.max() + self.generator.latent_map.pair_gain
        for index in together.topk(min(PAIRS, len(together))).indices:
            if together[index] >= least:
                one, other = near[firsts[index]], near[seconds[index]]
                found += self._pair(one, other, "blend")
                prior += [float(self.scores[one] + self.scores[other]) / 2] * (len(found) - len(prior))
        return torch.stack(found), torch.tensor(prior)

    def mixed(self, wanted: Mixed) -> tuple[Tensor, Tensor]:
        """All ways to mix the class nearest to the one thing with that nearest to the other."""
        one, other = ((self.atlas @ each.cpu()).argmax() for each in wanted.towards)
        found = self._pair(one, other, wanted.kind)
        return torch.stack(found), torch.zeros(len(found))

    def _pair(self, one: Tensor, other: Tensor, kind: str) -> list[Tensor]:
        return [
            self._on((one, first), (other, second)) for first, second in self.generator.latent_map.mixed(kind)
        ]

    def _on(self, *classes: tuple[Tensor, Sequence[int]]) -> Tensor:
        """Logits with these classes on in their rows; half on where they share one."""
        logits = self._off.clone()
        for row in range(len(logits)):
            there = [chosen for chosen, rows in classes if row in rows]
            for chosen in there:
                logits[row, chosen] = CLASS_ON if len(there) == 1 else CLASS_HALF
        return logits


@torch.no_grad()
def sampled_start(
    generator: Generator,
    perceptor: Perceptor,
    search: Search,
    rng: torch.Generator,
    device: torch.device,
) -> Latents | Basis:
    """FuseDream's: the best `basis` of `candidates` random samples, to be mixed; 0: the best one's rows.

    z ~ N(0, 1), clamped to ±`z_limit` unless that is 0; a random class each. On the CPU.
    """
    settings, classes = search.settings, generator.classes
    z = torch.randn(settings.candidates, generator.z_dim, generator=rng)
    z = z.clamp(-settings.z_limit, settings.z_limit) if settings.z_limit else z
    weights = one_hot(torch.randint(classes, (settings.candidates,), generator=rng), classes).float()
    scores = torch.cat(
        [
            cosine_score(
                search.towards,
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
    best = scores.topk(max(settings.basis, 1)).indices
    if not settings.basis:
        off = CLASS_OFF + 0.3 * torch.randn(generator.rows, classes, generator=rng)
        logits = torch.where(weights[best[0]] > 0, CLASS_ON, off)
        return Latents(z[best[0]].expand(generator.rows, -1), logits)
    mix_z = torch.randn(settings.basis, generator.z_dim, generator=rng)
    mix_classes = torch.randn(settings.basis, 1, generator=rng)
    return Basis(z[best], mix_z, weights[best], mix_classes, generator.rows)
