"""Lists of any kind: what whoever reads them may not see is counted there, and neither named nor quoted."""

from dataclasses import replace
from typing import Any

import discord
import pytest
from simcord.results import InteractionResult

from bot.chat import channels
from bot.database.outbox import Kind
from bot.dreams.dream import DreamState
from bot.sentences import ENGLISH
from bot.servers.settings import VOTE_EMOJI
from tests.bot.chat.channels import archive, dreamt_in, for_adults, restarted, secret, thread, until_idle
from tests.bot.chat.conftest import World
from tests.bot.scripted import until


def read(answer: InteractionResult) -> str:
    """All that an answer says, to one person alone."""
    (message,) = [*([answer.response] if answer.response else []), *answer.followups]
    assert message.flags.ephemeral
    return "\n".join([message.content, *(embed.description or "" for embed in message.embeds)])


# ------------------------------------------------------------------ the line


async def test_the_queue_counts_what_whoever_asks_may_not_see(world: World) -> None:
    hidden = secret(world, world.alice)
    await world.env.settle()
    await world.alice.slash(hidden, "dream", prompt="a secret tree")
    await world.alice.slash(hidden, "dream", prompt="a secret house")
    await world.dream(world.alice, "a blue house")
    await world.engine.dreams(1)
    told = read(await world.bob.slash(world.channel, "queue"))
    assert "secret" not in told and "a blue house" in told
    assert ENGLISH.elsewhere(2) in told
    own = read(await world.alice.slash(world.channel, "queue"))
    assert "a secret tree" in own and "a secret house" in own and ENGLISH.elsewhere(1) not in own


async def test_a_queue_of_hidden_dreams_alone_is_not_empty(world: World) -> None:
    hidden = secret(world, world.alice)
    await world.env.settle()
    await world.alice.slash(hidden, "dream", prompt="a secret tree")
    await world.engine.dreams(1)
    told = read(await world.bob.slash(world.channel, "queue"))
    assert ENGLISH.elsewhere(1) in told and "secret" not in told and ENGLISH.LINE_EMPTY not in told


async def test_the_queue_keeps_an_age_restricted_channel_s_words_there(world: World) -> None:
    adults = world.guild.create_text_channel("adults")
    await for_adults(world, adults)
    await world.alice.slash(adults, "dream", prompt="a secret tree")
    await world.engine.dreams(1)
    assert "secret" not in read(await world.bob.slash(world.channel, "queue"))
    assert "a secret tree" in read(await world.bob.slash(adults, "queue"))


async def test_a_waiting_message_names_nobody_of_another_server(world: World) -> None:
    others = world.env.create_guild("Others")
    others.default_role._role.permissions = world.guild.default_role._role.permissions
    place = others.create_text_channel("dreams")
    await world.env.settle()
    people = [others.add_member(world.env.create_user(name)) for name in ("carol", "dan")]
    for person in people:
        await person.slash(place, "dream", prompt="a secret tree")
    await world.engine.dreams(1)
    await world.dream(world.alice)
    await world.until_text("1 more")
    assert not any(person.mention in world.text() for person in people)


async def test_a_waiting_message_names_nobody_who_dreams_in_a_hidden_channel(world: World) -> None:
    hidden = secret(world, world.alice, world.moderator)
    await world.env.settle()
    await world.alice.slash(hidden, "dream", prompt="a secret tree")
    await world.engine.dreams(1)
    await world.dream(world.bob)
    await world.until_text("1 more")
    assert world.alice.mention not in world.text()
    await world.moderator.slash(hidden, "dream", prompt="a secret house")

    def named() -> bool:
        shown = world.messages(hidden)
        return len(shown) == 2 and world.alice.mention in (shown[-1].embeds[0].description or "")

    await until(named)


