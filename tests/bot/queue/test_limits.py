"""Who may dream what, where and how often: each refusal, and when it is possible again."""

from collections.abc import Callable
from dataclasses import replace
from math import inf

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.connection import Database
from bot.dreams.dream import Wish
from bot.dreams.store import Store
from bot.queue.limits import (
    DAY_S,
    HOUR_S,
    NOBODY,
    Asker,
    Banned,
    BannedWords,
    CoolingDown,
    Limits,
    LineFull,
    NoNewDreams,
    Refused,
    ServerFull,
    TooManyWaiting,
    TooMuch,
    TooOften,
    WrongChannel,
)
from bot.servers.moderation import Moderation
from bot.servers.settings import Allowance
from engine import EMBEDDED

A_WISH = Callable[..., Wish]


class Door:
    """Limits with a clock of their own; what is let in is stored and stands in line."""

    def __init__(self, database: Database, *, steps: int | None = None) -> None:
        self.now = 1_000_000.0
        self.store = Store(database, owner="door", clock=lambda: self.now)
        self.moderation = Moderation(database=database, clock=lambda: self.now)
        self.limits = Limits(
            store=self.store,
            moderation=self.moderation,
            per_person=3,
            in_all=8,
            steps=steps,
            clock=lambda: self.now,
        )

    async def set(self, **changes: object) -> None:
        """What a moderator of server 1 sets."""
        await self.moderation.change(1, by=99, change=lambda old: replace(old, **changes))

    async def ask(self, wish: Wish, asker: Asker = NOBODY, *, dreams: int = 1) -> Wish:
        wish = await self.limits.allow(wish, asker)
        await self.limits.check_room(wish, asker, dreams=dreams)

        async def admit(connection: AsyncConnection) -> None:
            await self.limits.admit(connection, wish, asker, dreams=dreams)

        await self.store.add_story([wish], admit=admit)
        return wish

    async def refusal(self, wish: Wish, asker: Asker = NOBODY, *, dreams: int = 1) -> Refused:
        with pytest.raises(Refused) as raised:
            await self.ask(wish, asker, dreams=dreams)
        return raised.value

    async def serve_all(self) -> None:
        for dream in await self.store.waiting():
            await self.store.claim(dream.id, lease_s=1e9)


@pytest.fixture
def door(database: Database) -> Door:
    return Door(database)


async def test_the_bot_s_own_limits_hold_where_a_server_says_nothing(door: Door, a_wish: A_WISH) -> None:
    for _ in range(3):
        await door.ask(a_wish(author_id=1))
    refusal = await door.refusal(a_wish(author_id=1))
    assert isinstance(refusal, TooManyWaiting) and refusal.allowed == 3
    await door.ask(a_wish(author_id=1, guild_id=2))
    for author in (2, 3, 4, 5):
        await door.ask(a_wish(author_id=author))
    refusal = await door.refusal(a_wish(author_id=6))
    assert type(refusal) is LineFull and refusal.allowed == 8


async def test_a_person_s_role_allows_them_more(door: Door, a_wish: A_WISH) -> None:
    await door.set(everyone=Allowance(waiting=1), roles={5: Allowance(waiting=2)})
    patron = Asker(roles=frozenset({5}))
    await door.ask(a_wish(author_id=1), patron)
    await door.ask(a_wish(author_id=1), patron)
    assert isinstance(await door.refusal(a_wish(author_id=1), patron), TooManyWaiting)
    await door.ask(a_wish(author_id=2))
    assert isinstance(await door.refusal(a_wish(author_id=2)), TooManyWaiting)


async def test_a_server_s_line_may_be_shorter_than_the_bot_s(door: Door, a_wish: A_WISH) -> None:
    await door.set(together=Allowance(waiting=2))
    await door.ask(a_wish(author_id=1))
    await door.ask(a_wish(author_id=2))
    refusal = await door.refusal(a_wish(author_id=3))
    assert isinstance(refusal, ServerFull) and refusal.allowed == 2
    await door.ask(a_wish(author_id=3, guild_id=2))


async def test_who_had_their_hour_s_dreams_is_told_when_the_next_is_possible(
    door: Door, a_wish: A_WISH
) -> None:
    await door.set(everyone=Allowance(per_hour=2))
    begin = door.now
    await door.ask(a_wish())
    door.now += 600
    await door.ask(a_wish())
    await door.serve_all()
    refusal = await door.refusal(a_wish())
    assert isinstance(refusal, TooOften)
    assert (refusal.allowed, refusal.within_s, refusal.again_at) == (2, HOUR_S, begin + HOUR_S)
    assert not refusal.all_together
    door.now = refusal.again_at - 1
    assert isinstance(await door.refusal(a_wish()), TooOften)
    door.now = refusal.again_at
    await door.ask(a_wish())


