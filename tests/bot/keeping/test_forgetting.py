"""Forgetting people and servers: nothing of theirs stays in any table, others' does; a kill is no end."""

import json
from dataclasses import replace
from typing import Any

from sqlalchemy import BigInteger, Integer

from bot.community.choices import Decision
from bot.database.tables import (
    bans,
    choices,
    entries,
    fame,
    guilds,
    metadata,
    outbox,
)
from bot.dreams.dream import DreamState
from bot.dreams.local import GUILD_ID
from bot.dreams.preferences import NONE, Preference
from bot.keeping import forgetting
from bot.keeping.forgetting import GRACE_S, Kind
from bot.keeping.traces import OF_SERVER, PERSONAL
from bot.servers.settings import Allowance
from bot.settings import Settings
from tests.bot.keeping.conftest import ADA, BO, GUILD, OTHER_GUILD, Process, cells
from tests.bot.scripted import until

# Whole numbers that are neither a person's id nor a server's.
NUMBERS = {
    "dreams": "id origin seed steps size image_id parent_id other_id channel_id message_id attempts rescues "
    "best_step steps_done gallery_channel_id gallery_message_id chapter chapters choice_id candidate "
    "most_steps most_size",
    "choices": "id origin channel_id message_id steps size",
    "pictures": "dream_id", "states": "dream_id", "timelapses": "dream_id", "thumbnails": "dream_id",
    "images": "id", "votes": "dream_id copy_id", "reports": "dream_id", "sendings": "dream_id tries",
    "fame": "dream_id channel_id message_id votes", "entries": "contest_id dream_id",
    "contests": "id channel_id winner_id winner_votes message_id", "preferences": "size", "audit": "id",
    "outbox": "subject tries begun", "paces": "id steps panels at", "schema_version": "version",
    "people": "id", "tallies": "dream_id people channel_id age", "standings": "period channel_id votes fewer",
}  # fmt: skip
# What moderators keep of somebody.
KEPT = {("bans", "person"), ("bans", "by")}


def test_every_column_that_may_hold_somebody_s_id_is_known() -> None:
    """A new column belongs into `PERSONAL`, `OF_SERVER` or `NUMBERS`."""
    known = {(t.who.table.name, t.who.name) for t in (*PERSONAL, *OF_SERVER)} | KEPT
    known |= {(name, column) for name, columns in NUMBERS.items() for column in columns.split()}
    known |= {("dreams", "guild_id"), ("forgettings", "subject")}
    known |= {("tallies", "ranked_in"), ("tallies", "author_id"), ("standings", "guild_id")}  # as votes are
    found = {
        (table.name, column.name)
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, BigInteger | Integer)
    }
    assert found - known == set()
    assert known - found == set()


