"""What is owed is shown once: Discord may be away, processes may die on the way, two may look at once."""

from dataclasses import replace

import pytest
from simcord.builders import ChannelHandle
from sqlalchemy import update

from bot.chat.messages.outbox import WORTH_S, Hopeless
from bot.database.outbox import Kind, OutboxStore, Owed, owe
from bot.database.tables import dreams, outbox
from bot.dreams.dream import DreamState, Picture
from bot.dreams.preferences import Preference
from bot.dreams.store import Store
from tests.bot.chat.conftest import World
from tests.bot.chat.owing import (
    another,
    away,
    back,
    lease_ends,
    owed,
    until_nothing_is_owed,
    until_tried,
)
from tests.bot.scripted import picture, until


async def until_loading(world: World) -> None:
    """Alice's dream begins and has its message."""
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await until(lambda: len(world.messages()) == 1)


def files(message: object) -> list[str]:
    return [attachment.filename for attachment in message.attachments]  # type: ignore[attr-defined]


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


async def test_a_notice_is_posted_once_when_discord_is_back_and_whoever_posted_it_died(world: World) -> None:
    await world.parts.preferences.put(world.alice.id, Preference(notice="always"))
    await until_loading(world)
    world.parts.outbox._retry_s = 0.002
    world.env.inject_error("POST", "/channels/*/messages", status=503, times=None)
    world.engine.finish()
    await until_tried(world, Kind.NOTICE)
    back(world)
    await until_nothing_is_owed(world)
    assert len(world.messages()) == 2
    async with world.parts.database.transaction() as connection:
        await owe(connection, Kind.NOTICE, 1, now=world.parts.outbox_store.clock(), owner="killed")
    store = OutboxStore(world.parts.database, owner="killed")
    assert (await store.claim(list(Kind), most=1))[0], "killed between the post and the row's end"
    await lease_ends(world)
    await until_nothing_is_owed(world)
    assert len(world.messages()) == 2


async def with_gallery(world: World) -> ChannelHandle:
    """Where its server's dreams hang too."""
    gallery = world.guild.create_text_channel("gallery")
    await world.env.settle()
    await world.parts.moderation.change(
        world.guild.id, by=1, change=lambda old: replace(old, gallery_channel=gallery.id)
    )
    return gallery


async def test_a_picture_hangs_in_the_gallery_when_that_is_back_and_once_whoever_dies(world: World) -> None:
    gallery = await with_gallery(world)
    await until_loading(world)
    world.parts.outbox._retry_s = 0.002
    world.env.inject_error("POST", f"/channels/{gallery.id}/messages", status=503, times=None)
    world.engine.finish()
    await until_tried(world, Kind.GALLERY)
    back(world)
    await until_nothing_is_owed(world)
    assert [files(message) for message in world.messages(gallery)] == [["dream-1.png"]]
    async with world.parts.database.transaction() as connection:  # killed before it could remember
        await connection.execute(update(dreams).values(gallery_message_id=None))
        await owe(connection, Kind.GALLERY, 1, now=world.parts.outbox_store.clock())
        await connection.execute(update(outbox).values(tries=1))
    await lease_ends(world)
    await until_nothing_is_owed(world)
    assert len(world.messages(gallery)) == 1 and (await world.stored(1)).gallery_message_id is not None


async def test_a_gallery_that_takes_nothing_is_asked_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    gallery = await with_gallery(world)
    await until_loading(world)
    world.env.inject_error("POST", f"/channels/{gallery.id}/messages", status=403, code=50013, times=None)
    world.engine.finish()
    await world.until_delivered(1)
    await until_nothing_is_owed(world)
    assert "gallery 1: given up, its gallery: gone" in caplog.text
