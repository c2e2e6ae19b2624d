"""Where concepts lie among pictures and texts, learnt beside the small CLIP and used for its training."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

KIN_SHARE, KIN_TEMPERATURE = 0.3, 0.08  # what a picture's target gives to kindred concepts, and to how many

LIKE_TEMPERATURE = 0.05  # how far a text's place reaches beyond the concepts that are most like it
ALIKE = 1.5  # what those count beside the map of the words
THE_SAME = 0.995  # cosine from which on a text is a concept's name and nothing else


class Space(nn.Module):
    """Where concepts lie, used in training alone: what pictures and texts of them come close to.

    A concept's place is a linear map of what the teacher makes of its words, and something of its own that
    only pictures can tell. A concept whose drawings are held out has only the first.
    """

    teacher: Tensor
    seen: Tensor
    kin: Tensor

    def __init__(self, teacher: Tensor, dimension: int) -> None:
        """`teacher` float [concepts, d], unit rows."""
        super().__init__()
        concepts, width = teacher.shape
        self.register_buffer("teacher", teacher)
        self.register_buffer("seen", torch.ones(concepts, dtype=torch.bool), persistent=False)
        self.register_buffer("kin", torch.empty(0), persistent=False)
        self.map = nn.Parameter(torch.randn(width, dimension) / width**0.5)
        self.own = nn.Parameter(torch.zeros(concepts, dimension))
        self.nothing = nn.Parameter(torch.randn(dimension) / dimension**0.5)  # where texts of nothing go
        self.pair_scale = nn.Parameter(torch.tensor(math.log(14.0)))
        self.class_scale = nn.Parameter(torch.tensor(math.log(14.0)))
        self.word_scale = nn.Parameter(torch.tensor(math.log(14.0)))
        self.show(self.seen)

    @torch.no_grad()
    def show(self, seen: Tensor) -> None:
        """Say which concepts' drawings are in the training, bool [concepts]."""
        likeness = (self.teacher @ self.teacher.T / KIN_TEMPERATURE).fill_diagonal_(float("-inf"))
        likeness = likeness.masked_fill(~seen, float("-inf"))
        self.seen, self.kin = seen.clone(), torch.nan_to_num(likeness.softmax(1))

    @torch.no_grad()
    def begin_at(self, vectors: Tensor, seen: Tensor) -> None:
        """The map that fits `vectors` [concepts, dimension] of the seen best, and half of what it misses."""
        target, words = F.normalize(vectors, dim=1), self.teacher[seen]
        square = words.T @ words + torch.eye(words.shape[1], device=words.device)
        self.map.copy_(torch.linalg.solve(square, words.T @ target[seen]))
        self.own[seen] = 0.5 * (target - self.teacher @ self.map)[seen]

    @torch.no_grad()
    def guess(self, heard: Tensor) -> None:
        """Give each concept without drawings a place, from its words alone; `show` then makes it count.

        Where the map of the words has it, where its kin lie, and `heard` [concepts, dimension], where the
        text tower has its names and keywords, a unit row each: together they are right more often.
        """
        places, from_words = (rows[:-1] for rows in self.vectors())
        like = (self.teacher @ self.teacher.T).masked_fill(~self.seen, float("-inf"))
        kin = F.normalize((like / LIKE_TEMPERATURE).softmax(1) @ places, dim=1)
        guessed, mapped = F.normalize(from_words + kin + heard, dim=1), self.teacher @ self.map
        own = guessed * mapped.norm(dim=1, keepdim=True) - mapped
        self.own[~self.seen] = own[~self.seen]

    def vectors(self) -> tuple[Tensor, Tensor]:
        """Unit rows [concepts + 1, dimension], the last for nothing; with and without what is their own."""
        places = (self.teacher @ self.map).float()
        nothing = F.normalize(self.nothing[None], dim=1)
        return (
            torch.cat([F.normalize(places + self.own * self.seen[:, None], dim=1), nothing]),
            torch.cat([F.normalize(places, dim=1), nothing]),
        )

    def soft(self, targets: Tensor) -> Tensor:
        """Targets [n, concepts] of pictures, a little of each given to the concepts of kindred words."""
        return (1 - KIN_SHARE) * targets + KIN_SHARE * torch.sparse.mm(targets.to_sparse(), self.kin)

    def lesson(self, vectors: Tensor, nearness: Tensor, places: Tensor) -> Tensor:
        """Where texts belong: the teacher's [n, d], nearness [n] → unit rows [n, dimension], no gradient.

        `places`: the concepts', as `vectors` has them. A seen concept's name goes to its place; any other
        text by what the map makes of it, and by where the seen concepts lie that the teacher finds like it.
        """
        with torch.no_grad():
            like = (vectors @ self.teacher.T).masked_fill(~self.seen, float("-inf"))
            alike = F.normalize((like / LIKE_TEMPERATURE).softmax(1) @ places[:-1], dim=1)
            known = F.normalize(F.normalize(vectors @ self.map, dim=1) + ALIKE * alike, dim=1)
            most, one = like.max(1)
            known = torch.where((most > THE_SAME)[:, None], places[one], known)
            rest = (1 - nearness**2).clamp_min(0).sqrt()[:, None]
            nothing = F.normalize(self.nothing, dim=0)
            return F.normalize(known * nearness[:, None] + rest * nothing, dim=1)