async def a_life(process: Process) -> dict[str, int]:
    """Something of Ada's in every table, and of Bo's beside it."""
    heart = process.heart
    own = await process.dream(ADA, image=b"a photo of Ada")
    again = await process.dream(BO, image_id=own.image_id, parent_id=own.id, begin="continue")
    theirs = await process.dream(BO, prompt="a boat")
    elsewhere = await process.dream(ADA, guild_id=OTHER_GUILD, prompt="a second secret")
    waiting = await process.ask(ADA, prompt="a third secret")
    for dream, person in ((theirs, ADA), (own, BO), (theirs, 5)):
        await heart.store.add_vote(dream.id, person, "⭐")
    await heart.preferences.put(ADA, Preference(preset="quick"))
    await heart.privacy.choose(ADA, name="Ada L")
    for dream, person in ((theirs, ADA), (own, BO)):
        await heart.sendings.claim(person, dream.id)
        await heart.moderation.report(dream.id, person)
    contest = await heart.contests.start(
        guild_id=GUILD, channel_id=2, theme="gardens", language="en", by=ADA, span_s=3600
    )
    for dream in (own, theirs):
        await process.put(
            entries, contest_id=contest.id, person=dream.author_id, dream_id=dream.id, entered_at=1.0
        )
    await process.put(
        fame, dream_id=own.id, guild_id=GUILD, channel_id=3, message_id=77, votes=3, created_at=1.0
    )
    await process.put(outbox, kind="sent", subject=theirs.id, person=ADA, since=1.0, due_at=1e12, tries=1)
    decision = Decision(1, 2, {1: 1}, ended_by=ADA).to_json()
    plain = {
        "guild_id": GUILD, "channel_id": 2, "language": "en", "spoiler": False, "preset": "",
        "created_at": 1.0, "delivered": True, "state": "decided",
    }  # fmt: skip
    await process.put(
        choices,
        id=50,
        origin=50,
        prompt="a secret choice",
        author_id=ADA,
        decision="",
        **plain,
    )
    await process.put(
        choices, id=51, origin=51, prompt="a boat", author_id=BO, ended_by=ADA, decision=decision, **plain
    )
    decided = await process.dream(BO, choice_id=51, decision=decision)
    stopped = await process.ask(BO)
    await heart.store.cancel_queued(stopped.id, by=ADA)
    await heart.moderation.add_ban(GUILD, ADA, by=BO, reason="rude")
    await heart.moderation.add_ban(GUILD, BO, by=ADA)
    await heart.moderation.change(
        GUILD, by=ADA, change=lambda old: replace(old, people={ADA: Allowance(waiting=1)})
    )
    await heart.moderation.note(GUILD, by=BO, what="clear", target=f"person:{ADA}", new="2")
    return {
        "own": own.id, "again": again.id, "theirs": theirs.id, "elsewhere": elsewhere.id,
        "waiting": waiting.id, "decided": decided.id,
    }  # fmt: skip


async def test_after_forgetting_no_table_holds_the_person(process: Process) -> None:
    heart = process.heart
    made = await a_life(process)
    await heart.forgetter.person(ADA)
    await process.forgotten()
    left = [cell for cell in await cells(heart.database) if str(ADA) in cell[2]]
    for table, column, value in left:
        allowed = (table, column) in KEPT or (table, column) == ("guilds", "settings")
        assert allowed or (table == "audit" and value == f"person:{ADA}"), (table, column, value)
    about = [entry.what for entry in await heart.moderation.audit(GUILD) if entry.target == f"person:{ADA}"]
    assert sorted(about) == ["ban", "people"]
    words = [cell for cell in await cells(heart.database) if "secret" in cell[2] or "photo" in cell[2]]
    assert {(table, column) for table, column, _ in words} <= {("dreams", "prompt"), ("dreams", "recipe")}
    husk, again = await process.stored(made["own"]), await process.stored(made["again"])
    assert husk.erased and husk.author_id == 0 and not husk.prompt
    assert (again.parent_id, again.author_id, again.prompt, again.image_id) == (
        made["own"], BO, "a secret garden", None,
    )  # fmt: skip
    assert await heart.store.picture(again.id) and await heart.store.has_state(again.id)
    assert (await process.stored(made["waiting"])).state is DreamState.CANCELLED
    assert json.loads((await process.stored(made["decided"])).decision)["winner"] == 1
    assert await heart.store.count_votes(made["theirs"]) == 1
    assert heart.preferences.of(ADA) == NONE
    held = await heart.holdings.of(ADA)
    assert replace(held, bans=0) == replace(held, **dict.fromkeys(held.__slots__, 0)) and held.bans == 1


async def test_whoever_comes_back_begins_anew(process: Process) -> None:
    await process.dream(ADA)
    await process.heart.forgetter.person(ADA)
    later = await process.dream(ADA, prompt="a fresh start")
    await process.forgotten()
    dream = await process.stored(later.id)
    assert (dream.prompt, dream.author_id) == ("a fresh start", ADA), "asked for after that"


async def test_a_running_dream_is_stopped_first(process: Process) -> None:
    running = await process.ask(ADA)
    await process.heart.worker.refresh()
    await process.engine.dreams(running.id)
    await process.heart.forgetter.person(ADA)
    await process.forgotten()
    dream = await process.stored(running.id)
    assert dream.state is DreamState.CANCELLED and dream.author_id == 0


