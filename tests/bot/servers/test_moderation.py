"""What moderators set is stored, effective at once, in the audit log, and seen by other processes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import pytest
from sqlalchemy import text

from bot.database.connection import Database, StoreBusy, StoreError
from bot.dreams.dream import Wish
from bot.dreams.store import Store
from bot.servers.moderation import AuditEntry, Moderation
from bot.servers.settings import Allowance, NsfwPolicy, ServerSettings
from bot.settings import Settings

A_WISH = Callable[..., Wish]


@pytest.fixture
async def moderation(database: Database) -> Moderation:
    moderation = Moderation(database=database, clock=lambda: 1000.0)
    await moderation.start()
    return moderation


@pytest.fixture
async def other(database: Database) -> AsyncIterator[Moderation]:
    """Another process with the same database."""
    other = Moderation(database=database)
    await other.start()
    yield other


async def set_(
    moderation: Moderation, guild_id: int = 1, by: int = 99, **changes: object
) -> list[AuditEntry]:
    return await moderation.change(guild_id, by=by, change=lambda old: replace(old, **changes))


async def rename(database: Database, table: str, name: str) -> None:
    async with database.transaction() as connection:
        await connection.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))


def told(entry: AuditEntry) -> tuple[int, str, str, str, str]:
    return entry.by, entry.what, entry.target, entry.old, entry.new


async def test_a_change_is_effective_at_once_and_in_its_server_only(moderation: Moderation) -> None:
    await set_(moderation, cooldown_s=30)
    assert moderation.settings(1).cooldown_s == 30
    assert moderation.settings(2) == moderation.settings(None) == ServerSettings()


async def test_a_change_outlives_a_restart(moderation: Moderation, database: Database) -> None:
    await set_(moderation, words=("blood",), nsfw=NsfwPolicy.REFUSE, roles={5: Allowance(steps=9)})
    await moderation.add_ban(1, 7, by=99, reason="spam")
    after = Moderation(database=database)
    await after.start()
    assert after.settings(1) == moderation.settings(1) != ServerSettings()
    assert after.ban(1, 7) == moderation.ban(1, 7)


async def test_the_audit_trail_says_who_what_when_and_from_what_to_what(moderation: Moderation) -> None:
    await set_(moderation, cooldown_s=30)
    await set_(moderation, by=98, cooldown_s=60, log_channel=5)
    entries = await moderation.audit(1)
    assert [told(entry) for entry in entries] == [
        (98, "log_channel", "", "null", "5"),
        (98, "cooldown_s", "", "30", "60"),
        (99, "cooldown_s", "", "0", "30"),
    ]
    assert {entry.at for entry in entries} == {1000.0}


async def test_limits_of_people_and_roles_stand_in_the_trail_one_by_one(moderation: Moderation) -> None:
    await set_(moderation, people={7: Allowance(waiting=1)}, roles={5: Allowance(steps=50)})
    await set_(moderation, people={}, roles={5: Allowance(steps=60)})
    assert [told(entry)[1:] for entry in await moderation.audit(1)] == [
        ("people", "person:7", '{"waiting": 1}', "{}"),
        ("roles", "role:5", '{"steps": 50}', '{"steps": 60}'),
        ("people", "person:7", "{}", '{"waiting": 1}'),
        ("roles", "role:5", "{}", '{"steps": 50}'),
    ]


async def test_what_changes_nothing_leaves_no_trace(moderation: Moderation) -> None:
    assert await set_(moderation, cooldown_s=0) == []
    assert await moderation.audit(1) == []


async def test_the_trail_is_read_page_by_page(moderation: Moderation) -> None:
    for cooldown_s in range(1, 8):
        await set_(moderation, cooldown_s=cooldown_s)
        await set_(moderation, guild_id=2, cooldown_s=cooldown_s)
    first = await moderation.audit(1, most=3)
    second = await moderation.audit(1, before=first[-1].id, most=3)
    third = await moderation.audit(1, before=second[-1].id, most=3)
    assert [entry.new for entry in first + second + third] == ["7", "6", "5", "4", "3", "2", "1"]


async def test_bans_come_and_go_and_end_by_themselves(database: Database) -> None:
    now = [1000.0]
    moderation = Moderation(database=database, clock=lambda: now[0])
    await moderation.add_ban(1, 7, by=99, until=1060.0, reason="spam")
    await moderation.add_ban(1, 8, by=99)
    assert [ban.person for ban in moderation.bans(1)] == [7, 8] and moderation.bans(2) == []
    now[0] = 1060.0
    assert moderation.ban(1, 7) is None and [ban.person for ban in moderation.bans(1)] == [8]
    assert not await moderation.lift_ban(1, 7, by=99)
    assert await moderation.lift_ban(1, 8, by=98) and moderation.ban(1, 8) is None
    assert [told(entry)[:3] for entry in await moderation.audit(1)] == [
        (98, "unban", "person:8"),
        (99, "ban", "person:8"),
        (99, "ban", "person:7"),
    ]
    assert json.loads((await moderation.audit(1))[-1].new) == {"until": 1060.0, "reason": "spam"}


async def test_a_second_ban_replaces_the_first(moderation: Moderation, database: Database) -> None:
    await moderation.add_ban(1, 7, by=99, until=2000.0)
    await moderation.add_ban(1, 7, by=99, until=None, reason="again")
    ban = moderation.ban(1, 7)
    assert ban is not None and (ban.until, ban.reason) == (None, "again")


async def test_another_process_s_changes_are_found(moderation: Moderation, other: Moderation) -> None:
    changed: list[int] = []
    entered: list[AuditEntry] = []
    other.on_change.append(changed.append)
    other.on_entry.append(entered.append)
    await set_(moderation, paused=True)
    await moderation.add_ban(2, 7, by=99)
    assert not other.settings(1).paused
    await other.refresh()
    assert other.settings(1).paused and other.ban(2, 7) is not None
    assert sorted(changed) == [1, 2] and entered == [], "it is told by the process where it was done"
    await moderation.lift_ban(2, 7, by=99)
    await other.refresh()
    assert other.ban(2, 7) is None
    changed.clear()
    await other.refresh()
    assert changed == []


async def test_what_is_known_holds_while_news_are_read(moderation: Moderation, other: Moderation) -> None:
    await moderation.add_ban(1, 7, by=99)
    await other.refresh()
    await moderation.note(1, by=99, what="clear")  # so that there is something to read
    reading = asyncio.create_task(other.refresh())
    held = []
    while not reading.done():
        held.append(other.ban(1, 7) is not None)
        await asyncio.sleep(0)
    await reading
    assert len(held) > 5 and all(held)


async def test_what_is_known_holds_when_the_database_fails_while_news_are_read(
    moderation: Moderation, other: Moderation, database: Database
) -> None:
    await moderation.add_ban(1, 7, by=99)
    await other.refresh()
    await moderation.note(1, by=99, what="clear")
    await rename(database, "bans", "lost")
    try:
        with pytest.raises(StoreError):
            await other.refresh()
    finally:
        await rename(database, "lost", "bans")
    assert other.ban(1, 7) is not None


async def test_two_moderators_in_two_processes_lose_nothing(
    moderation: Moderation, other: Moderation
) -> None:
    await set_(moderation, cooldown_s=30)
    await set_(other, by=98, fame_votes=9)
    await moderation.refresh()
    assert (moderation.settings(1).cooldown_s, moderation.settings(1).fame_votes) == (30, 9)


async def test_who_listens_is_told_of_each_change_and_at_the_start(
    moderation: Moderation, database: Database
) -> None:
    entered: list[AuditEntry] = []
    changed: list[int] = []
    moderation.on_entry.append(entered.append)
    moderation.on_change.append(changed.append)
    await set_(moderation, paused=True)
    entry = await moderation.note(1, by=99, what="clear", new="3")
    assert [e.what for e in entered] == ["paused", "clear"] and entered[1] == entry and changed == [1, 1]
    after = Moderation(database=database)
    at_start: list[int] = []
    after.on_change.append(at_start.append)
    await after.start()
    assert at_start == [1]


async def test_changes_of_several_processes_at_once_are_all_kept_and_found(
    settings: Settings, moderation: Moderation
) -> None:
    databases = [Database(settings.database_url, busy_timeout_s=20) for _ in range(3)]
    processes = [Moderation(database=database) for database in databases]
    for process in processes:
        await process.start()
    await asyncio.gather(
        processes[0].change(1, by=99, change=lambda old: replace(old, cooldown_s=30)),
        processes[1].change(1, by=99, change=lambda old: replace(old, fame_votes=7)),
        *(process.add_ban(1, 7, by=99, reason="sp\x00am") for process in processes),
    )
    assert sorted([await process.welcome(1) for process in processes]) == [False, False, True]
    for process in (moderation, *processes):
        await process.refresh()
        assert (process.settings(1).cooldown_s, process.settings(1).fame_votes) == (30, 7)
        ban = process.ban(1, 7)
        assert ban is not None and ban.reason == "spam"
    for database in databases:
        await database.close()


async def test_a_change_that_cannot_be_stored_changes_nothing(
    moderation: Moderation, lock: Callable[[], AbstractAsyncContextManager[None]]
) -> None:
    async with lock():
        with pytest.raises(StoreBusy):
            await set_(moderation, cooldown_s=30)
        with pytest.raises(StoreBusy):
            await moderation.add_ban(1, 7, by=99)
    assert moderation.settings(1) == ServerSettings() and moderation.ban(1, 7) is None
    assert await moderation.audit(1) == []


async def test_a_person_reports_a_dream_once(moderation: Moderation, store: Store, a_wish: A_WISH) -> None:
    dream = await store.add(a_wish())
    assert await moderation.report(dream.id, 5)
    assert not await moderation.report(dream.id, 5)
    assert await moderation.report(dream.id, 6)
    await moderation.withdraw_report(dream.id, 5)
    assert await moderation.report(dream.id, 5)
    assert not await moderation.report(999, 5), "there is no such dream"


async def test_a_server_is_welcomed_once_and_its_settings_stay(
    moderation: Moderation, other: Moderation
) -> None:
    await set_(moderation, cooldown_s=30)
    assert await moderation.welcome(1) and not await other.welcome(1)
    assert await other.welcome(2) and not await moderation.welcome(2)
    await set_(moderation, guild_id=2, cooldown_s=20)
    after = ServerSettings(cooldown_s=30)
    await other.refresh()
    assert other.settings(1) == after
