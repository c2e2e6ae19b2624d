"""How long dreams take: measured on this machine, kept over restarts, and never guessed."""

from dataclasses import replace

import pytest

from bot.chat.outlook import DRIFT_S, Outlook, outlooks
from bot.database import Database
from bot.dreams import Dream, DreamState
from bot.paces import KEPT, Pace, Paces
from bot.turns import Turn

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
    found = outlooks(
        order, dreams, running=replace(DREAM, author_id=13), running_s=5.0, seconds=lambda _: 10.0, now=100.0
    )
    assert found == {
        1: Outlook(1, (13,), 0, 115.0),
        2: Outlook(2, (13, 11), 0, 125.0),
        3: Outlook(3, (13, 12), 0, 135.0),
    }


def test_many_people_before_are_counted_not_named() -> None:
    order, dreams = line(*range(20))
    found = outlooks(order, dreams, running=None, running_s=None, seconds=lambda _: 1.0, now=0.0)
    assert found[20] == Outlook(20, (0, 1, 2, 3, 4), 14, 20.0)


def test_one_unknown_dream_makes_all_behind_it_unknown() -> None:
    order, dreams = line(11, 12, 13)
    known = {1: 10.0, 2: None, 3: 10.0}
    found = outlooks(order, dreams, running=None, running_s=None, seconds=lambda d: known[d.id], now=0.0)
    assert [found[n].ready_at for n in (1, 2, 3)] == [10.0, None, None]
    stuck = outlooks(order, dreams, running=DREAM, running_s=None, seconds=lambda _: 1.0, now=0.0)
    assert stuck[1].ready_at is None


def test_only_a_change_that_matters_is_worth_an_edit() -> None:
    shown = Outlook(2, (11,), 0, 1000.0)
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

    running = replace(DREAM, author_id=15, guild_id=99)
    found = outlooks(
        order, dreams, running=running, running_s=None, seconds=lambda _: 1.0, now=0.0, names=names
    )
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
    found = outlooks(order, dreams, running=None, running_s=None, seconds=lambda _: 1.0, now=0.0)
    assert (found[3].before, found[3].others) == ((11,), 0)