async def test_moderators_are_suggested_what_they_cannot_see_without_its_words(world: World) -> None:
    role = world.guild.create_role("admins", permissions=discord.Permissions(manage_guild=True))
    ada = world.guild.add_member(world.env.create_user("ada"), roles=[role])
    hidden = secret(world, world.alice)
    await world.env.settle()
    await world.alice.slash(hidden, "dream", prompt="a secret tree")
    await world.engine.dreams(1)
    await world.dream(world.alice, "a blue house")
    found = await ada.autocomplete(world.channel, "moderate cancel", "dream", "")
    assert [choice["name"] for choice in found] == ["1 · …", "2 · a blue house"]
    await ada.slash(world.channel, "moderate cancel", dream=1)
    assert (await world.stored(1)).cancel_asked or (await world.stored(1)).state is DreamState.CANCELLED


# ------------------------------------------------------------------ contests


async def contest_in(world: World, channel_id: int) -> Any:
    contests = world.parts.contests
    begun = await contests.start(
        guild_id=world.guild.id, channel_id=channel_id, theme="masks", language="en", by=1, span_s=9e5
    )
    async with world.parts.database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE contests SET started_at = 1")
    return begun


async def test_a_hidden_channel_s_contest_is_none_for_whoever_cannot_see_it(world: World) -> None:
    hidden = secret(world, world.alice)
    await world.env.settle()
    await contest_in(world, hidden.id)
    await dreamt_in(world, world.channel, world.bob)
    for command in ("contest show", "contest enter"):
        assert read(await world.bob.slash(world.channel, command)).strip() == ENGLISH.NO_CONTEST
    assert await world.bob.autocomplete(world.channel, "contest enter", "dream", "") == []
    assert "masks" in read(await world.alice.slash(world.channel, "contest show"))
    assert "masks" in read(await world.alice.slash(hidden, "contest show"))


async def test_an_age_restricted_channel_s_contest_is_shown_there(world: World) -> None:
    adults = world.guild.create_text_channel("adults")
    await for_adults(world, adults)
    await contest_in(world, adults.id)
    assert read(await world.bob.slash(world.channel, "contest show")).strip() == ENGLISH.FOR_ADULTS
    assert "masks" in read(await world.bob.slash(adults, "contest show"))


async def test_entries_that_whoever_asks_may_not_see_are_counted(world: World) -> None:
    begun = await contest_in(world, world.channel.id)
    message = await dreamt_in(world, world.channel, world.bob, prompt="a blue house")
    place = world.guild.create_text_channel("open for now")
    await world.env.settle()
    await dreamt_in(world, place, number=2)
    contests = world.parts.contests
    for number in (1, 2):
        assert await contests.enter(begun, await world.stored(number))
    await world.parts.store.add_vote(2, world.moderator.id, VOTE_EMOJI[0])
    channel = world.parts.client.get_channel(place.id)
    assert isinstance(channel, discord.TextChannel)
    closed = {"id": world.guild.id, "type": 0, "allow": "0", "deny": str(discord.Permissions(1024).value)}
    channel._overwrites.append(discord.abc._Overwrites(closed))
    told = read(await world.bob.slash(world.channel, "contest show"))
    assert "secret" not in told and ENGLISH.elsewhere(1) in told
    assert f"**2.** [a blue house]({message.jump_url})" in told, "its place is what it is"
    won, stored = replace(begun, winner_id=2, winner_votes=1), await world.parts.store.picture(2)
    over = await world.parts.contest_messages._content(won, stored)
    assert over.exhibit is None and "secret" not in (over.embed.description or "")
    assert world.alice.mention in (over.embed.description or "")


# ------------------------------------------------------------------ archived threads


async def top_of(world: World, member: Any = None) -> str:
    return read(await (member or world.bob).slash(world.channel, "top"))


async def test_an_archived_thread_s_dream_stays_in_the_ranking_also_after_a_restart(world: World) -> None:
    place = thread(world, world.channel, world.alice)
    await world.env.settle()
    message = await dreamt_in(world, place)
    await world.bob.react(message, VOTE_EMOJI[0])
    await archive(world, place)
    assert message.jump_url in await top_of(world)
    await restarted(world)
    assert message.jump_url in await top_of(world)
    assert "a secret tree" in read(await world.bob.slash(world.channel, "dreams show", dream=1))


