"""What a search is, as one value: what each panel of the picture shall show, and how it is looked for."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.search.latents import Latents
from engine.search.objective import Target, direction
from engine.search.recipes import DreamSettings
from engine.search.state import State
from engine.words.colours import Tint


@dataclass(frozen=True)
class Mixed:
    """The two things of which one being is made."""

    kind: str  # how, one of `engine.words.mixtures.KINDS`
    towards: Tensor  # [2, d], unit rows: the first, the second, without their ground
    tint: Tint | None = None  # of what it is made of


@dataclass(frozen=True)
class Form:
    """How a panel shows its thing."""

    mixture: Mixed | None = None  # of which two it is made, if it is
    count: int = 1  # how many of it there are, 1..`engine.words.counts.MOST`
    vessel: int | None = None  # the class of what these lie in, if they do
    ground: str = ""  # what it is on, where words alone say so: one of `engine.words.grounds.PAINTED`


@dataclass(frozen=True)
class Search:
    """With the same models it finds the same picture."""

    targets: tuple[Sequence[Target], ...]  # what each panel shall show and shall not, one panel or more
    seed: int  # 0..2**32 - 1: all randomness is one CPU generator seeded with it
    settings: DreamSettings
    begin: Latents | State | None = None  # None: afresh; or at latents; or exactly where a state was saved
    forms: tuple[Form, ...] = ()  # each panel's; none: one thing each, as it is

    @property
    def towards(self) -> Tensor:
        """Where it goes: [d], or [panels, d] where there are several. Raises as `direction` does."""
        found = torch.stack([direction(panel) for panel in self.targets])
        return found[0] if len(found) == 1 else found

    def form(self, panel: int) -> Form:
        """The form of what this panel shows."""
        return self.forms[panel] if self.forms else Form()

    @property
    def tints(self) -> tuple[Tint | None, ...]:
        """For each panel the colour that the wanted phrases name, if it is one."""
        named = [{t.tint for t in panel if t.weight > 0 and t.tint is not None} for panel in self.targets]
        return tuple(found.pop() if len(found) == 1 else None for found in named)
