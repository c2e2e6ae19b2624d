"""Dreams that the channel steers: a few beginnings, a vote, and the winner dreamt on. Knows no Discord.

Each beginning is a dream of its own with a share of the steps, so that it takes its turn in line like any
other. The dream that goes on begins at the winner's end. Every change of a choice's state happens once, in
one transaction, whichever process makes it.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from time import time
from typing import Any

from sqlalchemy import (
    and_,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.connection import Database
from bot.database.outbox import Kind, owe
from bot.database.tables import choices, dreams, images
from bot.dreams.dream import Dream, DreamState, Wish, shared
from bot.dreams.local import is_local
from bot.dreams.store import (
    Admit,
    AlreadyStored,
    Store,
    add,
    dream_of,
    in_local_channel,
)
from bot.queue.limits import Asker, TooMuch
from bot.queue.worker import Worker
from bot.servers.moderation import Moderation
from bot.servers.settings import Allowance
from engine.settings import MAX_SEED

log = logging.getLogger(__name__)

MIN_CANDIDATES, MAX_CANDIDATES = 2, 4
SHARE = 4  # a beginning gets this part of a dream's steps
QUICK = "quick"  # the preset of a beginning whose dream names no steps


class ChoiceState(StrEnum):
    """Where a choice stands; the value is what the database holds."""

    DREAMING = "dreaming"  # its beginnings wait or are being dreamt
    VOTING = "voting"  # people vote until `ends_at`
    DECIDED = "decided"  # one goes on
    OVER = "over"  # none does: it was cancelled, or no beginning came out

    @property
    def is_over(self) -> bool:
        return self in (ChoiceState.DECIDED, ChoiceState.OVER)


@dataclass(frozen=True, slots=True)
class Decision:
    """Which beginning goes on, and who wanted it."""

    winner: int  # its number, 1..
    count: int  # beginnings asked for
    votes: Mapping[int, int]  # number → people, of those that came out
    ended_by: int | None = None  # who did not want to wait for the end of the vote

    @property
    def tied(self) -> tuple[int, ...]:
        """The numbers with most votes; all of them when nobody voted."""
        most = max(self.votes.values())
        return tuple(number for number, votes in sorted(self.votes.items()) if votes == most)

    @property
    def most(self) -> int:
        """The winner's votes."""
        return self.votes[self.winner]

    def to_json(self) -> str:
        """One line, for the database."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Decision":
        """Read `to_json`'s line."""
        values = json.loads(text)
        return cls(**values | {"votes": {int(number): n for number, n in values["votes"].items()}})


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A stored choice. Times are seconds since 1970, UTC."""

    id: int
    origin: int
    prompt: str
    author_id: int
    guild_id: int | None
    channel_id: int
    message_id: int | None
    language: str
    spoiler: bool
    steps: int | None
    preset: str
    size: int | None
    state: ChoiceState
    created_at: float
    ends_at: float | None
    ended_by: int | None
    decision: str  # a `Decision` as JSON, once there is one
    delivered: bool  # its message shows how it ended


class Choices:
    """Every change is one transaction and raises `StoreError`."""

    def __init__(
        self,
        *,
        database: Database,
        store: Store,
        worker: Worker,
        moderation: Moderation,
        clock: Callable[[], float] = time,
    ) -> None:
        self._transaction = database.transaction
        self._store = store
        self._worker = worker
        self._moderation = moderation
        self.clock = clock
        self.on_change: list[Callable[[int], None]] = []  # told a choice's id

    async def submit(self, wish: Wish, count: int, asker: Asker, *, image: bytes | None = None) -> Choice:
        """Store a choice between `count` beginnings of a checked wish and put them in line.

        Raises a kind of `Refused`, `AlreadyStored`, `StoreError`.
        """
        count = min(max(count, MIN_CANDIDATES), MAX_CANDIDATES)
        self._check_count(wish, count, asker)
        made: list[Choice] = []

        async def keep(allowed: Wish, admit: Admit) -> list[Dream]:
            choice, stored = await self._add(allowed, count, image, admit)
            made.append(choice)
            return stored

        await self._worker.submit_several(wish, asker, keep, dreams=_dreams(count))
        self._tell(made[0].id)
        return made[0]

    async def check(self, wish: Wish, count: int, asker: Asker) -> None:
        """Raise what `submit` would raise just now: before a picture is fetched for it."""
        self._check_count(wish, count, asker)
        await self._worker.check([wish], asker, dreams=_dreams(count))

    def _check_count(self, wish: Wish, count: int, asker: Asker) -> None:
        settings = self._moderation.settings(wish.guild_id)
        allowance = settings.allowance(
            wish.author_id, asker.roles, Allowance(), is_guest=asker.is_guest
        ).candidates
        if allowance is not None and count > allowance:
            raise TooMuch("candidates", allowance)

    async def get(self, choice_id: int) -> Choice | None:
        return next(iter(await self._list(choices.c.id == choice_id)), None)

    async def open(self, *, local: bool = False) -> list[Choice]:
        """Those that are not over, and those whose end is not shown: the local channel's, or Discord's."""
        over = (ChoiceState.DECIDED, ChoiceState.OVER)
        waits = or_(choices.c.state.not_in(over), choices.c.delivered.is_(False))
        return await self._list(and_(waits, in_local_channel(choices, local)))

    async def candidates(self, choice_id: int) -> list[Dream]:
        """A choice's beginnings, in the order of their numbers."""
        theirs = (dreams.c.choice_id == choice_id) & (dreams.c.candidate > 0)
        query = select(dreams).where(theirs).order_by(dreams.c.candidate)
        async with self._transaction() as connection:
            return [dream_of(row) for row in await connection.execute(query)]

    async def result(self, choice_id: int) -> Dream | None:
        """The dream that went on."""
        query = select(dreams).where((dreams.c.choice_id == choice_id) & (dreams.c.candidate == 0))
        async with self._transaction() as connection:
            row = (await connection.execute(query)).first()
            return dream_of(row) if row else None

    async def set_message(self, choice_id: int, message_id: int) -> None:
        await self._change(choice_id, {"message_id": message_id})

    async def set_delivered(self, choice_id: int) -> None:
        await self._change(choice_id, {"delivered": True})

    async def settle(self, choice_id: int) -> bool:
        """Open the vote when all beginnings are over; decide at once where there is nothing to vote on.

        True if the choice stands otherwise now.
        """
        choice, candidates = await self.get(choice_id), await self.candidates(choice_id)
        if choice is None or choice.state is not ChoiceState.DREAMING:
            return False
        if not all(dream.state.is_over for dream in candidates):
            return False
        out = came_out(candidates)
        if len(out) > 1:
            vote_s = self._moderation.settings(choice.guild_id).vote_s
            values = {"state": ChoiceState.VOTING, "ends_at": self.clock() + vote_s}
            await self._move(choice_id, values, only_if=choices.c.state == ChoiceState.DREAMING)
        elif out:
            await self.decide(choice_id, {})
        else:
            await self._move(choice_id, {"state": ChoiceState.OVER}, only_if=_not_over())
        self._tell(choice_id)
        return True

    async def end_vote(self, choice_id: int, by: int) -> bool:
        """Let the vote end now. True if it was going on."""
        values = {"ends_at": self.clock(), "ended_by": by}
        going_on = (choices.c.state == ChoiceState.VOTING) & choices.c.ended_by.is_(None)
        ended = await self._move(choice_id, values, only_if=going_on)
        if ended:
            self._tell(choice_id)
        return ended

    async def decide(self, choice_id: int, votes: Mapping[int, int]) -> Dream | None:
        """Let the winner of these votes (number → people) go on; None when that has happened already."""
        choice, candidates = await self.get(choice_id), await self.candidates(choice_id)
        out = {dream.candidate: dream for dream in came_out(candidates)}
        if choice is None or choice.state.is_over:
            return None
        if not out:  # they were erased meanwhile
            await self.cancel(choice_id)
            return None
        counted = {number: votes.get(number, 0) for number in out}
        winner = max(out.values(), key=lambda dream: (counted[dream.candidate], dream.score or 0.0))
        decision = Decision(winner.candidate, len(candidates), counted, choice.ended_by)
        wish = await self._sequel(choice, winner, candidates[-1], decision)
        values = {"state": ChoiceState.DECIDED, "decision": decision.to_json()}
        try:
            async with self._transaction() as connection:
                change = update(choices).where(choices.c.id == choice_id, _not_over()).values(values)
                if (await connection.execute(change)).rowcount == 0:
                    return None
                dream = await self._queue(connection, wish)
                await self._owe(connection, choice_id)
        except IntegrityError:
            return None  # another process was quicker
        log.info("choice %d: number %d goes on as dream %d", choice_id, winner.candidate, dream.id)
        self._worker.join(dream)
        self._tell(choice_id)
        return dream

    async def cancel(self, choice_id: int) -> bool:
        """End it without a winner, its beginnings too. True if it was not over."""
        ended = await self._move(choice_id, {"state": ChoiceState.OVER}, only_if=_not_over())
        if ended:
            for dream in await self.candidates(choice_id):
                if not dream.state.is_over:
                    await self._worker.cancel(dream.id)
            self._tell(choice_id)
        return ended

    async def forget(self, choice_id: int) -> Choice | None:
        """Forget a choice's words and its beginnings' words and pictures; None when there is none."""
        choice = await self.get(choice_id)
        if choice is None:
            return None
        for dream in await self.candidates(choice_id):
            await self._store.erase(dream.id)
        await self._change(choice_id, {"prompt": "", "delivered": True})
        return choice

    # -------------------------------------------------------------- plumbing

    async def _add(
        self, wish: Wish, count: int, image: bytes | None, admit: Admit
    ) -> tuple[Choice, list[Dream]]:
        values = shared(wish, Wish, Choice)
        share = None if wish.steps is None else max(1, wish.steps // SHARE)
        values |= {
            "steps": None if wish.steps is None or share is None else max(1, wish.steps - share),
            "state": ChoiceState.DREAMING,
            "created_at": self.clock(),
            "decision": "",
            "delivered": False,
        }
        beginning = replace(wish, steps=share, preset="" if share else QUICK, size=None)
        stored: list[Dream] = []
        try:
            async with self._transaction() as connection:
                await admit(connection)
                choice_id = await add(connection, choices, values)
                image_id = (
                    wish.image_id if image is None else await add(connection, images, {"content": image})
                )
                for number in range(1, count + 1):
                    one = replace(
                        beginning,
                        seed=(wish.seed + number - 1) % (MAX_SEED + 1),
                        origin=-stored[-1].id if stored else wish.origin,
                        image_id=image_id,
                        choice_id=choice_id,
                        candidate=number,
                    )
                    stored.append(await self._queue(connection, one))
                await self._owe(connection, choice_id)
                row = (await connection.execute(select(choices).where(choices.c.id == choice_id))).one()
        except IntegrityError as error:
            raise AlreadyStored from error
        return _choice(row._mapping), stored

    async def _sequel(self, choice: Choice, winner: Dream, last: Dream, decision: Decision) -> Wish:
        """What goes on where the winner ends; afresh, should its state be lost."""
        has_state = await self._store.has_state(winner.id)
        return replace(
            winner.wish,
            origin=-last.id,  # nothing else comes after the last beginning
            begin="continue" if has_state else winner.begin,
            parent_id=winner.id if has_state else winner.parent_id,
            steps=choice.steps,
            preset=choice.preset,
            size=choice.size,
            candidate=0,
            decision=decision.to_json(),
        )

    async def _queue(self, connection: AsyncConnection, wish: Wish) -> Dream:
        values = asdict(wish) | {"state": DreamState.QUEUED, "attempts": 0, "created_at": self.clock()}
        dream_id = await add(connection, dreams, values)
        return dream_of((await connection.execute(select(dreams).where(dreams.c.id == dream_id))).one())

    async def _change(self, choice_id: int, values: Mapping[str, Any]) -> None:
        async with self._transaction() as connection:
            await connection.execute(update(choices).where(choices.c.id == choice_id).values(values))

    async def _move(self, choice_id: int, values: Mapping[str, Any], *, only_if: Any) -> bool:
        """As `_change`, and its message shall say so."""
        change = update(choices).where(choices.c.id == choice_id, only_if).values(values)
        async with self._transaction() as connection:
            moved = (await connection.execute(change)).rowcount > 0
            if moved:
                await self._owe(connection, choice_id)
        return moved

    async def _owe(self, connection: AsyncConnection, choice_id: int) -> None:
        """The local channel shows its choices by itself."""
        place = select(choices.c.guild_id).where(choices.c.id == choice_id)
        guild_id = await connection.scalar(place)
        if not is_local(guild_id):
            first = self._store.first(guild_id)
            await owe(connection, Kind.CHOICE, choice_id, now=self.clock(), owner=first)

    async def _list(self, condition: Any) -> list[Choice]:
        async with self._transaction() as connection:
            rows = await connection.execute(select(choices).where(condition).order_by(choices.c.id))
            return [_choice(row._mapping) for row in rows]

    def _tell(self, choice_id: int) -> None:
        for hear in self.on_change:
            hear(choice_id)


def _dreams(count: int) -> int:
    """How many dreams come of a choice between `count` beginnings: the winner goes on."""
    return count + 1


def came_out(candidates: list[Dream]) -> list[Dream]:
    """The beginnings that can be voted for: those with a picture that may be shown."""
    return [
        dream
        for dream in candidates
        if dream.state is DreamState.DONE and dream.recipe and not dream.flagged and not dream.erased
    ]


def _not_over() -> Any:
    return choices.c.state.not_in((ChoiceState.DECIDED, ChoiceState.OVER))


def _choice(row: Mapping[Any, Any]) -> Choice:
    return Choice(**dict(row) | {"state": ChoiceState(row["state"])})
