"""Which reactions are votes, and under what."""

import asyncio
from collections.abc import Callable

import pytest

from bot.community.votes import Votes
from bot.dreams.dream import Dream, Wish
from bot.dreams.store import Store
from bot.servers.settings import VOTE_EMOJI, ServerSettings


def settings(guild_id: int | None) -> ServerSettings:
    return ServerSettings()


@pytest.mark.parametrize("emoji", [*VOTE_EMOJI, "❤", "❤\ufe0f"])
def test_a_heart_is_a_vote_however_a_client_writes_it(store: Store, emoji: str) -> None:
    assert Votes(store=store, settings=settings).are(emoji, 1)


@pytest.mark.parametrize("emoji", ["🍕", "", "<:star:5>", "💔"])
def test_other_emoji_are_no_votes(store: Store, emoji: str) -> None:
    assert not Votes(store=store, settings=settings).are(emoji, 1)


def test_a_server_has_its_own_emoji_whatever_they_are_called_by_now(store: Store) -> None:
    own = ServerSettings(vote_emoji=("<a:cherry:55>", "🍒"))
    votes = Votes(store=store, settings=lambda guild_id: own if guild_id == 7 else ServerSettings())
    assert votes.are("<:cherries:55>", 7) and votes.are("🍒", 7)
    assert not votes.are("⭐", 7) and not votes.are("<:cherry:56>", 7)
    assert votes.are("⭐", 8) and not votes.are("🍒", None)


async def test_both_ways_to_write_a_heart_are_the_same_reaction(
    store: Store, a_wish: Callable[..., Wish]
) -> None:
    votes = Votes(store=store, settings=settings)
    dream = await store.add(a_wish(author_id=1))
    await store.set_message(dream.id, 500)
    await votes.add(message_id=500, guild_id=1, person=2, is_bot=False, emoji="❤\ufe0f")
    assert await votes.tally(dream.id) == 1
    await votes.remove(message_id=500, person=2, emoji="❤")
    assert await votes.tally(dream.id) == 0


async def test_what_happens_under_other_messages_is_ignored(store: Store) -> None:
    votes = Votes(store=store, settings=settings)
    await votes.add(message_id=1, guild_id=1, person=2, is_bot=False, emoji="⭐")
    await votes.remove(message_id=1, person=2, emoji="⭐")
    await votes.remove(message_id=1)


async def test_a_recount_leaves_out_the_author_and_other_emoji(
    store: Store, a_wish: Callable[..., Wish]
) -> None:
    votes = Votes(store=store, settings=settings)
    dream = await store.add(a_wish(author_id=1))
    await votes.replace(dream, [(1, "⭐"), (2, "⭐"), (2, "❤"), (3, "🍕")])
    assert await votes.tally(dream.id) == 1


async def test_who_listens_hears_only_of_tallies_that_changed(
    store: Store, a_wish: Callable[..., Wish]
) -> None:
    votes = Votes(store=store, settings=settings)
    heard: list[tuple[int, int]] = []
    votes.on_change.append(lambda dream, tally: heard.append((dream.id, tally)))
    dream = await store.add(a_wish(author_id=1))
    await store.set_message(dream.id, 500)
    for emoji in VOTE_EMOJI:
        await votes.add(message_id=500, guild_id=1, person=2, is_bot=False, emoji=emoji)
    await votes.replace(dream, [(2, "⭐")])
    await votes.replace(dream, [(2, "⭐"), (3, "⭐")])
    await votes.remove(message_id=500)
    assert heard == [(dream.id, 1), (dream.id, 2), (dream.id, 0)]


async def hung(store: Store, wish: Wish, own: int = 500, gallery: int = 600) -> Dream:
    """A dream with a copy in a gallery."""
    dream = await store.add(wish)
    await store.set_message(dream.id, own)
    await store.set_gallery(dream.id, 9, gallery)
    return dream


async def test_a_person_counts_once_wherever_and_however_they_vote(
    store: Store, a_wish: Callable[..., Wish]
) -> None:
    votes = Votes(store=store, settings=lambda guild_id: ServerSettings(vote_emoji=("👍", "⭐")))
    dream = await hung(store, a_wish(author_id=1))
    given = [
        {"message_id": message, "emoji": emoji, "burst": burst}
        for message in (500, 600)
        for emoji in ("👍", "👍🏽", "👍🏿", "⭐")
        for burst in (False, True)
    ]
    for one in given:
        await votes.add(guild_id=1, person=2, is_bot=False, **one)
        await votes.add(guild_id=1, person=1, is_bot=False, **one)  # the dreamer
        await votes.add(guild_id=1, person=3, is_bot=True, **one)
        assert await votes.tally(dream.id) == 1
    for left, one in reversed(list(enumerate(given))):
        await votes.remove(person=2, **one)
        assert await votes.tally(dream.id) == (1 if left else 0), "while one stays the vote stays"


