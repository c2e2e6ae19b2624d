"""What the moderators of a server have set: one frozen `ServerSettings`, kept as JSON. Knows no database.

A limit is looked for from the narrow to the wide: a person's own, else the most generous of their roles',
else everyone's in the server, else the bot's own setting.
"""

import json
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from engine.settings import MAX_STEPS, SIZES

log = logging.getLogger(__name__)

# What stands under a finished dream when a server sets nothing else; each of them is the same vote.
VOTE_EMOJI = ("⭐", "❤️")
MAX_VOTE_EMOJI = 5
MAX_WORDS = 500  # banned words and patterns of one server
MAX_COOLDOWN_S = 24 * 3600
DEFAULT_FAME_VOTES = 3
MAX_FAME_VOTES = 1000
DEFAULT_VOTE_S, MIN_VOTE_S, MAX_VOTE_S = 60, 10, 24 * 3600
MAX_CANDIDATES = 9

# What an `Allowance` can limit, each with its range.
LIMITS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "waiting": (0, 10_000),  # dreams in line at the same time
        "per_hour": (0, 10_000),  # dreams within any 60 minutes
        "per_day": (0, 100_000),  # dreams within any 24 hours
        "steps": (1, MAX_STEPS),  # of one dream
        "size": (min(SIZES), max(SIZES)),  # side of one picture, in pixels
        "candidates": (1, MAX_CANDIDATES),  # of one dream
    }
)


CHOICES: Mapping[str, tuple[int, ...]] = MappingProxyType({"size": SIZES})  # limits that know only these


class NsfwPolicy(StrEnum):
    """What becomes of a picture in which the safety check found something; the value is what is stored."""

    REFUSE = "refuse"  # nobody sees it
    SPOILER = "spoiler"  # it is hidden until somebody clicks on it
    AGE_RESTRICTED = "age_restricted"  # it is shown in age-restricted channels and nowhere else


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """How much dreaming is allowed; None: whatever the next wider rule says. The ranges are `LIMITS`."""

    waiting: int | None = None
    per_hour: int | None = None
    per_day: int | None = None
    steps: int | None = None
    size: int | None = None
    candidates: int | None = None

    def over(self, wider: "Allowance") -> "Allowance":
        """This rule where it says something, the wider one elsewhere."""
        return Allowance(
            **{name: getattr(wider, name) if mine is None else mine for name, mine in self._items()}
        )

    def given(self) -> dict[str, int]:
        """Only what it says."""
        return {name: value for name, value in self._items() if value is not None}

    def _items(self) -> list[tuple[str, int | None]]:
        return [(name, getattr(self, name)) for name in LIMITS]