@pytest.mark.parametrize("why", ["private", "of a hidden channel", "of an age-restricted channel", "deleted"])
async def test_an_archived_thread_is_judged_by_its_channel(world: World, why: str) -> None:
    hidden = why == "of a hidden channel"
    parent = secret(world, world.alice) if hidden else world.guild.create_text_channel("parent")
    place = thread(world, parent, world.alice, private=why == "private")
    await world.env.settle()
    await dreamt_in(world, place)
    if why == "deleted":
        world.env.backend.delete_channel(place.id)
    else:
        await archive(world, place)
    await restarted(world)
    sentence = ENGLISH.no_such_dream(1)
    if why == "of an age-restricted channel":
        await for_adults(world, parent)
        sentence = ENGLISH.FOR_ADULTS
    await world.parts.store.add_vote(1, world.bob.id, VOTE_EMOJI[0])
    assert (await top_of(world)).strip() == ENGLISH.NO_TOP
    assert read(await world.bob.slash(world.channel, "dreams show", dream=1)).strip() == sentence


async def test_an_archived_thread_s_dream_hangs_in_the_hall_and_in_the_gallery(world: World) -> None:
    place = thread(world, world.channel, world.alice)
    shows = world.guild.create_text_channel("shows")
    await world.env.settle()
    await dreamt_in(world, place)
    await archive(world, place)
    await restarted(world)
    await world.parts.moderation.change(
        world.guild.id,
        by=1,
        change=lambda old: type(old)(gallery_channel=shows.id, fame_channel=shows.id, fame_votes=1),
    )
    await world.parts.store.add_vote(1, world.bob.id, VOTE_EMOJI[0])
    await world.parts.hall_of_fame_messages._look_at(1)
    await until_idle(world)
    assert len(world.messages(shows)) == 1
    await world.parts.outbox.owe(Kind.GALLERY, 1)
    await until_idle(world)
    assert len(world.messages(shows)) == 2


async def test_a_thread_is_asked_for_once_and_not_too_many_at_a_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [thread(world, world.channel, world.alice) for _ in range(3)]
    await world.env.settle()
    for place in made:
        await archive(world, place)
    await restarted(world)
    client, asked = world.parts.client, []
    fetch = client.fetch_channel

    async def counted(channel_id: int) -> Any:
        asked.append(channel_id)
        return await fetch(channel_id)

    monkeypatch.setattr(client, "fetch_channel", counted)
    monkeypatch.setattr(channels, "MOST", 2)
    venues, ids = world.parts.sight.venues, [place.id for place in made]
    for _ in range(2):
        await venues.learn(world.guild.id, [*ids, 12345])
    assert sorted(asked) == sorted([*ids, 12345]), "each once, the one that is gone too"
    await venues.learn(world.guild.id, [*ids, 12345])
    assert len(asked) == 4 and all(venues.venue(world.guild.id, one).public for one in ids)
    venues.forget(ids[0])
    assert not venues.venue(world.guild.id, ids[0]).known


async def test_one_s_own_dreams_of_another_server_are_listed_and_nothing_is_asked_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        await world.parts.store.add(world.wish(guild_id=999, channel_id=12345, prompt=f"tree {number}"))
    asked: list[int] = []
    monkeypatch.setattr(world.parts.client, "fetch_channel", asked.append)
    assert "tree 2" in read(await world.alice.slash(world.channel, "dreams mine"))
    assert "tree 1" in read(await world.alice.slash(world.channel, "dreams show", dream=2))
    assert read(await world.bob.slash(world.channel, "dreams show", dream=2)).strip() == (
        ENGLISH.no_such_dream(2)
    )
    assert asked == []


# ------------------------------------------------------------------ a dream by its number


