"""What is owed is shown once: Discord may be away, processes may die on the way, two may look at once."""

import asyncio
from dataclasses import replace

import pytest
from simcord.builders import ChannelHandle
from sqlalchemy import update

from bot.chat.messages.outbox import DENIALS, WORTH_S, Hopeless
from bot.community.choices import ChoiceState
from bot.community.contests import DAY_S
from bot.database.outbox import Kind, OutboxStore, Owed, owe
from bot.database.tables import choices, dreams, fame, outbox
from bot.dreams.dream import DreamState, Picture
from bot.dreams.preferences import Preference
from bot.dreams.store import Store
from bot.sentences import ENGLISH
from bot.servers.settings import VOTE_EMOJI
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


@pytest.mark.parametrize(("status", "code"), [(404, 10008), (404, 10003), (403, 50013)])
async def test_wrong_answers_take_no_end_away(world: World, status: int, code: int) -> None:
    await until_loading(world)
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=status, code=code, times=DENIALS - 1)
    world.engine.finish()
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
        await connection.execute(update(outbox).values(begun=1))
    await lease_ends(world)
    await until_nothing_is_owed(world)
    assert len(world.messages(gallery)) == 1 and (await world.stored(1)).gallery_message_id is not None


async def test_a_gallery_that_takes_nothing_is_asked_a_few_times(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    gallery = await with_gallery(world)
    await until_loading(world)
    world.env.inject_error("POST", f"/channels/{gallery.id}/messages", status=403, code=50013, times=None)
    world.engine.finish()
    await world.until_delivered(1)
    await until_nothing_is_owed(world)
    assert "gallery 1: given up, its gallery: gone" in caplog.text


async def test_a_choice_goes_on_when_discord_is_back(world: World) -> None:
    await world.dream(world.alice, candidates=2)
    await until(lambda: len(world.messages()) == 1)
    away(world)
    for number in (1, 2):
        await world.engine.dreams(number)
        world.engine.finish()
    await until_tried(world, Kind.CHOICE)
    back(world)
    await until(lambda: len(world.messages()[0].reactions) == 2)
    assert (await world.parts.choices.get(1)).state is ChoiceState.VOTING  # type: ignore[union-attr]


async def test_a_choice_whose_process_died_before_it_was_posted_is_posted_once(world: World) -> None:
    await world.parts.outbox.close()
    asked = asyncio.create_task(world.dream(world.alice, candidates=2))
    await world.engine.dreams(1)
    other = another(world)
    await other.start()
    await lease_ends(world)
    other.wake()
    await until(lambda: len(world.messages()) == 1)
    await asked
    async with world.parts.database.transaction() as connection:  # posted, and not remembered
        await connection.execute(update(choices).values(message_id=None))
        await owe(connection, Kind.CHOICE, 1, now=0.0)
        await connection.execute(update(outbox).values(begun=1))
    other.wake()

    async def remembered() -> bool:
        choice = await world.parts.choices.get(1)
        return choice is not None and choice.message_id is not None

    await until(remembered)
    await other.close()
    assert len(world.messages()) == 1


async def test_a_contest_s_winner_is_told_once_when_discord_is_back(world: World) -> None:
    contest = await world.parts.contests.start(
        guild_id=world.guild.id,
        channel_id=world.channel.id,
        theme="autumn",
        language="en",
        by=1,
        span_s=DAY_S,
    )
    world.parts.contest_messages.counted()
    assert Kind.CONTEST in await owed(world), "it is due at its end"
    away(world)
    await world.parts.contests.finish(contest.id, now=True)
    world.parts.contest_messages.moved(contest.id)
    await until_tried(world, Kind.CONTEST)
    back(world)
    await until_nothing_is_owed(world)
    assert [message.embeds[0].title for message in world.messages()] == [ENGLISH.CONTEST_OVER]
    ended = await world.parts.contests.get(contest.id)
    assert ended is not None and ended.told and ended.message_id == world.messages()[0].id


async def test_log_lines_wait_for_discord_and_none_comes_twice(world: World) -> None:
    log = world.guild.create_text_channel("log")
    await world.env.settle()
    change = world.parts.moderation.change
    await change(world.guild.id, by=world.moderator.id, change=lambda old: replace(old, log_channel=log.id))
    await until_nothing_is_owed(world)
    assert len(log.history()) == 1
    away(world)
    await change(world.guild.id, by=world.moderator.id, change=lambda old: replace(old, paused=True))
    await until_tried(world, Kind.LOG)
    back(world)
    await until_nothing_is_owed(world)
    (entry, *_) = await world.parts.moderation.audit(world.guild.id)
    async with world.parts.database.transaction() as connection:  # killed when it had posted it
        await owe(connection, Kind.LOG, entry.id, now=world.parts.outbox_store.clock())
        await connection.execute(update(outbox).values(begun=1))
    world.env.inject_error("GET", f"/channels/{log.id}/messages", status=400)  # nor does it know at first
    world.parts.outbox.wake()
    await until_nothing_is_owed(world)
    assert len(log.history()) == 2


async def test_a_hall_is_filled_and_emptied_when_discord_is_back(world: World) -> None:
    hall = world.guild.create_text_channel("hall")
    await world.env.settle()
    await world.parts.moderation.change(
        world.guild.id, by=1, change=lambda old: replace(old, fame_channel=hall.id, fame_votes=1)
    )
    await until_loading(world)
    world.engine.finish()
    await world.until_delivered(1)
    await until_nothing_is_owed(world)
    world.parts.outbox._retry_s = 0.002
    world.env.inject_error("POST", f"/channels/{hall.id}/messages", status=503, times=None)
    await world.bob.react(world.messages()[0], VOTE_EMOJI[0])
    await until_tried(world, Kind.FAME)
    back(world)
    await until(lambda: len(hall.history()) == 1)
    await until_nothing_is_owed(world)
    world.env.inject_error("DELETE", f"/channels/{hall.id}/messages/*", status=503, times=None)
    await world.bob.unreact(world.messages()[0], VOTE_EMOJI[0])
    await until_tried(world, Kind.FAME)
    assert len(hall.history()) == 1
    back(world)
    await until(lambda: hall.history() == [])


async def test_a_hall_has_it_once_if_whoever_posted_it_died_before_the_next_vote(world: World) -> None:
    hall = world.guild.create_text_channel("hall")
    await world.env.settle()
    await world.parts.moderation.change(
        world.guild.id, by=1, change=lambda old: replace(old, fame_channel=hall.id, fame_votes=2)
    )
    await until_loading(world)
    world.engine.finish()
    await world.until_delivered(1)
    (message,) = world.messages()
    await world.bob.react(message, VOTE_EMOJI[0])
    await world.moderator.react(message, VOTE_EMOJI[0])
    await until(lambda: len(hall.history()) == 1)
    await until_nothing_is_owed(world)
    async with world.parts.database.transaction() as connection:  # killed before it could remember
        await connection.execute(update(fame).values(message_id=None))
        await owe(connection, Kind.FAME, 1, now=world.parts.outbox_store.clock(), owner="killed")
    store = OutboxStore(world.parts.database, owner="killed")
    assert (await store.claim(list(Kind), most=1))[0]
    await world.moderator.unreact(message, VOTE_EMOJI[0])
    await world.moderator.react(message, VOTE_EMOJI[0])
    assert await owed(world) == {Kind.FAME: 0}, "the vote wrote it anew"
    await lease_ends(world)
    await until_nothing_is_owed(world)
    assert len(hall.history()) == 1
