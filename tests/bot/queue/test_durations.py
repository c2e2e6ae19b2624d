"""How long dreams take: measured on this machine, kept over restarts, and never guessed."""

from dataclasses import replace

import pytest

from bot.database.connection import Database
from bot.dreams.dream import Dream, DreamState
from bot.queue.durations import (
    KEPT,
    Occupancy,
    Pace,
    Paces,
    Stopwatch,
    crowd,
)
from bot.queue.lane import Turn
from bot.queue.positions import DRIFT_S, QueuePosition, positions
from engine import EMBEDDED, Progress, panels, usual_steps

assert EMBEDDED.prior is not None
POCKET = EMBEDDED.prior

DREAM = Dream(
    id=1, prompt="a house", seed=7, steps=None, model="auto", author_id=11, guild_id=1, channel_id=2,
    origin=3, message_id=None, state=DreamState.QUEUED, attempts=0, created_at=0.0,
)  # fmt: skip
PACE = Pace(model="auto", preset="", steps=60, usual=True, lead_s=2.0, step_s=0.1)


async def paces_of(database: Database, machine: str = "this one") -> Paces:
    paces = Paces(database=database, machine=machine)
    await paces.start()
    return paces


async def test_without_a_measurement_nothing_is_promised(database: Database) -> None:
    paces = await paces_of(database)
    assert paces.seconds(DREAM) is None
    await paces.keep(PACE)
    assert paces.seconds(replace(DREAM, preset="thorough")) is None
    assert paces.seconds(replace(DREAM, model="biggan-deep-512")) is None


async def test_a_dream_takes_what_those_like_it_took(database: Database) -> None:
    paces = await paces_of(database)
    for lead_s in (2.0, 30.0, 3.0):  # once the models had to be loaded
        await paces.keep(replace(PACE, lead_s=lead_s))
    assert paces.seconds(DREAM) == pytest.approx(3.0 + 60 * 0.1)
    assert paces.seconds(replace(DREAM, steps=100)) == pytest.approx(3.0 + 100 * 0.1)


async def test_the_usual_steps_are_known_only_from_a_dream_that_named_none(database: Database) -> None:
    paces = await paces_of(database)
    await paces.keep(replace(PACE, usual=False, steps=500))
    assert paces.seconds(DREAM) is None and paces.seconds(replace(DREAM, steps=10)) == pytest.approx(3.0)


async def test_paces_outlive_a_restart_but_not_a_move(database: Database) -> None:
    before = await paces_of(database)
    for lead_s in range(3 * KEPT):
        await before.keep(replace(PACE, lead_s=float(lead_s)))
    after = await paces_of(database)
    assert after.seconds(DREAM) == before.seconds(DREAM) == pytest.approx(2.5 * KEPT - 0.5 + 6.0)
    assert (await paces_of(database, "another one")).seconds(DREAM) is None
    async with database.transaction() as connection:
        rows = await connection.exec_driver_sql("SELECT count(*) FROM paces")
        assert rows.scalar() == KEPT


def line(*people: int) -> tuple[list[Turn], dict[int, Dream]]:
    turns = [Turn(number, person, 1) for number, person in enumerate(people, start=1)]
    return turns, {t.dream_id: replace(DREAM, id=t.dream_id, author_id=t.person) for t in turns}


def test_everybody_in_line_learns_who_is_before_and_when() -> None:
    order, dreams = line(11, 12, 11)
    found = positions(
        order, dreams, running=[replace(DREAM, author_id=13)], free=[105.0], seconds=lambda _: 10.0
    )
    assert found == {
        1: QueuePosition(1, (13,), 0, 115.0),
        2: QueuePosition(2, (13, 11), 0, 125.0),
        3: QueuePosition(3, (13, 12), 0, 135.0),
    }


def test_many_people_before_are_counted_not_named() -> None:
    order, dreams = line(*range(20))
    found = positions(order, dreams, running=[], free=[0.0], seconds=lambda _: 1.0)
    assert found[20] == QueuePosition(20, (0, 1, 2, 3, 4), 14, 20.0)


def test_one_unknown_dream_makes_all_behind_it_unknown() -> None:
    order, dreams = line(11, 12, 13)
    known = {1: 10.0, 2: None, 3: 10.0}
    found = positions(order, dreams, running=[], free=[0.0], seconds=lambda d: known[d.id])
    assert [found[n].ready_at for n in (1, 2, 3)] == [10.0, None, None]
    stuck = positions(order, dreams, running=[DREAM], free=[None], seconds=lambda _: 1.0)
    assert stuck[1].ready_at is None


