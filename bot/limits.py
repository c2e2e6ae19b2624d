"""How many dreams may wait: asked before a wish is stored."""

from dataclasses import dataclass

from bot.turns import Turns


class LineFull(Exception):
    """The line is as long as it may be."""

    def __init__(self, allowed: int) -> None:
        super().__init__(allowed)
        self.allowed = allowed  # dreams


class TooManyWaiting(LineFull):
    """This person has as many dreams waiting as one person may."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most dreams in line, for one person and altogether."""

    per_person: int
    in_all: int

    def check(self, turns: Turns, person: int) -> None:
        """Raises `TooManyWaiting` or `LineFull` when one more dream of this person would be too many."""
        if turns.waiting(person) >= self.per_person:
            raise TooManyWaiting(self.per_person)
        if turns.qsize() >= self.in_all:
            raise LineFull(self.in_all)