async def test_an_age_restricted_channel_s_dream_is_shown_elsewhere_to_its_dreamer_alone(
    world: World,
) -> None:
    adults = world.guild.create_text_channel("adults")
    await for_adults(world, adults)
    await dreamt_in(world, adults)
    for command, options in (("show", {"dream": 1}), ("repeat", {"dream": 1})):
        told = read(await world.bob.slash(world.channel, f"dreams {command}", **options))
        assert told.strip() == ENGLISH.FOR_ADULTS
    told = read(await world.bob.slash(world.channel, "dreams blend", first=1, second=1))
    assert told.strip() == ENGLISH.FOR_ADULTS
    assert "a secret tree" in read(await world.bob.slash(adults, "dreams show", dream=1))
    assert "a secret tree" in read(await world.alice.slash(world.channel, "dreams show", dream=1))


async def test_one_s_own_dream_of_a_channel_that_is_closed_now_has_no_link(world: World) -> None:
    place = world.guild.create_text_channel("open for now")
    await world.env.settle()
    await dreamt_in(world, place)
    answer = await world.alice.slash(world.channel, "dreams show", dream=1)
    assert answer.response is not None
    assert ENGLISH.WHERE in [field.name for field in answer.response.embeds[0].fields]
    channel = world.parts.client.get_channel(place.id)
    assert isinstance(channel, discord.TextChannel)
    closed = {"id": world.guild.id, "type": 0, "allow": "0", "deny": str(discord.Permissions(1024).value)}
    channel._overwrites.append(discord.abc._Overwrites(closed))
    answer = await world.alice.slash(world.channel, "dreams show", dream=1)
    assert answer.response is not None
    assert ENGLISH.WHERE not in [field.name for field in answer.response.embeds[0].fields]
    assert "http" not in read(await world.alice.slash(world.channel, "dreams mine"))


async def test_a_time_lapse_is_no_way_around_the_age_restriction(world: World) -> None:
    adults = world.guild.create_text_channel("adults")
    await for_adults(world, adults)
    message = await dreamt_in(world, adults, flagged="nudity")
    assert message.attachments
    film = await world.alice.click(message, label=ENGLISH.TIMELAPSE)
    assert [*film.followups, film.response][0].attachments
    shown = await world.alice.slash(world.channel, "dreams show", dream=1)
    assert shown.response is not None and not shown.response.attachments


async def test_a_voice_channel_s_chat_is_for_those_who_may_connect(world: World) -> None:
    voice = world.guild.create_voice_channel("locked")
    await world.env.settle()
    channel = world.parts.client.get_channel(voice.id)
    assert isinstance(channel, discord.VoiceChannel)
    locked = {
        "id": world.guild.id,
        "type": 0,
        "allow": "0",
        "deny": str(discord.Permissions(connect=True).value),
    }
    channel._overwrites.append(discord.abc._Overwrites(locked))
    await dreamt_in(world, voice)
    told = read(await world.bob.slash(world.channel, "dreams show", dream=1))
    assert told.strip() == ENGLISH.no_such_dream(1)


async def test_moderators_delete_a_reported_dream_that_they_cannot_see(world: World) -> None:
    role = world.guild.create_role("helpers")
    helper = world.guild.add_member(world.env.create_user("help"), roles=[role])
    log = world.guild.create_text_channel("log")
    hidden = secret(world, world.alice, world.bob)
    await world.env.settle()
    await world.parts.moderation.change(
        world.guild.id,
        by=1,
        change=lambda old: type(old)(log_channel=log.id, moderator_role=role.id),
    )
    message = await dreamt_in(world, hidden)
    await world.bob.context_menu(hidden, ENGLISH.REPORT_COMMAND, message)
    await until(lambda: any(m.embeds[0].title == ENGLISH.REPORT_TITLE for m in log.history() if m.embeds))
    report = next(m for m in log.history() if m.embeds[0].title == ENGLISH.REPORT_TITLE)
    assert "secret tree" not in (report.embeds[0].description or ""), "everybody reads this log"
    asked = await helper.click(report, label=ENGLISH.DELETE_IT)
    assert read(asked).strip() == ENGLISH.DELETE_QUESTION
    await helper.click(asked.response, label=ENGLISH.DELETE_SURELY)
    assert (await world.stored(1)).erased