def test_each_begins_as_soon_as_one_of_several_engines_is_free() -> None:
    order, dreams = line(11, 12, 13, 14)
    running = [replace(DREAM, author_id=15), replace(DREAM, author_id=16)]
    takes = {1: 10.0, 2: 50.0, 3: 10.0, 4: 10.0}
    found = positions(order, dreams, running=running, free=[105.0, 100.0], seconds=lambda d: takes[d.id])
    assert [found[n].ready_at for n in (1, 2, 3, 4)] == [110.0, 155.0, 120.0, 130.0]
    assert found[1].before == (15, 16)


def test_an_engine_of_which_nothing_is_known_is_not_counted_on() -> None:
    order, dreams = line(11, 12, 13)
    known = {1: 10.0, 2: None, 3: 10.0}
    found = positions(order, dreams, running=[DREAM], free=[None, 100.0], seconds=lambda _: 10.0)
    assert [found[n].ready_at for n in (1, 2, 3)] == [110.0, 120.0, 130.0]
    found = positions(order, dreams, running=[], free=[100.0, 100.0], seconds=lambda d: known[d.id])
    assert [found[n].ready_at for n in (1, 2, 3)] == [110.0, None, 120.0]


def test_while_no_engine_can_dream_nothing_is_promised() -> None:
    order, dreams = line(11)
    found = positions(order, dreams, running=[], free=[], seconds=lambda _: 10.0)
    assert found[1] == QueuePosition(1)


def test_only_a_change_that_matters_is_worth_an_edit() -> None:
    shown = QueuePosition(2, (11,), 0, 1000.0)
    assert not shown.differs(replace(shown, ready_at=1000.0 + DRIFT_S), now=990.0)
    assert shown.differs(replace(shown, ready_at=1000.0 + 2 * DRIFT_S), now=990.0)
    assert not shown.differs(replace(shown, ready_at=1100.0), now=0.0), "a tenth of the wait"
    assert shown.differs(replace(shown, place=1), now=0.0)
    assert shown.differs(replace(shown, ready_at=None), now=0.0)


def test_people_of_other_servers_and_of_channels_that_are_not_named_are_counted() -> None:
    order, dreams = line(11, 12, 13, 14)
    dreams[1] = replace(dreams[1], guild_id=99)
    dreams[2] = replace(dreams[2], channel_id=77)
    asked = []

    def names(reader: Dream, other: Dream) -> bool:
        asked.append((reader.channel_id, other.channel_id))
        return other.channel_id != 77

    running = [replace(DREAM, author_id=15, guild_id=99)]
    found = positions(order, dreams, running=running, free=[None], seconds=lambda _: 1.0, names=names)
    assert [(found[n].before, found[n].others) for n in (1, 2, 3, 4)] == [
        ((15,), 0),
        ((), 2),
        ((), 3),
        ((13,), 3),
    ]
    assert len(asked) == len(set(asked)), "permissions take their time, and lines are long"


def test_somebody_is_named_who_dreams_here_too() -> None:
    order, dreams = line(11, 11, 12)
    dreams[1] = replace(dreams[1], guild_id=99)
    found = positions(order, dreams, running=[], free=[0.0], seconds=lambda _: 1.0)
    assert (found[3].before, found[3].others) == ((11,), 0)


class Machine:
    """Dreams by a simulated clock: so many times slower than the embedded models' prior says."""

    def __init__(self, paces: Paces, *, slower: float) -> None:
        self.paces, self.slower, self.now, self.is_loaded = paces, slower, 1000.0, False

    def left(self, dream: Dream, progress: Progress | None) -> float | None:
        at = self.paces.free_at(Occupancy(dream, progress, is_loaded=self.is_loaded), now=self.now)
        return None if at is None else at - self.now

    async def dream(self, prompt: str, preset: str = "") -> tuple[float, float, float]:
        """Seconds that were promised before it began and after its second step, and those it took."""
        dream = replace(DREAM, prompt=prompt, preset=preset, started_at=self.now)
        first, steps = self.left(dream, None), usual_steps("pocket", preset)
        watch, begun = Stopwatch(clock=lambda: self.now), self.now
        if not self.is_loaded:
            self.now += POCKET.load_s * self.slower
            self.is_loaded = True
        watch.loaded()
        longer = self.slower * (1.4 if panels(prompt) == 2 else 1.0)
        self.now += POCKET.start_s * longer
        later: float | None = None
        for step in range(1, steps + 1):
            left_s = POCKET.step_s * longer * (steps - step) if step > 1 else 0.0
            progress = Progress("1", step, steps, 20.0, 20.0, left_s)
            watch.see(progress)
            self.paces.glimpse(watch.pace(dream, steps))
            if step == 2:
                left = self.left(dream, progress)
                later = None if left is None else self.now - begun + left
            self.now += POCKET.step_s * longer if step < steps else 0.0
        pace = watch.pace(dream, steps)
        assert pace is not None and first is not None and later is not None
        await self.paces.keep(pace)
        return first, later, self.now - begun