async def test_clearing_a_copy_leaves_what_stands_under_the_dream(
    store: Store, a_wish: Callable[..., Wish]
) -> None:
    votes = Votes(store=store, settings=settings)
    dream = await hung(store, a_wish(author_id=1))
    for person, message in ((2, 500), (2, 600), (3, 600)):
        await votes.add(message_id=message, guild_id=1, person=person, is_bot=False, emoji="⭐")
    await votes.remove(message_id=600, emoji="⭐")
    assert await votes.tally(dream.id) == 1
    await votes.remove(message_id=500)
    assert await votes.tally(dream.id) == 0


async def test_a_recount_of_one_message_leaves_the_votes_of_the_others(
    store: Store, a_wish: Callable[..., Wish]
) -> None:
    votes = Votes(store=store, settings=settings)
    dream = await hung(store, a_wish(author_id=1))
    await votes.replace(dream, [(2, "⭐"), (3, "⭐", True)], copy_id=0)
    await votes.replace(dream, [(3, "⭐"), (4, "❤")], copy_id=600)
    assert await votes.tally(dream.id) == 3
    await votes.replace(dream, [], copy_id=0)
    assert await votes.tally(dream.id) == 2


async def test_what_happens_while_reactions_are_read_is_newer_than_what_was_read(
    store: Store, a_wish: Callable[..., Wish]
) -> None:
    votes = Votes(store=store, settings=settings)
    dream = await hung(store, a_wish(author_id=1))
    await votes.replace(dream, [(2, "⭐")], copy_id=0)
    async with votes.reading(500) as reading:
        await votes.remove(message_id=500, person=2, emoji="⭐")
        await votes.add(message_id=500, guild_id=1, person=3, is_bot=False, emoji="⭐")
        await votes.replace(dream, [(2, "⭐"), (4, "⭐")], copy_id=0, reading=reading)
    assert await votes.tally(dream.id) == 2, "3's and 4's; 2's was taken back after it was read"
    async with votes.reading(500) as reading:
        await votes.remove(message_id=500)
        await votes.replace(dream, [(2, "⭐"), (4, "⭐")], copy_id=0, reading=reading)
    assert await votes.tally(dream.id) == 0


async def test_two_who_read_the_same_reactions_do_so_one_after_the_other(
    store: Store, a_wish: Callable[..., Wish]
) -> None:
    votes = Votes(store=store, settings=settings)
    dream = await hung(store, a_wish(author_id=1))
    standing: list[tuple[int, str]] = []

    async def read() -> None:
        async with votes.reading(500) as reading:
            found = list(standing)
            await asyncio.sleep(0.01)
            await votes.replace(dream, found, copy_id=0, reading=reading)

    first = asyncio.create_task(read())
    await asyncio.sleep(0.005)
    second = asyncio.create_task(read())
    await asyncio.sleep(0)
    standing.append((3, "⭐"))
    await votes.add(message_id=500, guild_id=1, person=3, is_bot=False, emoji="⭐")
    await asyncio.gather(first, second)
    assert await votes.tally(dream.id) == 1
    async with votes.reading(500):
        pass  # nobody is left who reads


async def test_a_vote_stays_one_after_the_server_chose_other_emoji_until_it_is_taken_back(
    store: Store, a_wish: Callable[..., Wish]
) -> None:
    now = [ServerSettings(vote_emoji=("⭐",))]
    votes = Votes(store=store, settings=lambda guild_id: now[0])
    dream = await store.add(a_wish(author_id=1))
    await store.set_message(dream.id, 500)
    for person in (2, 3):
        await votes.add(message_id=500, guild_id=1, person=person, is_bot=False, emoji="⭐")
    now[0] = ServerSettings(vote_emoji=("🍒",))
    await votes.add(message_id=500, guild_id=1, person=4, is_bot=False, emoji="⭐")
    assert await votes.tally(dream.id) == 2, "a star is no vote any more"
    await votes.replace(dream, [(2, "⭐"), (3, "⭐"), (5, "🍒"), (6, "🍕")], copy_id=0)
    assert await votes.tally(dream.id) == 3, "a recount loses none"
    await votes.remove(message_id=500, person=2, emoji="⭐")
    assert await votes.tally(dream.id) == 2