def most_generous(rules: Iterable[Allowance]) -> Allowance:
    """The highest value of each limit that any of them names."""
    best: dict[str, int] = {}
    for rule in rules:
        for name, value in rule.given().items():
            best[name] = max(value, best.get(name, value))
    return Allowance(**best)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """One server's settings. The defaults are those of a server whose moderators have set nothing."""

    everyone: Allowance = Allowance()  # each person
    together: Allowance = Allowance()  # the whole server: `waiting`, `per_hour` and `per_day` of all people
    roles: Mapping[int, Allowance] = field(default_factory=dict)  # role → each person who has it
    people: Mapping[int, Allowance] = field(default_factory=dict)  # person → they alone
    cooldown_s: int = 0  # seconds between two wishes of one person, 0..MAX_COOLDOWN_S
    paused: bool = False  # nothing of this server's line begins; wishes are still taken
    draining: bool = False  # no new wishes; the line is dreamt to its end
    moderator_role: int | None = None  # may do what those with Manage Server may
    channels: tuple[int, ...] = ()  # where one may dream; none: everywhere
    nsfw: NsfwPolicy = NsfwPolicy.AGE_RESTRICTED  # what Discord's terms ask for (2026-08)
    gallery_channel: int | None = None  # final pictures are posted there as well
    log_channel: int | None = None  # what moderators change, and reports
    fame_channel: int | None = None  # the hall of fame
    fame_votes: int = DEFAULT_FAME_VOTES  # from so many votes on, 1..MAX_FAME_VOTES
    vote_emoji: tuple[str, ...] = VOTE_EMOJI  # 1..MAX_VOTE_EMOJI
    vote_s: int = DEFAULT_VOTE_S  # seconds to vote between beginnings, MIN_VOTE_S..MAX_VOTE_S
    language: str = ""  # of what everybody sees, e.g. "it"; "": the server's own language in Discord
    words: tuple[str, ...] = ()  # banned in prompts
    patterns: tuple[str, ...] = ()  # RE2 expressions, banned in prompts

    def allowance(self, person: int, roles: Collection[int], default: Allowance) -> Allowance:
        """What this person may. `default`: the bot's own setting."""
        theirs = most_generous(rule for role, rule in self.roles.items() if role in roles)
        own = self.people.get(person, Allowance())
        return own.over(theirs).over(self.everyone).over(default)

    def to_json(self) -> str:
        """As one line of JSON; what was not set is left out, so that later defaults reach it."""
        values = {f.name: plain(getattr(self, f.name)) for f in fields(self)}
        usual = {f.name: plain(getattr(_DEFAULT, f.name)) for f in fields(self)}
        return json.dumps({n: v for n, v in values.items() if v != usual[n]}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "ServerSettings":
        """Read `to_json`'s line. What does not fit (an older or newer version's) falls to its default."""
        try:
            stored = json.loads(text)
        except ValueError:
            stored = None
        if not isinstance(stored, dict):
            log.error("A server's settings cannot be read and are as if never set: %.200r", text)
            return cls()
        values: dict[str, Any] = {}
        for name, value in stored.items():
            try:
                if name in _READERS:
                    values[name] = _READERS[name](value)
            except (ValueError, TypeError, AttributeError):
                log.error("A server's setting %s cannot be read and is as if never set: %.200r", name, value)
        return cls(**values)


def in_range(name: str, value: int) -> bool:
    """Whether this limit may have this value."""
    low, high = LIMITS[name]
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole and low <= value <= high and value in CHOICES.get(name, (value,))


def plain(value: Any) -> Any:
    """A setting's value as JSON can hold it."""
    if isinstance(value, Allowance):
        return value.given()
    if isinstance(value, Mapping):
        return {str(key): rule.given() for key, rule in value.items() if rule.given()}
    return list(value) if isinstance(value, tuple) else value


def _allowance(value: Any) -> Allowance:
    return Allowance(**{n: _within(value[n], *LIMITS[n]) for n in LIMITS if value.get(n) is not None})


def _allowances(value: Any) -> dict[int, Allowance]:
    return {int(key): _allowance(rule) for key, rule in value.items()}


def _within(value: Any, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise ValueError(value)
    return value


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError(value)
    return value


def _id(value: Any) -> int | None:
    return None if value is None else _within(value, 0, 2**63 - 1)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(value)
    return tuple(value)


_READERS: Mapping[str, Any] = {
    "everyone": _allowance,
    "together": _allowance,
    "roles": _allowances,
    "people": _allowances,
    "cooldown_s": lambda value: _within(value, 0, MAX_COOLDOWN_S),
    "paused": _flag,
    "draining": _flag,
    "moderator_role": _id,
    "channels": lambda value: tuple(_within(one, 0, 2**63 - 1) for one in value),
    "nsfw": NsfwPolicy,
    "gallery_channel": _id,
    "log_channel": _id,
    "fame_channel": _id,
    "fame_votes": lambda value: _within(value, 1, MAX_FAME_VOTES),
    "vote_emoji": lambda value: _texts(value) or VOTE_EMOJI,
    "vote_s": lambda value: _within(value, MIN_VOTE_S, MAX_VOTE_S),
    "language": str,
    "words": _texts,
    "patterns": _texts,
}
_DEFAULT = ServerSettings()
