"""What the moderators of a server have set: one frozen `ServerSettings`, kept as JSON. Knows no database.

A limit is looked for from the narrow to the wide: a person's own, else the most generous of their roles',
else everyone's in the server, else the bot's own setting. Guests have no more than guests may, either.
"""

import json
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, get_type_hints

from engine.ranges import Whole
from engine.settings import MAX_STEPS, SIZES

log = logging.getLogger(__name__)

# What stands under a finished dream when a server sets nothing else; each of them is the same vote.
VOTE_EMOJI = ("⭐", "❤️")
MAX_VOTE_EMOJI = 5
MAX_WORDS = 500  # banned words and patterns of one server
COOLDOWN_S = Whole(0, 24 * 3600)
FAME_VOTES = Whole(1, 1000)
VOTE_S = Whole(10, 24 * 3600)
_ID = Whole(0, 2**63 - 1)  # of something in Discord

# What an `Allowance` can limit, each with its range.
LIMITS: Mapping[str, Whole] = MappingProxyType(
    {
        "waiting": Whole(0, 10_000),  # dreams in line at the same time
        "per_hour": Whole(0, 10_000),  # dreams within any 60 minutes
        "per_day": Whole(0, 100_000),  # dreams within any 24 hours
        "steps": Whole(1, MAX_STEPS),  # of one dream
        "size": Whole(min(SIZES), max(SIZES)),  # side of one picture, in pixels
        "candidates": Whole(1, 9),  # of one dream
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
        given = self.given()
        return replace(wider, **given) if given else wider

    def given(self) -> dict[str, int]:
        """Only what it says."""
        return {name: value for name in LIMITS if (value := getattr(self, name)) is not None}


def most_generous(rules: Iterable[Allowance]) -> Allowance:
    """The highest value of each limit that any of them names."""
    best: dict[str, int] = {}
    for rule in rules:
        for name, value in rule.given().items():
            best[name] = max(value, best.get(name, value))
    return Allowance(**best)


def strictest(one: Allowance, other: Allowance) -> Allowance:
    """The lower value of each limit that either of them names."""
    lowest = one.given()
    for name, value in other.given().items():
        lowest[name] = min(value, lowest.get(name, value))
    return Allowance(**lowest)


# Guests of the local channel where its moderators set nothing else: enough for a few ordinary dreams.
GUESTS = Allowance(waiting=1, per_hour=10, per_day=30, steps=70, size=256, candidates=2)


def _allowance(value: Any) -> Allowance:
    return Allowance(**{n: _within(LIMITS[n])(value[n]) for n in LIMITS if value.get(n) is not None})


def _allowances(value: Any) -> dict[int, Allowance]:
    return {int(key): _allowance(rule) for key, rule in value.items()}


def _within(allowed: Whole, *, optional: bool = False) -> Callable[[Any], Any]:
    """A reader of whole numbers; a text of one is none. `optional`: None fits, too."""

    def read(value: Any) -> int | None:
        if not allowed.fits(value) and not (optional and value is None):
            raise ValueError(value)
        return value  # it fits

    return read


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError(value)
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(value)
    return tuple(value)


def _ids(value: Any) -> tuple[int, ...]:
    return tuple(map(_within(_ID), value))


def _emoji(value: Any) -> tuple[str, ...]:
    return _texts(value) or VOTE_EMOJI


# The kinds of settings, each with what reads it from JSON; a reader raises for a value that does not fit.
Rule = Annotated[Allowance, _allowance]
Rules = Annotated[Mapping[int, Allowance], _allowances]
Flag = Annotated[bool, _flag]
Id = Annotated[int | None, _within(_ID, optional=True)]
Texts = Annotated[tuple[str, ...], _texts]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """One server's settings. The defaults are those of a server whose moderators have set nothing."""

    everyone: Rule = Allowance()  # each person
    guests: Rule = GUESTS  # each person from elsewhere in the local channel, who needs a password there
    together: Rule = Allowance()  # the whole server: `waiting`, `per_hour` and `per_day` of all people
    roles: Rules = field(default_factory=dict)  # role → each person who has it
    people: Rules = field(default_factory=dict)  # person → they alone
    cooldown_s: Annotated[int, _within(COOLDOWN_S)] = 0  # seconds between two wishes of one person
    paused: Flag = False  # nothing of this server's line begins; wishes are still taken
    draining: Flag = False  # no new wishes; the line is dreamt to its end
    moderator_role: Id = None  # may do what those with Manage Server may
    channels: Annotated[tuple[int, ...], _ids] = ()  # where one may dream; none: everywhere
    # What Discord's terms ask for (2026-08).
    nsfw: Annotated[NsfwPolicy, NsfwPolicy] = NsfwPolicy.AGE_RESTRICTED
    gallery_channel: Id = None  # final pictures are posted there as well
    log_channel: Id = None  # what moderators change, and reports
    fame_channel: Id = None  # the hall of fame
    fame_votes: Annotated[int, _within(FAME_VOTES)] = 3  # from so many votes on
    vote_emoji: Annotated[tuple[str, ...], _emoji] = VOTE_EMOJI  # 1..MAX_VOTE_EMOJI
    vote_s: Annotated[int, _within(VOTE_S)] = 60  # seconds to vote between beginnings
    # Of what everybody sees, e.g. "it"; "": the server's own language in Discord.
    language: Annotated[str, str] = ""
    wall: Flag = False  # finished dreams of channels that everybody here can read hang on the public wall
    wall_links: Flag = False  # with links to their messages, which name the server and the channel
    words: Texts = ()  # banned in prompts
    patterns: Texts = ()  # RE2 expressions, banned in prompts

    def allowance(
        self, person: int, roles: Collection[int], default: Allowance, *, is_guest: bool = False
    ) -> Allowance:
        """What this person may. `default`: the bot's own setting."""
        theirs = most_generous(rule for role, rule in self.roles.items() if role in roles)
        usual = theirs.over(self.everyone).over(default)
        own = self.people.get(person, Allowance())
        return own.over(strictest(usual, self.guests) if is_guest else usual)

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
    return LIMITS[name].fits(value) and value in CHOICES.get(name, (value,))


def plain(value: Any) -> Any:
    """A setting's value as JSON can hold it."""
    if isinstance(value, Allowance):
        return value.given()
    if isinstance(value, Mapping):
        return {str(key): rule.given() for key, rule in value.items() if rule.given()}
    return list(value) if isinstance(value, tuple) else value


_READERS: Mapping[str, Callable[[Any], Any]] = {
    name: kind.__metadata__[0] for name, kind in get_type_hints(ServerSettings, include_extras=True).items()
}
_DEFAULT = ServerSettings()