async def test_the_limit_that_holds_longest_is_the_one_that_is_told(door: Door, a_wish: A_WISH) -> None:
    await door.set(everyone=Allowance(per_hour=1, per_day=1))
    begin = door.now
    await door.ask(a_wish())
    refusal = await door.refusal(a_wish())
    assert isinstance(refusal, TooOften) and refusal.again_at == begin + DAY_S


async def test_a_server_s_day_is_everybody_s_together(door: Door, a_wish: A_WISH) -> None:
    await door.set(together=Allowance(per_day=2))
    await door.ask(a_wish(author_id=1))
    await door.ask(a_wish(author_id=2))
    refusal = await door.refusal(a_wish(author_id=3))
    assert isinstance(refusal, TooOften) and refusal.all_together and refusal.within_s == DAY_S
    await door.ask(a_wish(author_id=3, guild_id=2))


async def test_nothing_allowed_is_possible_never(door: Door, a_wish: A_WISH) -> None:
    await door.set(people={11: Allowance(per_day=0)})
    refusal = await door.refusal(a_wish(author_id=11))
    assert isinstance(refusal, TooOften) and refusal.again_at == inf
    await door.ask(a_wish(author_id=12))


async def test_what_was_withdrawn_in_time_does_not_count(door: Door, a_wish: A_WISH) -> None:
    await door.set(everyone=Allowance(per_day=1), cooldown_s=60)
    await door.ask(a_wish())
    await door.store.cancel_queued(1)
    await door.serve_all()
    await door.ask(a_wish())
    assert isinstance(await door.refusal(a_wish()), CoolingDown)


async def test_a_cooldown_is_each_person_s_own(door: Door, a_wish: A_WISH) -> None:
    await door.set(cooldown_s=30)
    await door.ask(a_wish(author_id=1))
    door.now += 10
    refusal = await door.refusal(a_wish(author_id=1))
    assert isinstance(refusal, CoolingDown)
    assert (refusal.cooldown_s, refusal.again_at) == (30, door.now + 20)
    await door.ask(a_wish(author_id=2))
    door.now += 20
    await door.ask(a_wish(author_id=1))


async def test_too_many_steps_are_refused_and_unnamed_ones_are_kept_within(
    door: Door, a_wish: A_WISH
) -> None:
    await door.set(everyone=Allowance(steps=100))
    refusal = await door.refusal(a_wish(steps=101))
    assert isinstance(refusal, TooMuch) and (refusal.what, refusal.allowed) == ("steps", 100)
    assert (await door.ask(a_wish(steps=100))).steps == 100
    for preset in ("", "quick", "thorough"):
        plain = await door.ask(a_wish(steps=None, preset=preset))
        assert (plain.steps, plain.most_steps) == (None, 100), "a limit is no target"
        await door.serve_all()


async def test_the_bot_s_own_steps_are_kept_within_and_leave_presets_alone(
    database: Database, a_wish: A_WISH
) -> None:
    door = Door(database, steps=150)
    assert (await door.ask(a_wish(steps=None))).steps == 150
    assert (await door.ask(a_wish(steps=None, preset="quick"))).steps is None
    await door.set(everyone=Allowance(steps=40))
    assert (await door.ask(a_wish(steps=None))).steps == 40


async def test_every_chapter_and_every_beginning_counts(door: Door, a_wish: A_WISH) -> None:
    await door.set(everyone=Allowance(per_hour=3))
    never = await door.refusal(a_wish(), dreams=6)
    assert isinstance(never, TooOften) and (never.again_at, never.asked) == (inf, 6)
    await door.ask(a_wish())
    begun = door.now
    door.now += 600
    await door.ask(a_wish(), dreams=2)  # of which the test stores one
    later = await door.refusal(a_wish(), dreams=2)
    assert isinstance(later, TooOften) and later.again_at == begun + HOUR_S
    door.now = begun + HOUR_S
    await door.ask(a_wish(), dreams=2)


