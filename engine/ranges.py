"""What values a setting may have: a range says it in words, reads a value, knows whether it fits.

The settings of the environment (`engine.settings`), of a search (`engine.search.recipes`) and of a server
(`bot.servers.settings`) are all made of these. Knows no sentences about what does not fit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

T = TypeVar("T", covariant=True)
V = TypeVar("V")


class Range(Protocol[T]):
    """What a setting of the environment needs of its range."""

    @property
    def allowed(self) -> str:
        """In words, e.g. "a whole number from 1 to 60"."""

    def parse(self, text: str) -> T:
        """The value that is written there, which need not fit. Raises `ValueError` or `OSError`."""

    def fits(self, value: Any) -> bool:
        """Whether a setting may have this value."""


@dataclass(frozen=True)
class Number:
    """A number within low..high, both included."""

    low: float
    high: float
    words: ClassVar[str] = "a number from"

    @property
    def span(self) -> str:
        """Its ends, without words."""
        return " to ".join(
            f"{end:g}" if isinstance(end, float) else str(end) for end in (self.low, self.high)
        )

    @property
    def allowed(self) -> str:
        return f"{self.words} {self.span}"

    def parse(self, text: str) -> float:
        return float(text)

    def fits(self, value: Any) -> bool:
        """True and False are no numbers, although Python counts with them."""
        return isinstance(value, int | float) and type(value) is not bool and self.low <= value <= self.high

    def read(self, value: Any) -> float:
        """A number or its text as a number that fits. Raises `ValueError`."""
        try:
            number = float(value)
        except (TypeError, OverflowError) as error:
            raise ValueError from error
        if not self.low <= number <= self.high:
            raise ValueError
        return number


@dataclass(frozen=True)
class Whole(Number):
    """A whole number within low..high, both included."""

    low: int
    high: int
    words: ClassVar[str] = "a whole number from"

    @property
    def ends(self) -> tuple[int, int]:
        return self.low, self.high

    def parse(self, text: str) -> int:
        return int(text)

    def fits(self, value: Any) -> bool:
        return isinstance(value, int) and super().fits(value)

    def read(self, value: Any) -> int:
        """As `Number.read`; 3.0 is whole."""
        number = super().read(value)
        if number != int(number):
            raise ValueError
        return int(number)


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    choices: tuple[str, ...]

    @property
    def span(self) -> str:
        """The words."""
        return ", ".join(self.choices)

    @property
    def allowed(self) -> str:
        return f"one of {self.span}"

    def parse(self, text: str) -> str:
        return text

    def fits(self, value: Any) -> bool:
        return value in self.choices

    def read(self, value: Any) -> str:
        """The word. Raises `ValueError`."""
        if not self.fits(value):
            raise ValueError
        return str(value)


@dataclass(frozen=True)
class Written(Generic[V]):
    """Whatever else is written as text: a path, an address, a password."""

    allowed: str
    parse: Callable[[str], V]
    fits: Callable[[V], bool] = lambda _value: True
