"""Votes: reactions under a finished dream, also those cast while the bot was away."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.chat.listeners.votes import VoteListener
from bot.chat.messages.votes import PACES
from bot.database.connection import StoreBusy
from bot.dreams.dream import Dream
from bot.dreams.store import Store
from bot.servers.settings import VOTE_EMOJI
from tests.bot.chat.conftest import World
from tests.bot.scripted import until


async def finished(world: World) -> None:
    """Alice's dream, done and under vote."""
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.finish()
    await world.until_delivered(1)
    await until(lambda: len(world.messages()[-1].reactions) == len(VOTE_EMOJI))


async def votes(world: World) -> int:
    return await world.parts.votes.tally(1)


async def test_a_vote_counts_once_per_person_and_not_the_authors_or_a_bots(world: World) -> None:
    await finished(world)
    message = world.messages()[0]
    robot = world.guild.add_member(world.env.create_user("robot", bot=True))
    for member, emoji in (
        (world.bob, VOTE_EMOJI[0]),
        (world.bob, VOTE_EMOJI[1]),
        (world.moderator, "❤"),
        (world.alice, VOTE_EMOJI[0]),
        (robot, VOTE_EMOJI[0]),
        (world.bob, "🍕"),
    ):
        await member.react(message, emoji)
    assert await votes(world) == 2
    await world.bob.unreact(message, VOTE_EMOJI[0])
    assert await votes(world) == 2, "one of bob's two reactions is left"
    await world.bob.unreact(message, VOTE_EMOJI[1])
    assert await votes(world) == 1


async def test_reactions_cleared_by_a_moderator_are_votes_no_more(world: World) -> None:
    await finished(world)
    message = world.messages()[0]
    await world.bob.react(message, VOTE_EMOJI[0])
    await world.moderator.react(message, VOTE_EMOJI[1])
    world.env.backend.clear_reaction(world.channel.id, message.id, VOTE_EMOJI[0])
    await world.env.settle()
    assert await votes(world) == 1
    world.env.backend.clear_reactions(world.channel.id, message.id)
    await world.env.settle()
    assert await votes(world) == 0


async def test_votes_survive_a_restart_and_those_cast_meanwhile_are_found(world: World) -> None:
    await finished(world)
    message = world.messages()[0]
    carol = world.guild.add_member(world.env.create_user("carol"))
    await world.bob.react(message, VOTE_EMOJI[0])
    await world.parts.end()
    # While the bot is away nobody tells it.
    subscribers, world.env.backend.subscribers[:] = list(world.env.backend.subscribers), []
    for member in (world.moderator, carol, world.alice):
        await member.react(message, VOTE_EMOJI[0])
    await world.bob.unreact(message, VOTE_EMOJI[0])
    world.env.backend.subscribers[:] = subscribers
    assert await votes(world) == 1
    await world.restart()
    await world.env.settle()
    assert await votes(world) == 2, "the moderator's and carol's; not alice's, bob's is taken back"


async def test_votes_under_older_dreams_and_after_trouble_are_found_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.chat.listeners.votes.RECOUNT_MOST", 1)
    monkeypatch.setattr("bot.chat.listeners.votes.RECOUNT_PACE_S", 0.0)
    monkeypatch.setattr("bot.chat.listeners.catching_up.RETRY_S", 0.01)
    await finished(world)
    await world.dream(world.bob, "a tree")
    await world.engine.dreams(2)
    world.engine.finish()
    await world.until_delivered(2)
    await world.parts.end()
    subscribers, world.env.backend.subscribers[:] = list(world.env.backend.subscribers), []
    await world.bob.react(world.messages()[0], VOTE_EMOJI[0])
    world.env.backend.subscribers[:] = subscribers
    recent, tries = Store.recent, 0

    async def troubled(store: Store, **which: Any) -> list[Dream]:
        nonlocal tries
        tries += 1
        if tries % 2:
            raise StoreBusy
        return await recent(store, **which)

    monkeypatch.setattr(Store, "recent", troubled)
    await world.restart()

    async def counted() -> bool:
        return await votes(world) == 1

    await until(counted)


async def test_once_it_is_quiet_under_a_message_what_stands_there_counts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.chat.listeners.votes.QUIET_S", 0.5)
    await finished(world)
    message = world.messages()[0]
    # As another process does that stores a vote after it was taken back, and as events that are lost.
    await world.parts.store.add_vote(1, 77, VOTE_EMOJI[0])
    subscribers, world.env.backend.subscribers[:] = list(world.env.backend.subscribers), []
    await world.moderator.react(message, VOTE_EMOJI[1])
    world.env.backend.subscribers[:] = subscribers
    await world.bob.react(message, VOTE_EMOJI[0])

    async def true() -> bool:
        people = set().union(*(await world.parts.store.votes_for([1]))[1].values())
        return people == {world.bob.id, world.moderator.id}

    await until(true)


