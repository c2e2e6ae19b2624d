"""Going on from a dream: what is kept of it, what is new, and where there is nothing to go on from."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from bot.dreams import onward
from bot.dreams.dream import Dream, DreamState, What, Wish
from bot.dreams.onward import NoState, NotOver
from bot.dreams.store import Store
from engine import Recipe
from engine.settings import MAX_PROMPT
from tests.bot.dreams.conftest import House


@pytest.fixture
def dream(odd: What, a_wish: Callable[..., Wish]) -> Dream:
    """One whose every choice was somebody's own."""
    wish = replace(a_wish(), **vars(odd))
    return Dream(**vars(wish), id=9, message_id=None, state=DreamState.DONE, attempts=1, created_at=0.0)


def test_again_is_the_same_with_a_new_seed(dream: Dream) -> None:
    what = onward.again(dream)
    assert what.seed != dream.seed and replace(what, seed=dream.seed) == dream.what


def test_the_very_same_picture_needs_what_it_was_dreamt_with(dream: Dream) -> None:
    assert onward.exact(dream) == dream.what
    recipe = Recipe("the moon", 3, 80, "biggan-deep-256", "biggan", "clip", "0.1.0", {"size": 128.0})
    dreamt = replace(dream, recipe=recipe.to_json())
    assert onward.exact(dreamt) == replace(dream.what, model="biggan-deep-256", steps=80, size=128)


async def test_a_variation_begins_near_the_end_with_a_new_seed(house: House) -> None:
    dream = await house.dreamt(avoid="people", preset="quick")
    what = await onward.varied(dream, store=house.store)
    assert what.seed != dream.seed
    assert what == replace(dream.what, seed=what.seed, begin="vary", parent_id=dream.id, strength=0.5)


async def test_continuing_keeps_all_but_the_beginning(house: House) -> None:
    dream = await house.dreamt(avoid="people", preset="quick", spoiler=True)
    what = await onward.continued(dream, store=house.store)
    assert what == replace(dream.what, begin="continue", parent_id=dream.id)


async def test_other_words_begin_afresh_or_at_the_end(house: House) -> None:
    one = await house.dreamt()
    dream = replace(one, begin="blend", parent_id=5, other_id=6)
    afresh = await onward.reworded(dream, "the sun", "", from_here=False, store=house.store)
    assert afresh == replace(one.what, prompt="the sun", avoid="")
    from_here = await onward.reworded(dream, "the sun", "", from_here=True, store=house.store)
    assert from_here == replace(afresh, begin="continue", parent_id=one.id)


async def test_a_blend_hides_what_one_of_both_hides(house: House) -> None:
    one, other = await house.dreamt("the moon", avoid="people"), await house.dreamt("the sun", spoiler=True)
    what = await onward.blended(one, other, None, share=0.3, store=house.store)
    assert what == replace(
        one.what,
        prompt="the moon | the sun",
        seed=what.seed,
        begin="blend",
        parent_id=one.id,
        other_id=other.id,
        strength=0.3,
        spoiler=True,
    )
    assert (await onward.blended(one, other, "dusk", share=7.0, store=house.store)).strength == 1.0


async def test_words_too_many_for_one_prompt_are_the_first_dream_s(house: House) -> None:
    one, other = await house.dreamt("a" * MAX_PROMPT), await house.dreamt("the sun")
    what = await onward.blended(one, other, None, share=0.5, store=house.store)
    assert what.prompt == one.prompt
    assert (await onward.blended(other, other, None, share=0.5, store=house.store)).prompt == "the sun"


async def test_what_was_gone_on_with_is_dreamt(house: House) -> None:
    dream = await house.dreamt()
    what = await onward.continued(dream, store=house.store)
    accepted = await house.asking.ask([what], house.who())
    await house.engine.dreams(accepted.id)
    request = house.engine.requests[-1]
    assert (request.begin, request.state) == ("continue", f"end of {dream.id}".encode())


GOING_ON: dict[str, Callable[[Dream, Store], Awaitable[What]]] = {
    "varied": lambda dream, store: onward.varied(dream, store=store),
    "continued": lambda dream, store: onward.continued(dream, store=store),
    "blended": lambda dream, store: onward.blended(dream, dream, None, share=0.5, store=store),
}


@pytest.mark.parametrize("way", GOING_ON)
async def test_nothing_goes_on_from_where_no_dream_ended(house: House, way: str) -> None:
    dream = await house.asked()
    assert not await onward.can_go_on(dream, store=house.store)
    with pytest.raises(NotOver):
        await GOING_ON[way](dream, house.store)
    await house.engine.dreams(dream.id)
    house.engine.finish()
    dream = await house.rig.until(dream.id, DreamState.DONE)
    assert await onward.can_go_on(dream, store=house.store)
    await house.store.drop_state(dream.id)
    with pytest.raises(NoState):
        await GOING_ON[way](dream, house.store)
    with pytest.raises(NoState):
        await onward.reworded(dream, "the sun", "", from_here=True, store=house.store)
