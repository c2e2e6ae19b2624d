"""A person's vote is one vote under the dream and its copies, in any form, and the bot's own reactions."""

from typing import Any

import discord
import pytest
import simcord.http.routes.reactions as routes
from simcord.actors import MemberActor
from simcord.backend import serializers
from simcord.http import router

from bot.chat import reactions
from bot.chat.messages import vote_reactions
from bot.database.connection import StoreBusy
from bot.database.outbox import Kind
from bot.servers.settings import VOTE_EMOJI
from tests.bot.chat.conftest import World
from tests.bot.chat.owing import another, back, lease_ends, owed, until_nothing_is_owed, until_tried
from tests.bot.scripted import until

STAR, HEART = VOTE_EMOJI


async def dreamt(world: World, **settings: object) -> discord.Message:
    """Alice's dream, done and under vote."""
    if settings:
        await world.parts.moderation.change(
            world.guild.id, by=1, change=lambda old: type(old)(**{**fields(old), **settings})
        )
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.finish()
    await world.until_delivered(1)
    return world.messages()[0]


def fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


async def in_both(world: World) -> tuple[discord.Message, discord.Message, discord.Message]:
    """A dream that hangs in a hall of fame and in a gallery, with bob's vote."""
    hall, gallery = (world.guild.create_text_channel(name) for name in ("hall", "gallery"))
    await world.env.settle()
    message = await dreamt(world, fame_channel=hall.id, fame_votes=1, gallery_channel=gallery.id)
    await until(lambda: len(world.messages(gallery)) == 1)
    await world.bob.react(message, STAR)
    await until(lambda: [m.content for m in world.messages(hall)] == [f"⭐ 1 · <#{world.channel.id}>"])

    async def remembered() -> bool:
        return len(await world.parts.copies.of(1)) == 2

    await until(remembered)
    return message, world.messages(hall)[0], world.messages(gallery)[0]


async def tally(world: World) -> int:
    return await world.parts.votes.tally(1)


def event(world: World, message: discord.Message, member: MemberActor, name: str, **changes: object) -> None:
    """What Discord tells of a reaction."""
    guild = world.env.backend.guilds[world.guild.id]
    payload = {
        "user_id": str(member.id),
        "channel_id": str(message.channel.id),
        "message_id": str(message.id),
        "guild_id": str(guild.id),
        "emoji": serializers.emoji_payload(STAR),
        "member": serializers.member_payload(world.env.backend, guild, guild.members[member.id]),
        "burst": False,
        "type": 0,
        **changes,
    }
    world.env.backend.emit(f"MESSAGE_REACTION_{name}", payload)


async def test_a_star_under_a_copy_counts_and_a_person_counts_once(world: World) -> None:
    message, in_hall, in_gallery = await in_both(world)
    for one in (in_hall, in_gallery):
        await world.bob.react(one, STAR)
    assert await tally(world) == 1
    await world.moderator.react(in_gallery, HEART)
    await world.alice.react(in_hall, STAR)  # the dreamer
    assert await tally(world) == 2
    await until(lambda: world.messages()[0].content == "⭐ 2")
    await world.bob.unreact(message, STAR)
    await world.bob.unreact(in_gallery, STAR)
    assert await tally(world) == 2, "bob's star in the hall is left"
    await world.bob.unreact(in_hall, STAR)
    assert await tally(world) == 1


async def test_votes_under_copies_are_found_after_a_restart(world: World) -> None:
    _, in_hall, in_gallery = await in_both(world)
    carol = world.guild.add_member(world.env.create_user("carol"))
    await world.parts.end()
    subscribers, world.env.backend.subscribers[:] = list(world.env.backend.subscribers), []
    await carol.react(in_hall, STAR)
    await world.moderator.react(in_gallery, STAR)
    world.env.backend.subscribers[:] = subscribers
    await world.restart()
    await world.env.settle()
    assert await tally(world) == 3


async def test_a_super_reaction_counts_beside_a_plain_one(world: World) -> None:
    message = await dreamt(world)
    event(world, message, world.bob, "ADD", burst=True, type=1)
    await world.env.settle()
    assert await tally(world) == 1
    await world.bob.react(message, STAR)
    event(world, message, world.bob, "REMOVE", burst=True, type=1)
    await world.env.settle()
    assert await tally(world) == 1, "the plain one is left"
    await world.bob.unreact(message, STAR)
    assert await tally(world) == 0


