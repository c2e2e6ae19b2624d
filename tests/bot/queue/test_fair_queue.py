"""Whose turn it is: fair between servers and people, first come first served for each, no endless wait."""

import asyncio
from collections import Counter
from random import Random

import pytest

from bot.queue.fair_queue import Past, Turns
from bot.queue.lane import Turn


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
    assert turns.waiting(person=1) == 1 and 1 not in turns and 2 in turns
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
            assert {id: turns.place(id) for id in turns.dreams()} == {
                id: places.get(id) for id in turns.dreams()
            }
            turn = turns.get_nowait()
            assert turn == expected and places[turn.dream_id] == 1
            mine = [d for d, p in owner.items() if p == turn.person and (d in turns or d == turn.dream_id)]
            assert turn.dream_id == min(mine), "each person's dreams keep their order"
            for person, counts in since.items():
                if person != turn.person and turns.waiting(person=person):
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


def crowd(*who: tuple[int, int]) -> Turns:
    """Dreams 1, 2, 3 … of these (server, person), in this order."""
    turns = Turns()
    for dream_id, (server, person) in enumerate(who, start=1):
        turns.put_nowait(Turn(dream_id, person, server))
    return turns


def test_servers_alternate_and_in_each_its_people() -> None:
    turns = crowd((1, 10), (1, 10), (1, 11), (1, 10), (2, 20), (2, 20), (3, 30))
    assert [turn.dream_id for turn in turns.order()] == [1, 5, 7, 3, 6, 2, 4]
    assert drained(turns) == [1, 5, 7, 3, 6, 2, 4]


def test_a_flooding_server_delays_only_itself() -> None:
    turns = crowd(*[(1, person) for person in range(100)])
    for _ in range(10):
        turns.get_nowait()
    turns.put_nowait(Turn(999, 500, 2))
    assert turns.places()[999] == 1


def test_one_person_in_two_servers_has_a_place_in_each() -> None:
    turns = crowd((1, 10), (1, 11), (2, 10))
    assert turns.waiting() == 3 and turns.waiting(person=10) == 2
    assert turns.waiting(person=10, server=1) == 1 and turns.waiting(server=1) == 2
    assert drained(turns) == [1, 3, 2]


def test_a_dream_moved_to_the_front_is_its_server_s_next_and_no_other_server_s() -> None:
    turns = crowd((1, 10), (1, 11), (1, 12), (2, 20))
    assert turns.get_nowait().dream_id == 1
    assert turns.move_to_front(3) and not turns.move_to_front(1)
    assert [turn.dream_id for turn in turns.order()] == [4, 3, 2]
    assert [turn.dream_id for turn in turns.order_of(1)] == [3, 2]
    assert drained(turns) == [4, 3, 2]


def test_who_is_moved_to_the_front_pays_with_their_next_turn() -> None:
    turns = crowd((1, 10), (1, 10), (1, 10), (1, 11), (1, 11))
    turns.move_to_front(3)
    assert [turn.dream_id for turn in turns.order()] == [3, 4, 1, 5, 2]
    assert drained(turns) == [3, 4, 1, 5, 2]


def test_the_last_one_moved_to_the_front_is_first_and_can_be_withdrawn() -> None:
    turns = crowd((1, 10), (1, 11), (1, 12))
    turns.move_to_front(2)
    turns.move_to_front(3)
    assert [turn.dream_id for turn in turns.order()] == [3, 2, 1]
    assert turns.remove(3) and drained(turns) == [2, 1]


async def test_a_held_server_waits_and_the_others_go_on() -> None:
    turns = crowd((1, 10), (2, 20), (1, 11))
    turns.hold(1)
    turns.put_nowait(Turn(4, 12, 1))
    assert turns.is_held(1) and turns.places() == {2: 1} and turns.waiting() == 4
    assert drained(turns) == [2]
    waiting = asyncio.create_task(turns.get())
    await asyncio.sleep(0)
    assert not waiting.done()
    assert [turn.dream_id for turn in turns.order_of(1)] == [1, 3, 4]
    turns.release(1)
    assert (await waiting).dream_id == 1
    assert drained(turns) == [3, 4]


def test_a_turn_that_came_to_nothing_is_the_next_again() -> None:
    turns = crowd((1, 10), (1, 11), (1, 10))
    turns.put_back(turns.get_nowait())
    assert turns.order()[0].dream_id == 1


@pytest.mark.parametrize("seed", range(20))
async def test_a_line_rebuilt_after_a_restart_goes_on_as_if_there_had_been_none(seed: int) -> None:
    random = Random(seed)
    turns = Turns()
    history: dict[int, Past] = {}
    for now in range(300):
        chance = random.random()
        if chance < 0.5:
            person = random.choice([1, 1, 1, 2, 3, 4, 5])
            turn = Turn(now, person, random.choice([1, 1, 1, 2, 3]))
            turns.put_nowait(turn)
            history[now] = Past(turn, now, None, None)
        elif turns.waiting():
            if chance < 0.55:
                dream_id = random.choice(sorted(turns.dreams()))
                turns.move_to_front(dream_id)
                history[dream_id] = Past(history[dream_id].turn, history[dream_id].asked_at, now, None)
            elif chance < 0.6:
                dream_id = random.choice(sorted(turns.dreams()))
                turns.remove(dream_id)
                del history[dream_id]  # it cost nobody anything
            else:
                past = history[turns.get_nowait().dream_id]
                history[past.turn.dream_id] = Past(past.turn, past.asked_at, past.moved_at, now)
    rebuilt = Turns()
    await rebuilt.rebuild(history.values())
    assert rebuilt.order() == turns.order()
    for newcomer in range(1000, 1010):
        turn = Turn(newcomer, random.choice([1, 2, 3, 6]), random.choice([1, 2, 3, 4]))
        turns.put_nowait(turn)
        rebuilt.put_nowait(turn)
    assert drained(rebuilt) == drained(turns)


@pytest.mark.parametrize("seed", range(20))
def test_places_come_true_among_many_servers(seed: int) -> None:
    """While a server waits, no other gets two turns more than it does; an order that is told is kept."""
    random = Random(seed)
    turns = Turns()
    since: dict[int, Counter[int]] = {}
    for dream_id in range(400):
        if random.random() < 0.55:
            turn = Turn(dream_id, random.randrange(6), random.choice([1, 1, 1, 1, 2, 3, 4]))
            turns.put_nowait(turn)
            since.setdefault(turn.server, Counter())
        elif turns.qsize():
            expected = turns.order()[0]
            turn = turns.get_nowait()
            assert turn == expected
            for server, counts in since.items():
                if server != turn.server and turns.waiting(server=server):
                    counts[turn.server] += 1
                    assert counts[turn.server] <= 2
            since[turn.server] = Counter()
    told = [turn.dream_id for turn in turns.order()]
    assert drained(turns) == told
