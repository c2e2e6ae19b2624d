"""What became of every promise, as Discord shows it and as the database has it."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields

from simcord.backend.models import Message
from simcord.components import walk_components
from sqlalchemy import Row, Table, select

from bot.community.choices import ChoiceState
from bot.community.emoji import written
from bot.database import tables
from bot.database.connection import Database
from bot.database.outbox import Kind
from bot.dreams.dream import Dream, DreamState
from bot.dreams.store import dream_of
from bot.sentences import ENGLISH as say
from bot.servers.settings import VOTE_EMOJI
from tests.chaos.crowd import Crowd, Order
from tests.discord_server import DiscordServer
from tests.discord_server.server import Version, words

FAME_VOTES = 2
PNG = b"\x89PNG"


@dataclass
class Broken:
    """Broken promises, each as a sentence."""

    lost: list[str] = field(default_factory=list)  # promised, and no end is shown and no sentence was said
    late: list[str] = field(default_factory=list)  # shown only after a further restart
    doubled: list[str] = field(default_factory=list)  # two messages, or two copies
    overwritten: list[str] = field(default_factory=list)  # it showed its end, and does so no more
    votes: list[str] = field(default_factory=list)  # the database's are not those that stand
    unvotable: list[str] = field(default_factory=list)  # without the bot's own reactions
    copies: list[str] = field(default_factory=list)  # not in the gallery, the hall of fame; no winner told
    processes: list[str] = field(default_factory=list)  # left over, or not ended when asked to
    faults: list[str] = field(default_factory=list)  # tracebacks, and what the bot may not do to Discord

    def counts(self) -> dict[str, int]:
        return {one.name: len(getattr(self, one.name)) for one in fields(self)}

    def __bool__(self) -> bool:
        return any(self.counts().values())

    def __iter__(self) -> Iterator[str]:
        for one in fields(self):
            yield from (f"{one.name}: {sentence}" for sentence in getattr(self, one.name))


@dataclass(frozen=True)
class Stored:
    """What the database has."""

    dreams: list[Dream]
    choices: list[Row[object]]
    votes: dict[int, set[tuple[int, str, int]]]  # dream -> person, emoji, copy
    pictures: dict[int, bytes]
    owed: list[str]  # what the outbox still owes, but for the ends of contests that run
    contests_told: list[bool]  # of contests that are over

    @classmethod
    async def read(cls, database: Database) -> "Stored":
        """Raises `StoreError`."""
        async with database.transaction() as connection:

            async def rows(table: Table) -> list[Row[object]]:
                return list(await connection.execute(select(table)))

            votes: dict[int, set[tuple[int, str, int]]] = defaultdict(set)
            for row in await rows(tables.votes):
                votes[row.dream_id].add((row.person, row.emoji, row.copy_id))
            contests = await rows(tables.contests)
            over = [row for row in contests if row.running_in is None]
            runs = {(Kind.CONTEST, row.id) for row in contests if row.running_in is not None}
            owed = [row for row in await rows(tables.outbox) if (row.kind, row.subject) not in runs]
            return cls(
                dreams=[dream_of(row) for row in await rows(tables.dreams)],
                choices=await rows(tables.choices),
                votes=votes,
                pictures={row.dream_id: row.content for row in await rows(tables.pictures)},
                owed=[f"{row.kind} {row.subject}" for row in owed],
                contests_told=[row.told for row in over],
            )


class Accounts:
    """Looks at everything that there is, each time that it is asked."""

    def __init__(
        self, crowd: Crowd, database: Database, *, gallery: Mapping[int, int], hall: Mapping[int, int]
    ) -> None:
        """`gallery`, `hall`: which channel they are, by server."""
        self._crowd = crowd
        self._server: DiscordServer = crowd.server
        self._database = database
        self._gallery = gallery
        self._hall = hall
        self.dreams = Counter[str]()  # by state, at the last look

    async def look(self) -> Broken:
        """What is broken if nothing comes any more. Raises `StoreError`."""
        stored = await Stored.read(self._database)
        self.dreams = Counter(str(dream.state) for dream in stored.dreams if dream.candidate == 0)
        broken = Broken()
        for promise in list(self._crowd.promises):
            if promise.candidates is not None:
                self._steered(promise, stored, broken)
            elif not any(d.prompt == promise.prompt and not d.candidate for d in stored.dreams):
                broken.lost.append(f"“{promise.prompt}” is not in the database")
        for dream in stored.dreams:
            if dream.candidate == 0:
                self._dream(dream, stored, broken)
            elif not dream.state.is_over:
                broken.lost.append(f"beginning {dream.id} is {dream.state}")
        broken.lost += [f"owed: {what}" for what in stored.owed]
        if len(self._winners()) > len(stored.contests_told):
            broken.doubled.append("a contest's winner")
        if not all(stored.contests_told) or len(self._winners()) < sum(stored.contests_told):
            broken.copies.append("a contest's winner is not told")
        return broken

    # ---------------------------------------------------------------- one thing each

    def _dream(self, dream: Dream, stored: Stored, broken: Broken) -> None:
        name = f"dream {dream.id} ({dream.state})"
        shown = self._showing(dream)
        ends = [message for message in shown if shows_end(message, dream)]
        if len(shown) > 1:
            broken.doubled.append(f"{name}: {len(shown)} messages")
        if not dream.state.is_over:
            broken.lost.append(name)
            return
        if not ends:
            if any(shows_end(v, dream) for m in shown for v in self._server.versions.get(m.id, [])):
                broken.overwritten.append(f"{name}: its end is not shown any more")
            elif not self._was_told(dream):
                broken.lost.append(f"{name}: its end is not shown" + ("" if shown else ", it has no message"))
            return
        if not dream.delivered:
            broken.lost.append(f"{name}: shown, and not known to be")
        message = ends[-1]
        if dream.state is DreamState.DONE:
            self._picture(dream, message, stored, broken)
            self._copies(dream, message, stored, broken)

    def _picture(self, dream: Dream, message: Message, stored: Stored, broken: Broken) -> None:
        files = self._server.files(message)
        if files and files[0].startswith(PNG) and files[0] != stored.pictures.get(dream.id):
            broken.overwritten.append(f"dream {dream.id}: not the picture that is kept")
        versions = self._server.versions.get(message.id, [])
        shown = {file for version in versions for file in self._server.files(version) if file.startswith(PNG)}
        if len(shown) > 1:
            broken.doubled.append(f"dream {dream.id}: dreamt {len(shown)} times to its end")
        bot = self._server.backend.bot_user.id
        own = {written(r.emoji) for r in message.reactions if bot in r.user_ids}
        if files and not own >= {written(emoji) for emoji in VOTE_EMOJI}:
            broken.unvotable.append(f"dream {dream.id}")

    def _copies(self, dream: Dream, message: Message, stored: Stored, broken: Broken) -> None:
        here = dream.guild_id or 0
        gallery, hall = (self._showing(dream, place[here]) for place in (self._gallery, self._hall))
        standing = {(person, emoji, 0) for person, emoji in self._votes(message, dream)}
        for place, copies in (("gallery", gallery), ("hall of fame", hall)):
            if len(copies) > 1:
                broken.doubled.append(f"dream {dream.id}: {len(copies)} times in the {place}")
            for copy in copies[:1]:
                standing |= {(person, emoji, copy.id) for person, emoji in self._votes(copy, dream)}
        if self._server.files(message) and not gallery:
            broken.copies.append(f"dream {dream.id} is not in the gallery")
        kept = stored.votes.get(dream.id, set())
        if standing != kept:
            broken.votes.append(f"dream {dream.id}: {sorted(standing)} stand, {sorted(kept)} stored")
        if len({person for person, _, _ in standing}) >= FAME_VOTES and not hall:
            broken.copies.append(f"dream {dream.id} is not in the hall of fame")

    def _steered(self, promise: Order, stored: Stored, broken: Broken) -> None:
        name = f"choice of “{promise.prompt}”"
        choice = next((row for row in stored.choices if row.prompt == promise.prompt), None)
        if choice is None:
            broken.lost.append(f"{name} is not in the database")
            return
        shown = [m for m in self._in(choice.channel_id) if _has_words(m, promise.prompt) and not _footer(m)]
        if len(shown) > 1:
            broken.doubled.append(f"{name}: {len(shown)} messages")
        if ChoiceState(choice.state).is_over and choice.delivered:
            if any(_buttons(m) for m in shown[-1:]):
                broken.overwritten.append(f"{name}: its end is not shown any more")
            elif not shown and not self._said(promise):
                broken.lost.append(f"{name} is over and was never shown")
        else:
            broken.lost.append(f"{name} is {choice.state}")
        results = [d for d in stored.dreams if d.choice_id == choice.id and d.candidate == 0]
        if choice.state == ChoiceState.DECIDED and len(results) != 1:
            broken.lost.append(f"{name}: {len(results)} dreams go on")

    # ---------------------------------------------------------------- what there is

    def _in(self, channel_id: int) -> list[Message]:
        backend = self._server.backend
        found = [m for m in backend.messages[channel_id].values() if m.author_id == backend.bot_user.id]
        return sorted((m for m in found if not m.is_ephemeral), key=lambda m: m.id)

    def _showing(self, dream: Dream, channel_id: int | None = None) -> list[Message]:
        footer = say.dream_number(dream.id)
        return [m for m in self._in(channel_id or dream.channel_id) if _footer(m) == footer]

    def _winners(self) -> list[Message]:
        everywhere = [m for channel in self._crowd.channels for m in self._in(channel.id)]
        return [m for m in everywhere if any(e.get("title") == say.CONTEST_OVER for e in m.embeds)]

    def _votes(self, message: Message, dream: Dream) -> set[tuple[int, str]]:
        nobody = {self._server.backend.bot_user.id, dream.author_id}
        return {
            (person, written(reaction.emoji))
            for reaction in message.reactions
            if written(reaction.emoji) in {written(emoji) for emoji in VOTE_EMOJI}
            for person in reaction.user_ids
            if person not in nobody
        }

    def _was_told(self, dream: Dream) -> bool:
        """Whether whoever asked for it read a sentence instead."""
        return any(self._said(p) for p in self._crowd.promises if p.prompt == dream.prompt)

    def _said(self, promise: Order) -> bool:
        record = promise.interaction
        messages = self._server.backend.messages[promise.channel.id]
        told = [messages[id] for id in record.followup_ids if id in messages]
        return any(words(message) for message in told)


def shows_end(shown: Message | Version, dream: Dream) -> bool:
    """Whether this is how a dream's message looks that is over."""
    buttons = _buttons(shown)
    ended = f"dream:{dream.id}:again" in buttons and f"dream:{dream.id}:cancel" not in buttons
    needs_picture = dream.state is DreamState.DONE and say.TOO_LARGE not in words(shown)
    return ended and (bool(shown.attachments) or not needs_picture)


def _buttons(shown: Message | Version) -> list[str]:
    return [part["custom_id"] for part in walk_components(shown.components) if part.get("custom_id")]


def _footer(message: Message) -> str:
    return next((e["footer"]["text"] for e in message.embeds if (e.get("footer") or {}).get("text")), "")


def _has_words(message: Message, prompt: str) -> bool:
    return any((e.get("description") or "").startswith(f"**{prompt}**") for e in message.embeds)