async def test_a_vote_counts_while_discord_lets_us_wait_for_another_message(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is asked of Discord because of an event, no other event waits for the answer."""
    monkeypatch.setattr("bot.chat.listeners.votes.AGAIN_S", (3600.0,))
    await finished(world)
    await world.dream(world.bob, "a tree")
    await world.engine.dreams(2)
    world.engine.finish()
    await world.until_delivered(2)
    cherries, tree = world.messages()
    asked: list[int] = []

    async def waits(http: object, channel_id: int, message_id: int) -> None:
        asked.append(message_id)
        await asyncio.sleep(1e9)

    monkeypatch.setattr("discord.http.HTTPClient.get_message", waits)
    await world.parts.store.set_message(2, 1)  # not known yet: it is read again later
    await world.bob.react(tree, VOTE_EMOJI[0])
    await world.parts.store.set_message(2, tree.id)
    world.parts.deletions.missing(replace(await world.stored(1), message_id=cherries.id))
    await world.env.advance_time(3600.0)
    await until(lambda: sorted(asked) == [cherries.id, tree.id])
    await world.bob.react(cherries, VOTE_EMOJI[0])
    assert await votes(world) == 1


async def test_a_vote_under_another_message_is_ignored(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.chat.listeners.votes.AGAIN_S", (0.01,))
    other = await world.alice.send(world.channel, "not a dream")
    await finished(world)
    await world.bob.react(other, VOTE_EMOJI[0])
    assert await votes(world) == 0


async def test_a_vote_that_comes_before_it_is_known_what_the_message_shows_counts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.chat.listeners.votes.AGAIN_S", (3600.0, 0.01, 3600.0))
    await finished(world)
    message = world.messages()[0]
    await world.parts.store.set_message(1, 1)  # Discord has the new message, its answer is on the way
    await world.bob.react(message, VOTE_EMOJI[0])
    await world.moderator.react(message, VOTE_EMOJI[0])
    await world.moderator.unreact(message, VOTE_EMOJI[0])
    assert await votes(world) == 0
    listener = world.parts.client.get_cog("VoteListener")
    assert isinstance(listener, VoteListener) and message.id in listener._unknown
    await listener._unknown._look(message.id, world.channel.id, 1)
    assert await votes(world) == 0 and message.id in listener._unknown
    await world.parts.store.set_message(1, message.id)
    listener._unknown.put(message.id, world.channel.id, 2)

    async def counted() -> bool:
        return await votes(world) == 1

    await until(counted)
    assert message.id not in listener._unknown
    await world.moderator.react(message, VOTE_EMOJI[1])
    assert await votes(world) == 2, "it goes on as under any other"


async def test_the_message_shows_its_votes_and_keeps_its_picture(world: World) -> None:
    await finished(world)
    message = world.messages()[0]
    await world.bob.react(message, VOTE_EMOJI[0])
    await until(lambda: world.messages()[0].content == "⭐ 1")
    await world.moderator.react(message, VOTE_EMOJI[1])
    await until(lambda: world.messages()[0].content == "⭐ 2")
    (shown,) = world.messages()
    assert [a.filename for a in shown.attachments] == ["dream-1.png"] and "cherries" in world.text()
    assert "dream-1.png" in (shown.embeds[0].image.url or "")
    for member, emoji in ((world.bob, VOTE_EMOJI[0]), (world.moderator, VOTE_EMOJI[1])):
        await member.unreact(message, emoji)
    await until(lambda: not world.messages()[0].content)


async def test_many_votes_are_few_edits(world: World) -> None:
    world.parts.vote_captions._edits._pace_s = 0.05
    await finished(world)
    message = world.messages()[0]
    before, began = len(world.env.http_requests), asyncio.get_running_loop().time()
    for number in range(30):
        await world.guild.add_member(world.env.create_user(f"fan{number}")).react(message, VOTE_EMOJI[0])
    await until(lambda: world.messages()[0].content == "⭐ 30")
    edits = len([r for r in world.env.http_requests[before:] if r.method == "PATCH"])
    took_s = asyncio.get_running_loop().time() - began
    assert edits <= 2 + took_s / (PACES * 0.05) and edits < 30


async def test_a_message_older_than_an_hour_is_not_edited_for_votes(world: World) -> None:
    await finished(world)
    real = world.parts.votes.clock
    world.parts.votes.clock = lambda: real() + 3601
    await world.bob.react(world.messages()[0], VOTE_EMOJI[0])
    assert await votes(world) == 1
    await world.moderator.react(world.messages()[0], VOTE_EMOJI[0])
    assert not world.messages()[0].content


async def test_a_vote_for_a_message_that_is_deleted_meanwhile_is_harmless(world: World) -> None:
    await finished(world)
    message = world.messages()[0]
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=404, code=10008, times=1)
    await world.bob.react(message, VOTE_EMOJI[0])
    await until(lambda: not world.env.backend.faults)
    assert await votes(world) == 1
