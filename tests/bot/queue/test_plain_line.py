"""The line that answers at once answers what the plain rule says, whatever happened before."""

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from bot.queue import fair_queue, lane
from bot.queue.fair_queue import Turns
from bot.queue.lane import Turn
from tests.bot.queue.plain_line import PlainLine

PEOPLE, SERVERS = range(4), range(1, 5)


class Both:
    """The line and the plain one, to which the same happens."""

    def __init__(self) -> None:
        self.turns, self.plain = Turns(), PlainLine()
        self._ids = iter(range(1, 10**6))

    def put(self, person: int, server: int) -> None:
        turn = Turn(next(self._ids), person, server)
        self.turns.put_nowait(turn)
        self.plain.put(turn)

    def get(self) -> None:
        if not self.turns.empty():
            turn = self.turns.get_nowait()
            assert turn == self.plain.order()[0]
            self.plain.serve(turn.dream_id)

    def some(self, number: int) -> int | None:
        waiting = list(self.plain.turns)
        return waiting[number % len(waiting)] if waiting else None

    def do(self, what: str, number: int) -> None:
        """To one of those who wait."""
        if (dream_id := self.some(number)) is not None:
            if what == "serve":
                self.turns.serve(dream_id)
                self.plain.serve(dream_id)
            elif what == "remove":
                assert self.turns.remove(dream_id)
                self.plain.remove(dream_id)
            else:
                assert self.turns.move_to_front(dream_id)
                self.plain.to_front(dream_id)

    def put_back(self) -> None:
        if not self.turns.empty():
            turn = self.turns.get_nowait()
            self.plain.serve(turn.dream_id)
            self.turns.put_back(turn)
            self.plain.put(turn)
            self.plain.to_front(turn.dream_id)

    def hold(self, server: int) -> None:
        if server in self.plain.held:
            self.turns.release(server)
            self.plain.held.discard(server)
        else:
            self.turns.hold(server)
            self.plain.held.add(server)

    def compare(self) -> None:
        order = self.plain.order()
        assert self.turns.order() == order
        assert self.turns.order(3) == order[:3]
        assert self.turns.qsize() == len(order)
        places = {turn.dream_id: place for place, turn in enumerate(order, start=1)}
        assert self.turns.places() == places
        assert all(self.turns.place(id) == places.get(id) for id in self.plain.turns)
        for server in SERVERS:
            theirs = self.plain.order_of(server)
            assert self.turns.order_of(server) == theirs
            assert self.turns.order_of(server, 2) == theirs[:2]
            assert self.turns.waiting(server=server) == len(theirs)
            for person in PEOPLE:
                own = sum(turn.person == person for turn in theirs)
                assert self.turns.waiting(server=server, person=person) == own
        for person in PEOPLE:
            in_all = sum(turn.person == person for turn in self.plain.turns.values())
            assert self.turns.waiting(person=person) == in_all
        assert self.turns.waiting() == len(self.turns.dreams()) == len(self.plain.turns)


@pytest.fixture(params=[(1, 0), (2, 3), (fair_queue.NEAR, lane.SHIFTED)], ids=str, autouse=True)
def limits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Also with limits that few dreams exceed."""
    near, shifted = request.param
    monkeypatch.setattr(fair_queue, "NEAR", near)
    monkeypatch.setattr(lane, "SHIFTED", shifted)
    return


NUMBER = some.integers(0, 10**6)
STEP = some.one_of(
    some.tuples(some.just("put"), some.sampled_from(PEOPLE), some.sampled_from(SERVERS)),
    some.tuples(some.just("put"), some.just(1), some.just(1)),
    some.tuples(some.just("get")),
    some.tuples(some.sampled_from(["serve", "remove", "front"]), NUMBER),
    some.tuples(some.just("back")),
    some.tuples(some.just("hold"), some.sampled_from(SERVERS)),
    some.tuples(some.just("compare")),
)


def _live(both: Both, step: tuple[str | int, ...]) -> None:
    match step:
        case ("put", int(person), int(server)):
            both.put(person, server)
        case ("get",):
            both.get()
        case ("back",):
            both.put_back()
        case ("hold", int(server)):
            both.hold(server)
        case ("compare",):
            both.compare()
        case (str(what), int(number)):
            both.do(what, number)


@given(steps=some.lists(STEP, max_size=60))
@settings(deadline=None)
def test_whatever_happens_the_line_is_as_the_plain_rule_says(steps: list[tuple[str | int, ...]]) -> None:
    both = Both()
    for step in steps:
        _live(both, step)
    both.compare()
    while not both.turns.empty():
        both.get()
    both.compare()


@pytest.mark.parametrize("seed", range(4))
def test_a_long_line_is_as_the_plain_rule_says(seed: int) -> None:
    random = Random(seed)
    both = Both()
    for step in range(700):
        chance = random.random()
        if chance < 0.6:
            person = random.choice([0, 0, 0, 1, 2, random.randrange(50)])
            both.put(person, random.choice([1, 1, 1, 2, 3, random.randrange(9, 40)]))
        elif chance < 0.8:
            both.get()
        elif chance < 0.95:
            both.do(random.choice(["remove", "remove", "front", "serve"]), random.randrange(10**6))
        elif chance < 0.97:
            both.put_back()
        else:
            both.hold(random.choice(SERVERS))
        if step % 70 == 0:
            both.compare()
    both.compare()
