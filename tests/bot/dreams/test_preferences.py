"""People's own defaults: kept, changed, taken back, and read again by the next process."""

from sqlalchemy import func, select, text

from bot.database.connection import Database
from bot.database.tables import preferences
from bot.dreams.preferences import NONE, Preference, Preferences
from tests.bot.scripted import until

WANTED = Preference(preset="quick", size=512, spoiler=True, language="it", notice="off")


async def read_again(database: Database) -> Preferences:
    again = Preferences(database=database)
    await again.start()
    return again


async def test_who_set_nothing_has_the_defaults(database: Database) -> None:
    assert (await read_again(database)).of(1) == NONE == Preference()


async def test_what_is_set_counts_at_once_and_after_a_restart(database: Database) -> None:
    kept = await read_again(database)
    await kept.put(1, WANTED)
    assert kept.of(1) == WANTED and kept.of(2) == NONE
    assert (await read_again(database)).of(1) == WANTED


async def test_taking_it_back_leaves_no_row(database: Database) -> None:
    kept = await read_again(database)
    await kept.put(1, WANTED)
    await kept.put(1, NONE)
    assert kept.of(1) == NONE
    async with database.transaction() as connection:
        assert await connection.scalar(select(func.count()).select_from(preferences)) == 0


async def test_what_a_later_version_does_not_know_falls_back(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(
            text("INSERT INTO preferences VALUES (1, 'lightning', 300, true, 'it', 'by pigeon')"),
        )
    assert (await read_again(database)).of(1) == Preference(spoiler=True, language="it")


async def test_what_another_process_is_told_holds_here_soon(database: Database) -> None:
    here, there = (Preferences(database=database, is_shared=True, read_s=0.01) for _ in range(2))
    await here.start()
    await there.start()
    try:
        await there.put(11, Preference(preset="quick"))
        await until(lambda: here.of(11).preset == "quick")
        await here.put(11, NONE)
        await until(lambda: there.of(11) == NONE)
    finally:
        await here.close()
        await there.close()
