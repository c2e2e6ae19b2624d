"""Which reactions are votes, and under what."""

from collections.abc import Callable

import pytest

from bot.dreams import Wish
from bot.guilds import VOTE_EMOJI, ServerSettings
from bot.store import Store
from bot.votes import Votes


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
    await votes.remove(message_id=500, guild_id=1, person=2, emoji="❤")
    assert await votes.tally(dream.id) == 0


async def test_what_happens_under_other_messages_is_ignored(store: Store) -> None:
    votes = Votes(store=store, settings=settings)
    await votes.add(message_id=1, guild_id=1, person=2, is_bot=False, emoji="⭐")
    await votes.remove(message_id=1, guild_id=1, person=2, emoji="⭐")
    await votes.remove(message_id=1, guild_id=1)


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
    await votes.remove(message_id=500, guild_id=1)
    assert heard == [(dream.id, 1), (dream.id, 2), (dream.id, 0)]