async def test_what_cannot_be_taken_down_is_tried_again_and_keeps_out_no_other(process: Process) -> None:
    first, second = await process.dream(ADA), await process.dream(ADA)
    process.front.fails.add(first.id)
    await process.heart.forgetter.person(ADA)
    await until(lambda: second.id in process.front.taken)
    assert (await process.stored(first.id)).author_id == ADA
    process.front.fails.clear()
    await process.forgotten()
    assert (await process.stored(first.id)).author_id == 0


async def test_a_kill_in_the_middle_is_no_end(prepared: Settings) -> None:
    killed = await Process(prepared).open()
    await killed.heart.forgetter.close()
    await a_life(killed)
    await killed.heart.forgetter.person(ADA)
    (record,) = await killed.heart.forgetter._records()
    for _ in range(2):  # some bites, and then nothing more
        await killed.heart.forgetter._go_on(record, killed.front)
    assert any(
        str(ADA) in value for table, _, value in await cells(killed.heart.database) if table == "votes"
    )
    await killed.close()
    later = await Process(prepared).open()
    await later.forgotten()
    assert not [
        c for c in await cells(later.heart.database) if str(ADA) in c[2] and c[0] in ("dreams", "votes")
    ]
    await later.close()


async def test_a_second_process_knows_it_too(process: Process, second: Process, monkeypatch: Any) -> None:
    monkeypatch.setattr(forgetting, "POLL_S", 0.02)
    for one in (process, second):
        one.heart.forgetter._linger_s = 0.3
        one.heart.forgetter.wake()
    await second.heart.preferences.put(ADA, Preference(preset="quick"))
    await process.heart.forgetter.person(ADA)
    await until(lambda: second.heart.preferences.of(ADA) == NONE)
    await process.forgotten()


# -------------------------------------------------------------------- servers


async def test_after_the_grace_no_table_holds_the_server(process: Process) -> None:
    heart = process.heart
    made = await a_life(process)
    for dream_id in (made["waiting"],):
        await heart.store.cancel_queued(dream_id)
    await process.put(bans, guild_id=GUILD, person=1, until=None, reason="", by=2)
    await heart.forgetter._record(forgetting.Forgetting(Kind.SERVER, GUILD, 1.0, 2.0))
    heart.forgetter.wake()
    await process.forgotten()
    left = [cell for cell in await cells(heart.database) if str(GUILD) in cell[2]]
    assert left == []
    assert heart.moderation.settings(GUILD).people == {} and heart.moderation.bans(GUILD) == []
    elsewhere = await process.stored(made["elsewhere"])
    assert elsewhere.prompt == "a second secret" and elsewhere.guild_id == OTHER_GUILD
    husk = await process.stored(made["own"])
    assert husk.erased and (husk.guild_id, husk.author_id, husk.prompt) == (None, 0, "")
    assert await heart.moderation.note(OTHER_GUILD, by=1, what="clear"), "its number is a new one"


async def test_a_server_that_is_back_within_the_grace_keeps_everything(process: Process) -> None:
    heart = process.heart
    dream = await process.dream(ADA)
    await heart.forgetter.server_left(GUILD)
    (record,) = await heart.forgetter._records()
    assert record.due_at - record.asked_at == GRACE_S
    await heart.forgetter.server_left(GUILD)
    assert await heart.forgetter._records() == [record], "the grace begins once"
    await heart.forgetter.server_back(GUILD)
    assert await heart.forgetter._records() == []
    assert (await process.stored(dream.id)).prompt


async def test_a_server_that_we_are_in_after_all_is_kept(process: Process) -> None:
    heart = process.heart
    dream = await process.dream(ADA)
    process.front.here.add(GUILD)
    await heart.forgetter._record(forgetting.Forgetting(Kind.SERVER, GUILD, 1.0, 2.0))
    heart.forgetter.wake()
    await process.forgotten()
    assert (await process.stored(dream.id)).prompt == "a secret garden"


async def test_the_servers_of_which_anything_is_stored_are_found(process: Process) -> None:
    await process.dream(ADA)
    await process.dream(1, guild_id=GUILD_ID)
    await process.put(guilds, guild_id=77, settings="{}")
    assert await process.heart.forgetter.traces.servers() == {GUILD, 77}
