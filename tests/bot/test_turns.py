"""Whose turn it is: fair between people, first come first served for each, nobody waits for ever."""

import asyncio
from collections import Counter
from random import Random

import pytest

from bot.turns import Turn, Turns


def line(*people: int) -> Turns:
    """Dreams 1, 2, 3 … of these people, in this order."""
    turns = Turns()
    for dream_id, person in enumerate(people, start=1):
        turns.put_nowait(Turn(dream_id, person))
    return turns


def drained(turns: Turns) -> list[int]:
    return [turns.get_nowait().dream_id for _ in range(turns.qsize())]


def test_one_person_is_served_in_order() -> None:
    assert drained(line(7, 7, 7)) == [1, 2, 3]


def test_people_alternate_whoever_came_with_more() -> None:
    assert drained(line(1, 1, 1, 1, 2, 2, 3)) == [1, 5, 7, 2, 6, 3, 4]


def test_a_flood_delays_only_the_flooder() -> None:
    turns = line(*[1] * 100)
    assert [turns.get_nowait().dream_id for _ in range(10)] == list(range(1, 11))
    turns.put_nowait(Turn(999, 2))
    assert turns.places()[999] == 1


def test_coming_back_at_once_does_not_jump_the_line() -> None:
    turns = line(1, 2)
    assert turns.get_nowait().dream_id == 1
    turns.put_nowait(Turn(3, 1))
    turns.put_nowait(Turn(4, 3))
    assert drained(turns) == [2, 4, 3]


def test_a_dream_is_in_line_once() -> None:
    turns = line(1)
    turns.put_nowait(Turn(1, 1))
    assert turns.qsize() == 1


def test_removing_closes_the_gap() -> None:
    turns = line(1, 1, 2, 2)
    assert turns.remove(1) and not turns.remove(1) and not turns.remove(99)
    assert turns.places() == {2: 1, 3: 2, 4: 3}
    assert turns.waiting(1) == 1 and 1 not in turns and 2 in turns
    assert drained(turns) == [2, 3, 4]


def test_an_empty_line_gives_nothing() -> None:
    turns = line(1)
    turns.remove(1)
    with pytest.raises(asyncio.QueueEmpty):
        turns.get_nowait()


async def test_a_waiting_worker_wakes_when_a_dream_comes() -> None:
    turns = Turns()
    waiting = asyncio.create_task(turns.get())
    await asyncio.sleep(0)
    turns.put_nowait(Turn(5, 1))
    assert (await waiting).dream_id == 5


async def test_a_worker_woken_for_a_dream_that_left_waits_on() -> None:
    turns = Turns()
    waiting = asyncio.create_task(turns.get())
    await asyncio.sleep(0)
    turns.put_nowait(Turn(5, 1))
    turns.remove(5)
    await asyncio.sleep(0)
    assert not waiting.done()
    turns.put_nowait(Turn(6, 1))
    assert (await waiting).dream_id == 6


@pytest.mark.parametrize("seed", range(20))
def test_whatever_comes_nobody_is_passed_twice_and_places_come_true(seed: int) -> None:
    """Random comings and goings. While a person waits, nobody else gets two turns more than they do."""
    random = Random(seed)
    turns = Turns()
    owner: dict[int, int] = {}
    since: dict[int, Counter[int]] = {}  # a person who waits → turns that others got since their last one
    for dream_id in range(400):
        if random.random() < 0.55:
            person = random.choice([1, 1, 1, 1, 2, 3, 4, 5])
            owner[dream_id] = person
            turns.put_nowait(Turn(dream_id, person))
            since.setdefault(person, Counter())
        elif turns.qsize():
            expected = turns.order()[0]
            places = turns.places()
            turn = turns.get_nowait()
            assert turn == expected and places[turn.dream_id] == 1
            mine = [d for d, p in owner.items() if p == turn.person and (d in turns or d == turn.dream_id)]
            assert turn.dream_id == min(mine), "each person's dreams keep their order"
            for person, counts in since.items():
                if person != turn.person and turns.waiting(person):
                    counts[turn.person] += 1
                    assert counts[turn.person] <= 2
            since[turn.person] = Counter()
    assert sorted(turns.places().values()) == list(range(1, turns.qsize() + 1))


def test_two_hundred_people_and_a_thousand_dreams_are_served_round_by_round() -> None:
    random = Random(0)
    people = [random.randrange(200) for _ in range(1000)]
    served = Counter[int]()
    turns = line(*people)
    waiting = Counter(people)
    for dream_id in drained(turns):
        person = people[dream_id - 1]
        others = [served[p] for p, left in waiting.items() if left and p != person]
        assert not others or served[person] <= min(others)
        served[person] += 1
        waiting[person] -= 1
