"""A contest: begun by a moderator, entered by everybody, decided by votes, told once."""

import discord
from simcord.actors import MemberActor
from simcord.results import InteractionResult

from bot.chat.messages.contest_message import winner_url
from bot.community.contests import DAY_S, Contest
from bot.database.outbox import Kind
from bot.sentences import ENGLISH
from bot.servers.settings import VOTE_EMOJI
from tests.bot.chat.conftest import World
from tests.bot.chat.owing import until_nothing_is_owed
from tests.bot.scripted import until


def said(answer: InteractionResult) -> str:
    assert answer.response is not None and answer.response.ephemeral
    return answer.response.content


def admin(world: World) -> MemberActor:
    role = world.guild.create_role("admins", permissions=discord.Permissions(manage_guild=True))
    return world.guild.add_member(world.env.create_user("ada"), roles=[role])


async def begun(world: World, by: MemberActor | None = None) -> Contest:
    """A contest about autumn."""
    answer = await (by or admin(world)).slash(
        world.channel, "moderate contest start", theme="*autumn*", days=7
    )
    assert answer.response is not None and not answer.response.ephemeral
    assert "Theme: **\\*autumn\\***" in (answer.response.embeds[0].description or "")
    contest = await world.parts.contests.running(world.guild.id)
    assert contest is not None and contest.ends_at - contest.started_at == 7 * DAY_S
    return contest


async def dreamt(world: World, member: MemberActor, number: int, prompt: str = "a leaf") -> discord.Message:
    """A finished dream."""
    await world.dream(member, prompt)
    await world.engine.dreams(number)
    world.engine.finish()
    await world.until_delivered(number)
    name = f"dream-{number}.png"
    return next(m for m in world.messages() if [a.filename for a in m.attachments] == [name])


async def enter(world: World, member: MemberActor, **options: int) -> str:
    return said(await member.slash(world.channel, "contest enter", **options))


def announcements(world: World) -> list[discord.Message]:
    return [m for m in world.messages() if m.embeds and m.embeds[0].title == ENGLISH.CONTEST_OVER]


async def until_told(world: World) -> discord.Message:
    async def told() -> bool:
        last = await world.parts.contests.last(world.guild.id)
        return last is not None and last.told

    await until(told)
    (message,) = announcements(world)
    return message


def after_its_end(world: World) -> None:
    """A week later, for whoever asks for the time."""
    for clocked in (world.parts.contests, world.parts.outbox_store):
        clocked.clock = lambda real=clocked.clock: real() + 8 * DAY_S


async def test_most_votes_win_and_the_winner_is_told_with_the_picture(world: World) -> None:
    contest = await begun(world)
    leaf = await dreamt(world, world.alice, 1)
    rain = await dreamt(world, world.bob, 2, "rain")
    assert await enter(world, world.alice) == ENGLISH.entered("a leaf")
    assert await enter(world, world.bob) == ENGLISH.entered("rain")
    await world.bob.react(leaf, VOTE_EMOJI[0])
    await world.alice.react(rain, VOTE_EMOJI[0])
    await world.moderator.react(rain, VOTE_EMOJI[0])
    after_its_end(world)
    world.parts.contest_messages.moved(contest.id)
    message = await until_told(world)
    text = message.embeds[0].description or ""
    assert f"🏆 {world.bob.mention} wins with 2 votes: [rain](" in text
    assert [a.filename for a in message.attachments] == ["dream-2.png"]
    assert await enter(world, world.alice) == ENGLISH.NO_CONTEST


async def test_it_shows_who_leads_and_how_the_last_one_ended(world: World) -> None:
    assert said(await world.bob.slash(world.channel, "contest show")) == ENGLISH.NO_CONTEST
    contest = await begun(world)
    shown = (await world.bob.slash(world.channel, "contest show")).response
    assert shown is not None and ENGLISH.NO_ENTRIES in (shown.embeds[0].description or "")
    message = await dreamt(world, world.alice, 1)
    await enter(world, world.alice)
    await world.bob.react(message, VOTE_EMOJI[0])
    shown = (await world.bob.slash(world.channel, "contest show")).response
    assert shown is not None and shown.ephemeral
    assert f"**1.** [a leaf]({message.jump_url})\n1 vote · {world.alice.mention}" in (
        shown.embeds[0].description or ""
    )
    assert await world.parts.contests.finish(contest.id, now=True)
    shown = (await world.bob.slash(world.channel, "contest show")).response
    assert shown is not None and "It ended" in (shown.embeds[0].description or "")


async def test_only_moderators_begin_and_end_it_and_one_runs_at_a_time(world: World) -> None:
    for member in (world.bob, world.alice):
        shown = " ".join(member.available_commands(world.channel))
        assert "moderate" not in shown and "contest start" not in shown and "contest end" not in shown
    ada = admin(world)
    assert said(await ada.slash(world.channel, "moderate contest end")) == ENGLISH.NO_CONTEST
    await begun(world, ada)
    answer = await ada.slash(world.channel, "moderate contest start", theme="rain")
    assert said(answer) == ENGLISH.CONTEST_RUNS
    answer = await ada.slash(world.channel, "moderate contest end")
    assert said(answer) == ENGLISH.contest_ended(world.channel.id)
    entries = await world.parts.moderation.audit(world.guild.id)
    assert [(e.by, e.what, e.new) for e in entries] == [
        (ada.id, "contest_end", "*autumn*"), (ada.id, "contest", "*autumn*"),
    ]  # fmt: skip
    message = await until_told(world)
    assert "Nobody entered a dream" in (message.embeds[0].description or "")
    await begun(world, ada)