async def test_super_reactions_are_found_after_a_restart(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = await dreamt(world)
    carol = world.guild.add_member(world.env.create_user("carol"))
    real = serializers.message_payload

    def with_supers(*args: Any, **options: Any) -> Any:
        payload = real(*args, **options)
        for one in payload["reactions"]:
            if one["emoji"]["name"] == STAR:
                one["count"] += 2
                one["count_details"] = {"normal": one["count"] - 2, "burst": 2}
        return payload

    def users(ctx: Any) -> Any:
        people = (world.bob, carol) if str(ctx.params.get("type")) == "1" else (world.moderator,)
        return [dict(serializers.user_payload(ctx.backend.get_user(one.id))) for one in people]

    await world.moderator.react(message, STAR)
    monkeypatch.setattr(serializers, "message_payload", with_supers)
    told = [(path, users if do is routes.get_reaction_users else do) for path, do in router._ROUTES["GET"]]
    monkeypatch.setitem(router._ROUTES, "GET", told)
    await world.restart()
    await world.env.settle()
    assert await tally(world) == 3


@pytest.mark.parametrize("given", ["👍", "👍🏽", "👍🏿"])
async def test_a_thumb_is_a_thumb_in_every_skin_tone(world: World, given: str) -> None:
    message = await dreamt(world, vote_emoji=("👍",))
    await world.bob.react(message, given)
    assert await tally(world) == 1
    await world.bob.react(message, "👍🏻")
    await world.bob.unreact(message, given)
    assert await tally(world) == 1
    await world.bob.unreact(message, "👍🏻")
    assert await tally(world) == 0


async def test_giving_and_taking_back_in_quick_order_ends_as_it_ended(world: World) -> None:
    message = await dreamt(world)
    for _ in range(2):
        for name in ("ADD", "REMOVE", "ADD", "REMOVE"):
            event(world, message, world.bob, name)
        for name in ("ADD", "REMOVE", "ADD"):
            event(world, message, world.moderator, name)
    await world.env.settle()
    assert await tally(world) == 1, "bob took it back at last, the moderator did not"


async def test_a_vote_while_the_database_is_busy_is_counted_when_it_is_free(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = await dreamt(world)
    world.parts.inbox._pause_s = 0.001
    real, busy = world.parts.store.shown_at, [True] * 4

    async def shown_at(message_id: int) -> Any:
        if busy:
            busy.pop()
            raise StoreBusy
        return await real(message_id)

    monkeypatch.setattr(world.parts.store, "shown_at", shown_at)
    for name in ("ADD", "REMOVE", "ADD"):
        event(world, message, world.bob, name)

    async def counted() -> bool:
        return not busy and await tally(world) == 1

    await until(counted)


# ------------------------------------------------------------------ the bot's own reactions


def puts(world: World) -> int:
    return len([r for r in world.env.http_requests if r.method == "PUT" and "/reactions/" in r.path])


def own(world: World) -> list[str]:
    return [str(one.emoji) for one in world.messages()[0].reactions]


@pytest.mark.parametrize(("status", "code"), [(400, 10014), (403, 50013), (500, 0), (400, 30010)])
async def test_an_emoji_that_discord_refuses_keeps_no_other_away(
    world: World, status: int, code: int
) -> None:
    gone = "<:gone:1234567890123456789>"
    world.env.inject_error("PUT", "*/reactions/*gone*/@me", status=status, code=code, times=None)
    await dreamt(world, vote_emoji=(gone, HEART))
    await until(lambda: own(world) == [HEART])


async def test_what_a_hiccup_kept_away_is_tried_again(world: World) -> None:
    world.env.inject_error("PUT", "*/reactions/*", status=500, times=None)
    await dreamt(world)
    await until_tried(world, Kind.REACTIONS)
    back(world)
    await until(lambda: own(world) == list(VOTE_EMOJI))
    await until_nothing_is_owed(world)


async def test_a_kill_takes_no_reaction_away(world: World) -> None:
    world.env.inject_error("PUT", "*/reactions/*", status=500, times=None)
    world.parts.outbox._retry_s = 30.0
    await dreamt(world)
    await until_tried(world, Kind.REACTIONS, times=1)
    back(world)
    other = another(world)  # the first one does nothing any more
    await other.start()
    await lease_ends(world)
    other.wake()
    await until(lambda: own(world) == list(VOTE_EMOJI))
    await other.close()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Discord refused is tried again soon."""
    monkeypatch.setattr(vote_reactions, "REFUSED_S", (0.01,))


@pytest.mark.parametrize(("status", "code"), [(404, 10008), (404, 10003), (403, 90001), (403, 50013)])
@pytest.mark.usefixtures("hasty")
async def test_wrong_answers_keep_no_reaction_away(world: World, status: int, code: int) -> None:
    world.env.inject_error("PUT", "*/reactions/*", status=status, code=code, times=8)
    await dreamt(world)
    await until(lambda: own(world) == list(VOTE_EMOJI))


@pytest.mark.usefixtures("hasty")
async def test_under_a_message_that_is_gone_each_try_is_one_request_and_in_the_end_there_is_none(
    world: World,
) -> None:
    world.env.inject_error("PUT", "*/reactions/*", status=404, code=10008, times=None)
    await dreamt(world)
    await until_tried(world, Kind.REACTIONS, times=4)
    tries = (await owed(world))[Kind.REACTIONS]
    assert tries - 1 <= puts(world) <= tries + 1
    await world.moderator.delete(world.messages()[0])
    await until_nothing_is_owed(world)


@pytest.mark.usefixtures("hasty")
async def test_without_the_permission_nothing_is_asked_until_it_is_back(world: World) -> None:
    channel = world.parts.client.get_channel(world.channel.id)
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await channel.set_permissions(channel.guild.default_role, add_reactions=False)
    await world.env.settle()
    world.engine.finish()
    await world.until_delivered(1)
    await until_tried(world, Kind.REACTIONS)
    assert puts(world) == 0 and own(world) == []
    await channel.set_permissions(channel.guild.default_role, add_reactions=True)
    await until(lambda: own(world) == list(VOTE_EMOJI))


async def test_refusals_are_few(world: World) -> None:
    world.env.inject_error("PUT", "*/reactions/*", status=403, code=50013, times=None)
    await dreamt(world)
    await until(lambda: puts(world) > 0)
    await world.env.settle()
    assert puts(world) == len(VOTE_EMOJI), "the next try is seconds away, and the last one six hours"


async def test_a_start_puts_what_a_former_process_could_not(world: World) -> None:
    world.env.inject_error("PUT", "*/reactions/*", status=500, times=None)
    await dreamt(world)
    world.env.backend.faults.clear()
    assert own(world) == []
    await world.restart()
    await until(lambda: own(world) == list(VOTE_EMOJI))


def test_of_two_ways_to_write_one_emoji_one_is_kept() -> None:
    assert reactions.distinct(("❤️", "👍", "❤", "👍🏽")) == ("❤️", "👍")
