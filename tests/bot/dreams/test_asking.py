"""Asking for a dream, a story, a choice: as a command, a button or a page does, with none of them here."""

import asyncio
from dataclasses import replace

import pytest

from bot.dreams.asking import CandidatesOutOfRange, StoryLength, story
from bot.dreams.dream import What, Who, shared
from bot.dreams.preferences import Preference
from bot.dreams.store import AlreadyStored
from bot.queue.limits import Asker, BannedWords, TooManyWaiting, TooMuch
from bot.queue.turnstile import Crowded
from bot.servers.settings import Allowance
from engine import BadRequest
from tests.bot.dreams.conftest import ALICE, BOB, House


async def test_a_dream_is_stored_as_it_was_asked_for_and_by_whom(house: House, odd: What) -> None:
    asked, who = replace(odd, begin="new", parent_id=None, other_id=None, image_id=None), house.who()
    accepted = await house.asking.ask([asked], who)
    dream = await house.stored(accepted.id)
    assert dream.what == asked and Who(**shared(dream, Who)) == who
    assert not accepted.is_paused


async def test_whoever_asks_learns_their_place_in_line(house: House) -> None:
    first = await house.asked()
    await house.engine.dreams(first.id)
    who = house.who(BOB)
    what = house.asking.usual("a house", who)
    assert (await house.asking.ask([what], who)).place == 1
    assert (await house.asking.ask([what], house.who(BOB))).place == 2
    await house.set(paused=True)
    accepted = await house.asking.ask([what], house.who(BOB))
    assert accepted.is_paused


async def test_who_names_nothing_gets_what_they_prefer_and_a_seed_of_their_own(house: House) -> None:
    preference = Preference(preset="quick", size=512, spoiler=True, language="it", notice="off")
    await house.preferences.put(ALICE, preference)
    usual = house.asking.usual("a house", house.who())
    assert usual == What(
        prompt="a house", seed=usual.seed, model="pocket", preset="quick", size=512, spoiler=True
    )
    assert house.asking.usual("a house", house.who()).seed != usual.seed
    assert house.asking.usual("a house", house.who(BOB)).preset == ""


async def test_a_preferred_size_is_no_demand_but_a_named_one_is(house: House) -> None:
    await house.preferences.put(ALICE, Preference(size=512))
    await house.set(everyone=Allowance(size=256), roles={5: Allowance(size=1024)})
    who = house.who()
    usual = house.asking.usual("a house", who)
    assert usual.size is None
    assert house.asking.usual("a house", who, Asker(roles=frozenset({5}))).size == 512
    with pytest.raises(TooMuch):
        await house.asking.ask([replace(usual, size=512)], who)


@pytest.mark.parametrize("change", [{"prompt": " "}, {"seed": -1}, {"steps": 0}, {"size": 300}])
async def test_what_cannot_be_dreamt_is_refused_and_not_stored(
    house: House, change: dict[str, object]
) -> None:
    who = house.who()
    what = replace(house.asking.usual("a house", who), **change)  # type: ignore[arg-type]
    for ask in (house.asking.check, house.asking.ask):
        with pytest.raises(BadRequest):
            await ask([what], who)
    assert not await house.store.undelivered()


async def test_a_server_s_rules_hold_for_all_chapters(house: House) -> None:
    await house.set(words=("pistol",))
    who = house.who()
    whats = story(house.asking.usual("", who), ["a seed", "a pistol", "a tree"])
    with pytest.raises(BannedWords):
        await house.asking.check(whats, who)
    with pytest.raises(BannedWords):
        await house.asking.ask(whats, who)
    assert not await house.store.undelivered()


async def test_a_story_is_told_in_order_each_chapter_from_the_one_before(house: House) -> None:
    who = house.who()
    whats = story(house.asking.usual("", who), ["a seed", "a tree", "a fire"])
    first = (await house.asking.ask(whats, who)).id
    told = [await house.stored(first + n) for n in range(3)]
    assert [dream.prompt for dream in told] == ["a seed", "a tree", "a fire"]
    assert [(dream.chapter, dream.chapters) for dream in told] == [(1, 3), (2, 3), (3, 3)]
    assert [dream.parent_id for dream in told] == [None, first, first + 1]


@pytest.mark.parametrize("prompts", [[], ["a seed"], ["a seed"] * 7])
def test_a_story_has_some_chapters_and_not_many(prompts: list[str]) -> None:
    with pytest.raises(StoryLength):
        story(What(prompt="", seed=1, model="pocket"), prompts)


async def test_a_choice_is_between_its_beginnings(house: House) -> None:
    who = house.who()
    accepted = await house.asking.ask([house.asking.usual("a house", who)], who, candidates=3)
    assert len(await house.choices.candidates(accepted.id)) == 3


@pytest.mark.parametrize("candidates", [-1, 0, 1, 5])
async def test_a_choice_between_one_or_many_is_none(house: House, candidates: int) -> None:
    who = house.who()
    with pytest.raises(CandidatesOutOfRange):
        await house.asking.ask([house.asking.usual("a house", who)], who, candidates=candidates)


async def test_a_server_may_allow_fewer_beginnings(house: House) -> None:
    await house.set(everyone=Allowance(candidates=2))
    who = house.who()
    with pytest.raises(TooMuch):
        await house.asking.check([house.asking.usual("a house", who)], who, candidates=3)


async def test_asking_twice_with_one_breath_is_one_dream(house: House) -> None:
    who = house.who()
    what = house.asking.usual("a house", who)
    await house.asking.ask([what], who)
    with pytest.raises(AlreadyStored):
        await house.asking.ask([what], who)


async def test_an_image_prompt_is_kept_with_the_dream(house: House) -> None:
    async def fetch() -> bytes:
        return b"a picture"

    who = house.who()
    dream = await house.stored(
        (await house.asking.ask([house.asking.usual("a house", who)], who, fetch=fetch)).id
    )
    assert dream.image_id is not None and await house.store.image(dream.image_id) == b"a picture"


async def test_nothing_is_fetched_for_whoever_may_not_dream(house: House) -> None:
    await house.set(everyone=Allowance(waiting=0))

    async def fetch() -> bytes:
        raise AssertionError

    who = house.who()
    with pytest.raises(TooManyWaiting):
        await house.asking.ask([house.asking.usual("a house", who)], who, fetch=fetch)


async def test_one_person_s_pictures_leave_room_for_others(house: House) -> None:
    fetched = asyncio.Event()

    async def fetch() -> bytes:
        await fetched.wait()
        return b"a picture"

    async def ask(person: int) -> object:
        who = house.who(person)
        return await house.asking.ask([house.asking.usual("a house", who)], who, fetch=fetch)

    asking = [asyncio.create_task(ask(ALICE)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Crowded):
        await ask(ALICE)
    asking.append(asyncio.create_task(ask(BOB)))
    fetched.set()
    assert len({accepted.id for accepted in await asyncio.gather(*asking)}) == 4  # type: ignore[attr-defined]