async def test_what_is_allowed_together_counts_them_too(door: Door, a_wish: A_WISH) -> None:
    await door.set(together=Allowance(per_day=4))
    await door.ask(a_wish(author_id=1))
    refusal = await door.refusal(a_wish(author_id=2), dreams=4)
    assert isinstance(refusal, TooOften) and refusal.all_together
    await door.ask(a_wish(author_id=2), dreams=3)


async def test_too_large_a_picture_is_refused(door: Door, a_wish: A_WISH) -> None:
    await door.set(everyone=Allowance(size=256))
    refusal = await door.refusal(a_wish(size=512))
    assert isinstance(refusal, TooMuch) and (refusal.what, refusal.allowed) == ("size", 256)
    await door.ask(a_wish(size=256))
    await door.ask(a_wish())


async def test_a_drained_server_takes_no_wishes_and_a_paused_one_does(door: Door, a_wish: A_WISH) -> None:
    await door.set(paused=True)
    await door.ask(a_wish())
    await door.set(draining=True)
    assert isinstance(await door.refusal(a_wish()), NoNewDreams)
    await door.ask(a_wish(guild_id=2))


async def test_who_is_banned_is_told_why_and_until_when(door: Door, a_wish: A_WISH) -> None:
    await door.moderation.add_ban(1, 11, by=99, until=door.now + 60, reason="spam")
    refusal = await door.refusal(a_wish(author_id=11))
    assert isinstance(refusal, Banned) and (refusal.until, refusal.reason) == (door.now + 60, "spam")
    await door.ask(a_wish(author_id=11, guild_id=2))
    await door.ask(a_wish(author_id=12))
    door.now += 60
    await door.ask(a_wish(author_id=11))


async def test_one_dreams_in_the_allowed_channels_and_their_threads(door: Door, a_wish: A_WISH) -> None:
    await door.set(channels=(5, 6))
    refusal = await door.refusal(a_wish(channel_id=7))
    assert isinstance(refusal, WrongChannel) and refusal.channels == (5, 6)
    await door.ask(a_wish(channel_id=6))
    await door.ask(a_wish(channel_id=70), Asker(channels=frozenset({5})))


async def test_banned_words_are_refused_in_their_server(door: Door, a_wish: A_WISH) -> None:
    await door.set(words=("blood",), patterns=(r"kni[fv]e",))
    assert isinstance(await door.refusal(a_wish(prompt="a b.l.o.o.d bath")), BannedWords)
    assert isinstance(await door.refusal(a_wish(prompt="KNIVES")), BannedWords)
    await door.ask(a_wish(prompt="a bowl of cherries"))
    assert isinstance(await door.refusal(a_wish(avoid="blood")), BannedWords)
    await door.ask(a_wish(prompt="blood", guild_id=2))
    await door.set(words=())
    await door.ask(a_wish(prompt="blood"))


async def test_in_a_direct_message_the_bot_s_own_limits_hold(door: Door, a_wish: A_WISH) -> None:
    await door.set(everyone=Allowance(waiting=0))
    for _ in range(3):
        await door.ask(a_wish(guild_id=None))
    assert isinstance(await door.refusal(a_wish(guild_id=None)), TooManyWaiting)


async def test_what_was_asked_for_by_a_clock_that_was_ahead_counts_against_nobody(
    door: Door, a_wish: A_WISH
) -> None:
    await door.set(everyone=Allowance(per_hour=1, per_day=1), cooldown_s=60)
    door.now += 300 * DAY_S
    await door.ask(a_wish(author_id=1))
    door.now -= 300 * DAY_S
    await door.ask(a_wish(author_id=1))
    assert isinstance(await door.refusal(a_wish(author_id=1)), CoolingDown)


async def test_a_guest_has_the_lower_of_two_limits_and_the_embedded_model(door: Door, a_wish: A_WISH) -> None:
    guest = Asker(is_guest=True)
    await door.set(everyone=Allowance(waiting=5, steps=50), guests=Allowance(waiting=1, steps=90, size=256))
    wish = await door.ask(a_wish(author_id=1, model="biggan-deep-512"), guest)
    assert (wish.model, wish.most_steps, wish.most_size) == (EMBEDDED.name, 50, 256)
    assert isinstance(await door.refusal(a_wish(author_id=1), guest), TooManyWaiting)
    wish = await door.ask(a_wish(author_id=2, model="biggan-deep-512"))
    assert (wish.model, wish.most_steps, wish.most_size) == ("biggan-deep-512", 50, None)
    await door.set(people={1: Allowance(waiting=3)})
    assert (await door.ask(a_wish(author_id=1), guest)).most_size == 256
