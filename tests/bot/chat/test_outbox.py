"""What is owed is shown once: Discord may be away, processes may die on the way, two may look at once."""

from collections.abc import Collection

import pytest
from sqlalchemy import select, update

from bot.chat.messages.outbox import WORTH_S, Hopeless, Outbox
from bot.database.outbox import Kind, OutboxStore, Owed
from bot.database.tables import outbox
from bot.dreams.dream import DreamState, Picture
from bot.dreams.store import Store
from tests.bot.chat.conftest import World
from tests.bot.scripted import picture, until


def away(world: World) -> None:
    """Discord answers nothing but errors from now on; what is tried again is so at once."""
    world.parts.outbox._retry_s = 0.002
    for method in ("GET", "POST", "PATCH", "PUT"):
        world.env.inject_error(method, "/channels/*/messages*", status=503, times=None)
        world.env.inject_error(method, "/channels/*/messages/*", status=503, times=None)


def back(world: World) -> None:
    world.env.backend.faults.clear()


async def owed(world: World) -> dict[Kind, int]:
    """How often each of what is owed was tried, by kind."""
    async with world.parts.database.transaction() as connection:
        return {Kind(row.kind): row.tries for row in await connection.execute(select(outbox))}


async def until_tried(world: World, kind: Kind, *, times: int = 3) -> None:
    async def tried() -> bool:
        return (await owed(world)).get(kind, 0) >= times

    await until(tried)


async def until_nothing_is_owed(world: World, *, but: Collection[Kind] = ()) -> None:
    async def nothing() -> bool:
        return not set(await owed(world)) - set(but)

    await until(nothing)


async def until_loading(world: World) -> None:
    """Alice's dream begins and has its message."""
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await until(lambda: len(world.messages()) == 1)


def files(message: object) -> list[str]:
    return [attachment.filename for attachment in message.attachments]  # type: ignore[attr-defined]


def another(world: World, owner: str = "other") -> Outbox:
    """A second process's look at what is owed, through the same client."""
    other = Outbox(store=OutboxStore(world.parts.database, owner=owner))
    other.handlers = world.parts.outbox.handlers
    return other


async def lease_ends(world: World) -> None:
    """Of what is owed another process may take all."""
    async with world.parts.database.transaction() as connection:
        await connection.execute(update(outbox).values(due_at=0.0))
    world.parts.outbox.wake()


async def test_an_end_is_shown_when_discord_is_back(world: World) -> None:
    await until_loading(world)
    away(world)
    world.engine.finish()
    await until_tried(world, Kind.END)
    back(world)
    await world.until_delivered(1)
    await until_nothing_is_owed(world)
    assert [files(message) for message in world.messages()] == [["dream-1.png"]]


async def test_an_end_whose_process_died_while_it_showed_it_is_shown_once(world: World) -> None:
    killed = Store(world.parts.database, owner="killed")
    await killed.add(world.wish())
    await killed.claim(1, lease_s=30)
    await killed.finish(1, DreamState.DONE, picture=Picture(picture("PNG"), "png"))
    store = OutboxStore(world.parts.database, owner="killed")
    assert (await store.claim(list(Kind), most=1))[0], "it began to show it"
    await lease_ends(world)
    await world.until_delivered(1)
    await until_nothing_is_owed(world)
    assert [files(message) for message in world.messages()] == [["dream-1.png"]]


async def test_two_processes_show_an_end_once(world: World) -> None:
    other = another(world)
    await other.start()
    killed = Store(world.parts.database, owner="killed")
    for number in range(1, 7):
        await killed.add(world.wish())
        await killed.cancel_queued(number)
    await lease_ends(world)
    other.wake()
    await until_nothing_is_owed(world)
    await other.close()
    assert len(world.messages()) == 6


async def test_a_hopeless_one_goes_with_a_word_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def handle(one: Owed) -> None:
        raise Hopeless("its channel is closed")

    world.parts.outbox.handlers[Kind.END] = handle
    await world.parts.outbox.owe(Kind.END, 7)
    await until_nothing_is_owed(world)
    assert "end 7: given up, its channel is closed" in caplog.text


async def test_what_is_not_taken_for_days_and_a_fault_of_ours_that_stays_are_given_up(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def handle(one: Owed) -> None:
        if one.subject == 7:
            raise RuntimeError("a fault of ours")
        await world.parts.outbox.handlers["real"](one)

    real = world.parts.outbox.handlers[Kind.END]
    world.parts.outbox.handlers |= {Kind.END: handle, "real": real}
    await until_loading(world)
    away(world)
    world.engine.finish()
    await world.parts.outbox.owe(Kind.END, 7)
    await until_tried(world, Kind.END)
    async with world.parts.database.transaction() as connection:
        old = update(outbox).where(outbox.c.subject == 1)
        await connection.execute(old.values(since=outbox.c.since - WORTH_S))
    await until_nothing_is_owed(world)
    assert "end 7: given up after 10 tries" in caplog.text and "end 1: given up after" in caplog.text
    caplog.clear()


async def test_what_is_in_hand_at_an_orderly_end_is_the_next_one_s_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.chat.messages.outbox.FAREWELL_S", 0.01)
    await until_loading(world)
    away(world)
    world.engine.finish()
    await until_tried(world, Kind.END, times=1)
    await world.parts.end()
    assert Kind.END in await owed(world)
    back(world)
    await world.restart()
    await world.until_delivered(1)
    assert [files(message) for message in world.messages()] == [["dream-1.png"]]