async def test_a_contest_that_ends_while_the_bot_is_away_is_told_once_at_its_return(world: World) -> None:
    contest = await begun(world)
    message = await dreamt(world, world.alice, 1)
    await enter(world, world.alice)
    await world.bob.react(message, VOTE_EMOJI[0])
    await world.parts.end()
    assert await world.parts.contests.finish(contest.id, now=True)
    await world.restart()
    assert f"🏆 {world.alice.mention} wins with 1 vote" in (
        (await until_told(world)).embeds[0].description or ""
    )
    await world.restart()
    await world.parts.outbox.owe(Kind.CONTEST, contest.id)
    await until_nothing_is_owed(world)
    assert len(announcements(world)) == 1


async def test_votes_cast_while_the_bot_was_away_decide_too(world: World) -> None:
    await begun(world)
    leaf = await dreamt(world, world.alice, 1)
    rain = await dreamt(world, world.bob, 2, "rain")
    await enter(world, world.alice)
    await enter(world, world.bob)
    await world.bob.react(leaf, VOTE_EMOJI[0])
    await world.parts.end()
    subscribers, world.env.backend.subscribers[:] = list(world.env.backend.subscribers), []
    for member in (world.alice, world.moderator):
        await member.react(rain, VOTE_EMOJI[0])
    world.env.backend.subscribers[:] = subscribers
    async with world.parts.database.transaction() as connection:  # its time runs out meanwhile
        await connection.exec_driver_sql("UPDATE contests SET ends_at = 1")
        await connection.exec_driver_sql("UPDATE outbox SET due_at = 1")
    await world.restart()
    (embed,) = (await until_told(world)).embeds
    assert f"{world.bob.mention} wins with 2 votes" in (embed.description or "")


async def test_a_winner_that_was_told_but_not_remembered_is_not_told_again(world: World) -> None:
    contest = await begun(world)
    await world.parts.contests.finish(contest.id, now=True)
    world.parts.contest_messages.moved(contest.id)
    message = await until_told(world)
    assert message.embeds[0].url == winner_url(contest)
    async with world.parts.database.transaction() as connection:  # killed before it was remembered
        await connection.exec_driver_sql("UPDATE contests SET told = false, message_id = NULL")
    await world.restart()
    assert (await until_told(world)).id == message.id


async def test_of_two_processes_one_ends_it(world: World) -> None:
    contest = await begun(world)
    contests = world.parts.contests
    assert not await contests.finish(contest.id), "its time is not over"
    assert [await contests.finish(contest.id, now=True) for _ in range(2)] == [True, False]


async def test_a_deleted_channel_ends_the_announcements(world: World) -> None:
    contest = await begun(world)
    world.env.inject_error("POST", f"/channels/{world.channel.id}/messages", status=404, code=10003, times=1)
    await world.parts.contests.finish(contest.id, now=True)
    world.parts.contest_messages.moved(contest.id)
    await until(lambda: not world.env.backend.faults)

    async def nothing_open() -> bool:
        return await world.parts.contests.open() == []

    await until(nothing_open)


async def test_what_may_not_enter_gets_a_sentence(world: World) -> None:
    assert await enter(world, world.alice) == ENGLISH.NO_CONTEST
    await dreamt(world, world.alice, 1)
    await begun(world)
    assert await enter(world, world.alice) == ENGLISH.NOTHING_TO_ENTER, "it is older than the contest"
    await dreamt(world, world.alice, 2)
    await dreamt(world, world.bob, 3)
    assert await enter(world, world.alice, dream=3) == ENGLISH.NOT_TO_ENTER
    secret = world.guild.create_text_channel(
        "secret",
        overwrites={
            world.guild.default_role: discord.PermissionOverwrite(view_channel=False),
            world.guild.me: discord.PermissionOverwrite(view_channel=True),
            world.alice: discord.PermissionOverwrite(view_channel=True),
        },
    )
    await world.alice.slash(secret, "dream", prompt="a secret")
    await world.engine.dreams(4)
    world.engine.finish()
    await world.until_delivered(4)
    assert await enter(world, world.alice) == ENGLISH.NOT_FOR_ALL
    choices = await world.alice.autocomplete(world.channel, "contest enter", "dream", "")
    assert [choice["value"] for choice in choices] == [4, 2]
    assert await enter(world, world.alice, dream=2) == ENGLISH.entered("a leaf")


async def test_a_later_entry_takes_the_place_of_the_first_and_a_deleted_one_is_out(world: World) -> None:
    contest = await begun(world)
    for number in (1, 2):
        await dreamt(world, world.alice, number, f"leaf {number}")
        await enter(world, world.alice)
    assert [entry.dream.id for entry in await world.parts.contests.entries(contest.id)] == [2]
    await world.parts.store.erase(2)
    assert await world.parts.contests.entries(contest.id) == []
