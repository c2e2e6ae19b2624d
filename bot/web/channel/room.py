"""What the local channel works with besides the heart, as one value, and the way from a request to it."""

from dataclasses import dataclass

from aiohttp import web

from bot.community.people import People
from bot.heart import Heart
from bot.keeping.forgetting import Kind
from bot.queue.turnstile import Turnstile
from bot.web.channel.contests import ContestEnds
from bot.web.channel.drawn import Drawn
from bot.web.channel.facts import Facts
from bot.web.channel.keys import ModeratorKey
from bot.web.channel.live import Live
from bot.web.channel.steering import Steering
from bot.web.channel.takedown import Takedown
from bot.web.guards.rates import Buckets, Rate

NEW_GUESTS = Rate(10, 1 / 600)  # a household at once, then one in ten minutes


@dataclass(frozen=True, kw_only=True)
class Room:
    """Live, for one application. The heart is begun before, and ended before."""

    heart: Heart
    people: People
    live: Live
    facts: Facts
    drawn: Drawn
    steering: Steering
    contest_ends: ContestEnds
    outlet: Turnstile  # what is kept of dreams, some megabytes each, on its way to a person
    moderator_key: ModeratorKey
    new_guests: Buckets  # names that one address elsewhere may choose: each has limits of its own

    async def begin(self) -> None:
        """Rebuild what a former process left. Raises `StoreError`."""
        await self.people.start()
        await self.live.start()
        await self.steering.start()
        await self.contest_ends.start()

    async def end(self) -> None:
        """Stop; everything is stored already."""
        await self.contest_ends.close()
        await self.steering.close()
        await self.live.close()


def build_room(heart: Heart) -> Room:
    """All of it, not started, but told of what happens in the heart."""
    live = Live(
        store=heart.store,
        worker=heart.worker,
        choices=heart.choices,
        paces=heart.paces,
        settings=heart.moderation.settings,
    )
    steering = Steering(choices=heart.choices, store=heart.store, live=live)
    contest_ends = ContestEnds(contests=heart.contests, live=live)
    heart.audiences.local = live
    heart.store.on_erase += [live.erased, steering.erased, contest_ends.erased]
    heart.votes.on_change += [live.voted]
    heart.choices.on_change += [steering.moved]
    heart.moderation.on_change += [lambda guild: live.line_moved()]
    live.on_candidate += [steering.heard]
    heart.forgetter.local = Takedown(store=heart.store, choices=heart.choices, live=live)
    people = People(database=heart.database)
    heart.forgetter.on_forgotten[Kind.PERSON] += [people.forget]
    facts = Facts(store=heart.store, choices=heart.choices)
    live.on_touch += [facts.forget]
    return Room(
        heart=heart,
        people=people,
        live=live,
        facts=facts,
        drawn=Drawn(),
        steering=steering,
        contest_ends=contest_ends,
        outlet=Turnstile(at_once=4, waiting=200, each=12, patience_s=30),
        moderator_key=ModeratorKey(),
        new_guests=Buckets(NEW_GUESTS),
    )


ROOM = web.AppKey("ROOM", Room)


def room_of(request: web.Request) -> Room:
    """Of the application that serves the request."""
    return request.config_dict[ROOM]