@pytest.mark.parametrize("slower", [0.3, 1.0, 3.0])
async def test_a_promise_is_right_from_the_second_step_of_the_first_dream_on(
    database: Database, slower: float
) -> None:
    paces = Paces(database=database, machine="simulated", prior=POCKET, busy=lambda: 1.0)
    await paces.start()
    machine = Machine(paces, slower=slower)
    first, later, took = await machine.dream("a cat")
    assert later == pytest.approx(took, rel=0.05)
    assert slower != 1.0 or first == pytest.approx(took, rel=0.1), "the models' loading counts"
    for prompt, preset, error in (
        ("a dog", "", 0.05), ("a cat and the moon", "", 0.15), ("a fox and a ball", "", 0.05),
        ("a rocket", "quick", 0.15), ("a rose", "thorough", 0.15),
    ):  # fmt: skip
        first, later, took = await machine.dream(prompt, preset)
        assert first == pytest.approx(took, rel=error), prompt
        assert later == pytest.approx(took, rel=0.05), prompt


async def test_who_waits_learns_from_the_first_steps_of_the_running_dream(database: Database) -> None:
    paces = Paces(database=database, machine="simulated", prior=POCKET, busy=lambda: 1.0)
    before = paces.seconds(DREAM)
    paces.glimpse(replace(PACE, model="auto", steps=usual_steps("pocket"), step_s=3 * POCKET.step_s))
    after = paces.seconds(DREAM)
    assert before is not None and after == pytest.approx(3 * before)


async def test_a_new_engine_s_loading_is_promised_once_and_not_to_the_dreams_after(
    database: Database,
) -> None:
    paces = Paces(database=database, machine="simulated", prior=POCKET, busy=lambda: 1.0)
    await paces.keep(replace(PACE, lead_s=10.0, load_s=8.0))
    assert paces.seconds(DREAM) == pytest.approx(2.0 + 60 * 0.1)
    assert paces.free_at(Occupancy(), now=100.0) == 108.0
    assert paces.free_at(Occupancy(is_loaded=True), now=100.0) == 100.0


async def test_what_dreams_take_side_by_side_says_nothing_of_one_alone(database: Database) -> None:
    alone, together = (Paces(database=database, machine="m" * 64, engines=engines) for engines in (1, 2))
    await together.keep(PACE)
    for paces in (alone, together):
        await paces.start()
    assert together.seconds(DREAM) is not None and alone.seconds(DREAM) is None


async def test_the_dream_in_hand_has_less_left_the_longer_it_runs(database: Database) -> None:
    paces = Paces(database=database, machine="simulated", prior=POCKET, busy=lambda: 1.0)
    await paces.keep(PACE)
    running = Occupancy(replace(DREAM, started_at=1000.0), is_loaded=True)
    first_step = replace(running, progress=Progress("1", 1, 60, 20.0, 20.0, 0.0))
    assert paces.free_at(running, now=1003.0) == pytest.approx(1008.0)
    assert paces.free_at(first_step, now=1003.0) == pytest.approx(1008.0), "it knows no pace yet"
    assert paces.free_at(running, now=2000.0) == 2000.0
    assert paces.free_at(running, now=-1e6) == pytest.approx(-1e6 + 8.0), "the clock was put back"


async def test_another_pair_than_expected_is_not_promised_by_the_prior(database: Database) -> None:
    paces = Paces(database=database, machine="simulated", prior=POCKET, busy=lambda: 1.0)
    await paces.keep(replace(PACE, steps=500))  # "auto" took a large pair
    assert paces.seconds(DREAM) is not None and paces.seconds(replace(DREAM, preset="thorough")) is None


def test_the_time_of_a_download_says_nothing_of_other_dreams() -> None:
    now = [0.0]
    watch = Stopwatch(clock=lambda: now[0])
    for now[0], step in ((600.0, 0), (604.0, 0), (605.0, 1), (606.0, 2)):
        if now[0] == 600.0:
            watch.fetching()
        elif step == 0:
            watch.loaded()
        else:
            watch.see(Progress("1", step, 2, 20.0, 20.0, 0.0))
    pace = watch.pace(DREAM, 2)
    assert pace is not None and (pace.load_s, pace.lead_s, pace.step_s) == (4.0, 5.0, 1.0)


async def test_a_busy_machine_is_expected_to_be_slow_until_it_was_measured(database: Database) -> None:
    idle = Paces(database=database, machine="simulated", prior=POCKET, busy=lambda: 1.0)
    crowded = Paces(database=database, machine="simulated", prior=POCKET, busy=lambda: 6.0)
    slow, fast = crowded.seconds(DREAM), idle.seconds(DREAM)
    assert slow is not None and fast is not None and slow == pytest.approx(6 * fast)
    assert crowded.loading_s() == 6 * idle.loading_s()
    await crowded.keep(PACE)
    assert crowded.seconds(DREAM) == pytest.approx(2.0 + 60 * 0.1)
    assert crowd() >= 1.0
