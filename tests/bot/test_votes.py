"""Which reactions are votes, and under what."""

from collections.abc import Callable

import pytest

from bot.dreams import Wish
from bot.guilds import VOTE_EMOJI
from bot.store import Store
from bot.votes import Votes, is_vote


@pytest.mark.parametrize("emoji", [*VOTE_EMOJI, "❤", "❤\ufe0f"])
def test_a_heart_is_a_vote_however_a_client_writes_it(emoji: str) -> None:
    assert is_vote(emoji)


@pytest.mark.parametrize("emoji", ["🍕", "", "<:star:5>", "💔"])
def test_other_emoji_are_no_votes(emoji: str) -> None:
    assert not is_vote(emoji)


async def test_both_ways_to_write_a_heart_are_the_same_reaction(
    store: Store, a_wish: Callable[..., Wish]
) -> None:
    votes = Votes(store=store)
    dream = await store.add(a_wish(author_id=1))
    await store.set_message(dream.id, 500)
    await votes.add(message_id=500, person=2, is_bot=False, emoji="❤\ufe0f")
    assert await votes.tally(dream.id) == 1
    await votes.remove(message_id=500, person=2, emoji="❤")
    assert await votes.tally(dream.id) == 0


async def test_what_happens_under_other_messages_is_ignored(store: Store) -> None:
    votes = Votes(store=store)
    await votes.add(message_id=1, person=2, is_bot=False, emoji="⭐")
    await votes.remove(message_id=1, person=2, emoji="⭐")
    await votes.remove(message_id=1)


async def test_a_recount_leaves_out_the_author_and_other_emoji(
    store: Store, a_wish: Callable[..., Wish]
) -> None:
    votes = Votes(store=store)
    dream = await store.add(a_wish(author_id=1))
    await votes.replace(dream, [(1, "⭐"), (2, "⭐"), (2, "❤"), (3, "🍕")])
    assert await votes.tally(dream.id) == 1
