"""Whether and how a dream may be shown in a place: the one rule; every front end asks it. Knows no Discord.

A front end says what kind of place a dream's home is, what kind of place it would be shown in, and on which
occasion. It gets a `Showing`, without which nothing of a dream can be posted.

Who is told of a dream at all (its words, its link, its picture):

- nobody, once it is erased, and nobody in another server than its own, its dreamer excepted;
- its dreamer alone, once its message was deleted in Discord, or its channel, or the bot left its server;
- at home, in the dream's own message: whoever reads that channel;
- exhibited (gallery, hall of fame, contests) only where every reader may read the dream's home too, and from
  an age-restricted home only in an age-restricted place; a beginning is never exhibited;
- one person alone who looks a dream up by its number, or reads a list (/top, /queue, /contest show, places in
  line): who may read its home now, and of an age-restricted home only in an age-restricted place, for there
  Discord has asked for their age. One's own dreams are one's own everywhere;
- moderators, in a report: where not everybody reads, or whoever reads may read the dream's home too;
- everybody in the web, on the wall: finished dreams of servers whose moderators opted in, from channels that
  everybody there may read and that are not age-restricted; none whose dreamer opted out, that anybody
  reported, that hide their picture, or in which the safety check found anything.

What becomes of the picture, where one is told of the dream. A picture that its dreamer hides is a spoiler
everywhere. A picture in which the safety check found something follows the policy that its server has now
(not the one of when it was dreamt), and also that of the server where it is shown, the stricter of them:

===============  ======================  ======================  =====================  ==========  ========
policy           at home, looked up,     exhibited or listed,    exhibited or listed    sent (DM)   reported
                 one's own               in an age-restricted    anywhere else
                                         place
===============  ======================  ======================  =====================  ==========  ========
refuse           withheld                withheld                withheld               withheld    withheld
spoiler          spoiler                 spoiler                 withheld               withheld    withheld
age_restricted   open in age-restricted  open                    withheld               withheld    withheld
                 places, else withheld
===============  ======================  ======================  =====================  ==========  ========

An age-restricted place is a channel that Discord shows to adults only, or a thread or forum post of one. A
direct message is never one. Voice, stage and announcement channels are places like all others.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum, auto

from bot.dreams.dream import Dream, DreamState, Gone
from bot.servers.settings import NsfwPolicy


class Visibility(Enum):
    """How a picture may be shown, from the most open to the strictest."""

    OPEN = auto()  # as it is
    SPOILER = auto()  # hidden until somebody clicks on it
    WITHHELD = auto()  # not at all


class Occasion(Enum):
    """Why a dream would be shown."""

    HOME = auto()  # its own message, its frames, the choice between its beginnings
    EXHIBITED = auto()  # to all readers of a channel: gallery, hall of fame, a contest's entries and winner
    LISTED = auto()  # to one person alone, among others: /top, /queue, /contest show
    LOOKED_UP = auto()  # to one person alone who named this very dream: /dreams show, a time-lapse, a recipe
    OWN = auto()  # to its dreamer alone
    SENT = auto()  # as a direct message to somebody who was in its channel
    REPORTED = auto()  # to the moderators
    PUBLISHED = auto()  # to everybody in the web, on the wall


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Who agrees that a dream is published."""

    server: bool = False  # its moderators opted in
    link: bool = False  # and to a link to its message, which names server and channel
    dreamer: bool = True  # they did not opt out
    reported: bool = False  # somebody told the moderators of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """A channel, thread, forum post or direct message, as far as the rule asks."""

    guild_id: int | None  # None: a direct message
    channel_id: int
    parent_id: int | None = None  # of a thread or forum post: its channel
    private: bool = False  # a private thread: for those who are in it
    public: bool = False  # everybody in the server may read there
    adults: bool = False  # age-restricted: Discord shows it to adults only
    known: bool = True  # False: deleted, or nobody could find out what it is; then it is hidden

    @property
    def gate(self) -> int:
        """The channel whose permissions say who may read there; a private thread has readers of its own."""
        return self.channel_id if self.private or self.parent_id is None else self.parent_id

    def is_open_to_readers_of(self, other: "Venue") -> bool:
        """Whether all who read there may read here too."""
        if not self.known or self.guild_id is None or self.guild_id != other.guild_id:
            return False
        return self.public or self.gate in (other.channel_id, other.parent_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """What may be shown of a dream. Made by this module alone."""

    visibility: Visibility  # of its picture
    tells: bool  # its words too, and that it is there
    link: str = ""  # to its own message; '': there is none that leads anywhere
    adults_only: bool = False  # nothing here, but something in an age-restricted place

    def filename(self, stem: str, kind: str) -> str:
        """A picture's name, never from the prompt; Discord hides a file by its name."""
        return f"{'SPOILER_' if self.visibility is Visibility.SPOILER else ''}{stem}.{kind}"


HIDDEN = Showing(visibility=Visibility.WITHHELD, tells=False)
THE_WEB = Venue(guild_id=None, channel_id=0, public=True)


def visibility(flagged: str, policy: NsfwPolicy, *, age_restricted: bool) -> Visibility:
    """Of a picture where it was asked for. `flagged`: what the check found, or ''."""
    if not flagged or (policy is NsfwPolicy.AGE_RESTRICTED and age_restricted):
        return Visibility.OPEN
    return Visibility.SPOILER if policy is NsfwPolicy.SPOILER else Visibility.WITHHELD


def picture_visibility(
    flagged: str, occasion: Occasion, policies: Collection[NsfwPolicy], *, adults: bool
) -> Visibility:
    """Of a picture that nobody hides, where one is told of it. `adults`: the place is age-restricted."""
    if occasion is Occasion.REPORTED or (flagged and occasion is Occasion.SENT):
        return Visibility.WITHHELD
    if flagged and not adults and occasion in (Occasion.EXHIBITED, Occasion.LISTED):
        return Visibility.WITHHELD
    return _strictest(visibility(flagged, policy, age_restricted=adults) for policy in policies)


def may_tell(home: Venue, here: Venue, occasion: Occasion, *, reads: bool = False) -> bool:
    """Whether one may be told of a dream at all. `reads`: whoever looks may read its home."""
    match occasion:
        case Occasion.HOME | Occasion.OWN | Occasion.SENT:
            return True
        case Occasion.EXHIBITED:
            return home.is_open_to_readers_of(here) and here.adults >= home.adults
        case Occasion.LISTED | Occasion.LOOKED_UP:
            return reads and home.guild_id == here.guild_id and here.adults >= home.adults
        case Occasion.REPORTED:
            same = home.guild_id == here.guild_id
            return same and (not here.public or home.is_open_to_readers_of(here))
        case Occasion.PUBLISHED:
            return is_open_to_all(home)


def is_open_to_all(home: Venue) -> bool:
    """Whether what is dreamt there is for everybody, as far as the place tells."""
    return home.known and home.guild_id is not None and home.public and not home.adults


def showing(
    dream: Dream,
    *,
    home: Venue,
    here: Venue,
    occasion: Occasion,
    policies: Collection[NsfwPolicy],
    reads: bool = False,
    flagged: str | None = None,
) -> Showing:
    """What may be shown of a dream here.

    `policies`: of the servers of both places; `reads`: whoever looks may read its home; `flagged`: what the
    check found in a frame on the way, if the picture is not the stored one.
    """
    if occasion is Occasion.PUBLISHED:
        return HIDDEN  # that is for `published`, which asks more
    withdrawn = dream.gone is not Gone.NOT and occasion not in (Occasion.HOME, Occasion.OWN)
    a_beginning = occasion is Occasion.EXHIBITED and dream.candidate > 0
    if dream.erased or withdrawn or a_beginning or not may_tell(home, here, occasion, reads=reads):
        somewhere = home.adults and not here.adults and reads and not (dream.erased or withdrawn)
        return Showing(visibility=Visibility.WITHHELD, tells=False, adults_only=somewhere)
    found = dream.flagged if flagged is None else flagged
    shown = picture_visibility(found, occasion, policies, adults=here.adults)
    if dream.spoiler:
        shown = _strictest((shown, Visibility.SPOILER))
    leads = reads or occasion is not Occasion.OWN or home.guild_id != here.guild_id
    return Showing(visibility=shown, tells=True, link=address(dream) if leads else "")


def published(dream: Dream, *, home: Venue, consent: Consent) -> Showing:
    """What may be shown of a dream to everybody in the web: the open picture with its words, or nothing."""
    agreed = consent.server and consent.dreamer and not consent.reported
    finished = dream.state is DreamState.DONE and dream.is_shown and dream.candidate == 0
    harmless = not dream.flagged and not dream.spoiler
    if not (agreed and finished and harmless and may_tell(home, THE_WEB, Occasion.PUBLISHED)):
        return HIDDEN
    return Showing(visibility=Visibility.OPEN, tells=True, link=address(dream) if consent.link else "")


def together(showings: Collection[Showing]) -> Showing:
    """Of several pictures in one; of none, nothing."""
    if not showings:
        return HIDDEN
    return Showing(
        visibility=_strictest(one.visibility for one in showings), tells=all(one.tells for one in showings)
    )


def address(dream: Dream) -> str:
    """Of its own message; '' while there is none."""
    if not dream.is_shown:
        return ""
    return f"https://discord.com/channels/{dream.guild_id or '@me'}/{dream.channel_id}/{dream.message_id}"


def _strictest(veils: Iterable[Visibility]) -> Visibility:
    return max(veils, key=lambda one: one.value, default=Visibility.WITHHELD)
