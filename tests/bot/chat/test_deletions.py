"""What is deleted by hand in Discord leaves every public place, whoever was here to hear of it."""

import asyncio
from dataclasses import replace
from typing import Any

import discord
import pytest
from simcord.backend import serializers
from simcord.backend.models import Overwrite
from simcord.builders import ChannelHandle

from bot.chat.erasing import erase
from bot.chat.messages import taking_down
from bot.chat.messages.outbox import DENIALS
from bot.chat.messages.poster import Outcome
from bot.community.ranking import By, Period, Scope
from bot.database.connection import StoreBusy
from bot.dreams.dream import DreamState, Gone
from bot.servers.settings import VOTE_EMOJI, NsfwPolicy
from tests.bot.chat.channels import archive, dreamt_in, thread
from tests.bot.chat.conftest import World
from tests.bot.chat.owing import until_nothing_is_owed
from tests.bot.scripted import until

STAR = VOTE_EMOJI[0]


class Hung:
    """Alice's dream, with bob's vote, in a hall and a gallery."""

    def __init__(self, world: World, hall: ChannelHandle, gallery: ChannelHandle) -> None:
        self.world, self.hall, self.gallery = world, hall, gallery

    def hangs(self) -> tuple[int, int]:
        return len(self.world.messages(self.hall)), len(self.world.messages(self.gallery))

    async def ranked(self) -> int:
        view = Scope(self.world.guild.id, {self.world.channel.id}, flagged=True)
        places, total = await self.world.parts.ranking.page(view, By.PICTURE, Period.EVER, page=0, size=3)
        assert len(places) == total
        return total

    async def is_gone(self) -> bool:
        gone = (await self.world.stored(1)).gone is Gone.DELETED
        return gone and self.hangs() == (0, 0) and await self.ranked() == 0

    async def away(self, change: Any) -> None:
        """Something happens while the bot is not there."""
        world = self.world
        await world.parts.end()
        subscribers, world.env.backend.subscribers[:] = list(world.env.backend.subscribers), []
        change()
        world.env.backend.subscribers[:] = subscribers
        await world.restart()


@pytest.fixture
async def hung(world: World) -> Hung:
    world.parts.deletions._pace_s = 0.001
    hall_of_fame, gallery = (world.guild.create_text_channel(name) for name in ("hall", "gallery"))
    await world.env.settle()

    def change(old: Any) -> Any:
        return type(old)(fame_channel=hall_of_fame.id, fame_votes=1, gallery_channel=gallery.id)

    await world.parts.moderation.change(world.guild.id, by=1, change=change)
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.finish()
    await world.until_delivered(1)
    await until(lambda: len(world.messages(gallery)) == 1)
    await world.bob.react(world.messages()[0], STAR)
    await until(lambda: [bool(m.content) for m in world.messages(hall_of_fame)] == [True])

    async def remembered() -> bool:
        return len(await world.parts.copies.of(1)) == 2

    await until(remembered)
    found = Hung(world, hall_of_fame, gallery)
    assert await found.ranked() == 1
    return found


async def test_a_deleted_message_ends_the_showing_everywhere(world: World, hung: Hung) -> None:
    await world.moderator.delete(world.messages()[0])
    await until(hung.is_gone)
    assert await world.parts.store.picture(1) is not None, "it is still its author's"
    mine = await world.alice.slash(world.channel, "dreams mine")
    assert mine.response is not None and "cherries" in (mine.response.embeds[0].description or "")
    assert "discord.com/channels" not in (mine.response.embeds[0].description or "")
    for person in (world.alice, world.bob):
        shown = await person.slash(world.channel, "dreams show", dream=1)
        said = shown.response or shown.followups[0]
        assert bool(said.embeds) is (person is world.alice)


async def test_messages_deleted_in_bulk_do_too(world: World, hung: Hung) -> None:
    world.env.backend.bulk_delete_messages(world.channel.id, [m.id for m in world.messages()])
    await until(hung.is_gone)


async def test_a_deleted_channel_takes_its_dreams_along(world: World, hung: Hung) -> None:
    world.env.backend.delete_channel(world.channel.id)
    await until(hung.is_gone)


async def test_a_deleted_thread_takes_its_dreams_along(world: World) -> None:
    opener = await world.alice.send(world.channel, "the night")
    channel = world.env.bot.get_channel(world.channel.id)
    assert isinstance(channel, discord.TextChannel)
    thread = await channel.get_partial_message(opener.id).create_thread(name="night")
    (handle,) = [t for t in world.channel.threads if t.id == thread.id]
    await world.alice.slash(handle, "dream", prompt="a house")
    await world.engine.dreams(1)
    world.engine.finish()
    await world.until_delivered(1)
    world.env.backend.delete_channel(thread.id)

    async def gone() -> bool:
        return (await world.stored(1)).gone is Gone.DELETED

    await until(gone)


@pytest.mark.parametrize("what", ["message", "channel"])
async def test_what_was_deleted_while_nobody_was_here_is_found(world: World, hung: Hung, what: str) -> None:
    backend, channel, message = world.env.backend, world.channel.id, world.messages()[0].id
    await hung.away(
        lambda: (
            backend.delete_message(channel, message) if what == "message" else backend.delete_channel(channel)
        )
    )
    await until(hung.is_gone)


async def test_a_message_that_discord_does_not_know_any_more_is_gone(world: World, hung: Hung) -> None:
    world.env.backend.messages[world.channel.id].clear()  # nobody tells of it
    world.parts.hall_of_fame_messages.moved(1)
    await world.parts.poster.caption(await world.stored(1), "⭐ 2")
    await until(hung.is_gone)


async def test_a_permission_that_is_missing_for_a_moment_ends_nothing(world: World, hung: Hung) -> None:
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=403, code=50001, times=1)
    await world.parts.poster.caption(await world.stored(1), "⭐ 2")
    await world.env.settle()
    assert (await world.stored(1)).gone is Gone.NOT and hung.hangs() == (1, 1)


async def test_a_copy_that_a_moderator_took_from_the_hall_does_not_come_back(
    world: World, hung: Hung
) -> None:
    world.env.backend.delete_message(hung.hall.id, world.messages(hung.hall)[0].id)
    await world.env.settle()
    await world.moderator.react(world.messages()[0], STAR)
    await world.parts.hall_of_fame_messages._look_at(1)
    await until_nothing_is_owed(world)
    assert hung.hangs() == (0, 1)
    assert await world.parts.votes.tally(1) == 2 and await hung.ranked() == 1
    await world.restart()
    await world.parts.hall_of_fame_messages._look_at(1)
    await until_nothing_is_owed(world)
    assert hung.hangs() == (0, 1)


async def test_a_copy_that_a_moderator_took_from_the_gallery_does_not_come_back(
    world: World, hung: Hung
) -> None:
    copy = world.messages(hung.gallery)[0]
    await world.moderator.react(copy, STAR)
    assert await world.parts.votes.tally(1) == 2
    world.env.backend.delete_message(hung.gallery.id, copy.id)
    await world.env.settle()
    assert (await world.stored(1)).gallery_message_id is None
    assert await world.parts.votes.tally(1) == 1, "a reaction goes with its message"
    await until(lambda: world.messages(hung.hall)[0].content.startswith("⭐ 1"))


def close(world: World, *, deny: int = 0x400) -> None:
    """Nobody may see the channel any more (or again), but the bot, which has a role of its own in this."""
    everybody = world.guild.default_role.id
    world.env.backend.set_overwrite(
        world.channel.id, Overwrite(target_id=everybody, type=0, allow=0, deny=deny)
    )


async def test_a_channel_that_is_closed_takes_its_dreams_from_public_places(world: World, hung: Hung) -> None:
    close(world)
    await until(lambda: hung.hangs() == (0, 0))
    assert (await world.stored(1)).gone is Gone.NOT
    close(world, deny=0)
    await world.env.settle()
    await world.moderator.react(world.messages()[0], STAR)
    await until(lambda: hung.hangs() == (1, 0))  # the hall's comes back with a vote


async def test_everybody_shut_out_by_a_role_counts_as_closed(world: World, hung: Hung) -> None:
    backend, everybody = world.env.backend, world.guild.default_role.id
    for place in (hung.hall, hung.gallery):
        backend.set_overwrite(place.id, Overwrite(target_id=everybody, type=0, allow=0x400, deny=0))
    await world.env.settle()
    seen = backend.get_role(world.guild.id, everybody).permissions
    backend.edit_role(world.guild.id, everybody, {"permissions": seen & ~0x400})
    await until(lambda: hung.hangs() == (0, 0))


async def test_a_channel_closed_while_nobody_was_here_is_found(world: World, hung: Hung) -> None:
    await hung.away(lambda: close(world))
    await until(lambda: hung.hangs() == (0, 0))


async def test_a_server_that_was_left_is_ranked_again_only_when_it_is_back(world: World, hung: Hung) -> None:
    client = world.parts.client
    guild = client.get_guild(world.guild.id)
    await world.hear("guild_remove", guild)

    async def left() -> bool:
        return (await world.stored(1)).gone is Gone.LEFT

    await until(left)
    assert await hung.ranked() == 0
    await world.hear("guild_join", guild)

    async def back() -> bool:
        return (await world.stored(1)).gone is Gone.NOT

    await until(back)
    assert await hung.ranked() == 1


async def test_a_deletion_while_the_database_is_busy_is_not_lost(
    world: World, hung: Hung, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.parts.inbox._pause_s = 0.001
    real, busy = world.parts.copies.messages_gone, [True] * 3

    async def messages_gone(ids: Any) -> Any:
        if busy:
            busy.pop()
            raise StoreBusy
        return await real(ids)

    monkeypatch.setattr(world.parts.copies, "messages_gone", messages_gone)
    world.env.backend.delete_message(world.channel.id, world.messages()[0].id)
    await until(hung.is_gone)


async def test_a_message_that_gives_way_to_a_new_one_is_no_deletion(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await until(lambda: len(world.messages()) == 1)
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=429, code=30046, times=None)
    world.engine.finish()
    dream = await world.until_delivered(1)
    await until(lambda: [m.id for m in world.messages()] == [dream.message_id])
    world.env.backend.faults.clear()
    await world.env.settle()
    assert (await world.stored(1)).state is DreamState.DONE and (await world.stored(1)).gone is Gone.NOT


async def test_a_server_that_is_back_is_looked_at_anew(world: World, hung: Hung) -> None:
    client = world.parts.client
    guild = client.get_guild(world.guild.id)
    await world.hear("guild_remove", guild)

    async def left() -> bool:
        return (await world.stored(1)).gone is Gone.LEFT

    await until(left)
    subscribers, world.env.backend.subscribers[:] = list(world.env.backend.subscribers), []
    close(world)
    world.env.backend.subscribers[:] = subscribers
    everybody = client.get_channel(world.channel.id)
    assert isinstance(everybody, discord.TextChannel) and guild is not None
    everybody._update(guild, {**channel_payload(world), "position": 0})
    await world.hear("guild_join", guild)
    await until(lambda: hung.hangs() == (0, 0))


def channel_payload(world: World) -> Any:
    """As Discord tells of the channel when the bot joins."""
    backend = world.env.backend
    return serializers.channel_payload(backend, backend.channels[world.channel.id])


@pytest.mark.parametrize("policy", [NsfwPolicy.REFUSE, NsfwPolicy.SPOILER])
async def test_a_stricter_policy_takes_down_what_hangs_already(
    world: World, hung: Hung, policy: NsfwPolicy
) -> None:
    """In an age-restricted gallery unsafe pictures hang openly, until its server wants that no more."""
    async with world.parts.database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE dreams SET flagged = 'nudity'")

    async def change(policy: NsfwPolicy) -> None:
        await world.parts.moderation.change(
            world.guild.id, by=1, change=lambda old: replace(old, nsfw=policy)
        )

    for place in (world.channel, hung.hall, hung.gallery):
        world.parts.client.get_channel(place.id).nsfw = True  # type: ignore[union-attr]
    await change(NsfwPolicy.AGE_RESTRICTED)
    await until_looked(world)
    assert hung.hangs() == (1, 1)
    await change(policy)
    in_hall = (
        1 if policy is NsfwPolicy.SPOILER else 0
    )  # hidden until somebody clicks on it: see bot.dreams.showing
    await until(lambda: hung.hangs() == (in_hall, 0))


async def until_looked(world: World) -> None:
    """Until the server was looked at and the hall has done what came of it."""
    deletions, hall_of_fame = world.parts.deletions, world.parts.hall_of_fame_messages
    await until(lambda: deletions._task is not None and deletions._task.done() and not hall_of_fame._moved)
    await world.env.settle()


async def test_a_picture_leaves_the_gallery_later_when_discord_has_a_moment(world: World, hung: Hung) -> None:
    copy = world.messages(hung.gallery)[0]
    world.env.inject_error("DELETE", f"/channels/{hung.gallery.id}/messages/{copy.id}", status=500, times=3)
    assert await erase(world.parts, await world.stored(1))
    await until(lambda: hung.hangs() == (0, 0))


async def test_a_place_in_the_gallery_is_remembered_although_the_database_is_busy(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery = world.guild.create_text_channel("gallery")
    await world.env.settle()
    await world.parts.moderation.change(
        world.guild.id, by=1, change=lambda old: replace(old, gallery_channel=gallery.id)
    )
    real, busy = world.parts.store.set_gallery, [True] * 2
    world.parts.outbox._retry_s = 0.001

    async def set_gallery(*place: int) -> None:
        if busy:
            busy.pop()
            raise StoreBusy
        await real(*place)

    monkeypatch.setattr(world.parts.store, "set_gallery", set_gallery)
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.finish()
    await world.until_delivered(1)

    async def remembered() -> bool:
        return (await world.stored(1)).gallery_message_id is not None

    await until(remembered)
    assert len(world.messages(gallery)) == 1


async def test_a_dream_in_an_archived_thread_can_be_deleted(world: World) -> None:
    """Discord deletes nothing in an archived thread: it has to be open."""
    place = thread(world, world.channel, world.alice)
    message = await dreamt_in(world, place)
    await archive(world, place)
    path = f"/channels/{place.id}/messages/{message.id}"
    world.env.inject_error("DELETE", path, status=400, code=50083, times=1)
    assert await erase(world.parts, await world.stored(1))
    assert message.id not in [m.id for m in world.messages(place)] and (await world.stored(1)).erased
    asked = [(r.method, r.path) for r in world.env.http_requests if r.method in ("DELETE", "PATCH")]
    assert asked[-3:] == [("DELETE", path), ("PATCH", f"/channels/{place.id}"), ("DELETE", path)]


async def test_at_its_end_the_bot_leaves_nobody_at_work(world: World, hung: Hung) -> None:
    await world.parts.end()
    await world.parts.client.close()
    before = asyncio.all_tasks()
    world.parts.deletions.messages([world.messages()[0].id])
    world.parts.deletions.look_at(world.guild.id)
    assert asyncio.all_tasks() == before
    assert (await world.stored(1)).gone is Gone.NOT


@pytest.mark.parametrize("how", ["message", "erased", "closed", "away"])
async def test_a_winner_that_is_deleted_is_not_seen_where_it_was_told(
    world: World, hung: Hung, how: str
) -> None:
    place = world.guild.create_text_channel("contests")
    await world.env.settle()
    contests = world.parts.contests
    contest = await contests.start(
        guild_id=world.guild.id, channel_id=place.id, theme="red", language="en", by=1, span_s=9e5
    )
    assert await contests.enter(contest, await world.stored(1))
    assert await contests.finish(contest.id, now=True)
    world.parts.contest_messages.counted()
    world.parts.contest_messages.moved(contest.id)

    async def told() -> bool:
        return (await world.parts.contests.won_by(1)) != []

    await until(told)
    (message,) = world.messages(place)
    assert message.attachments and "cherries" in (message.embeds[0].description or "")
    if how == "message":
        await world.moderator.delete(world.messages()[0])
    elif how == "erased":
        assert await erase(world.parts, await world.stored(1))
    elif how == "closed":
        close(world)
    else:
        backend, channel = world.env.backend, world.channel.id
        await hung.away(lambda: backend.delete_channel(channel))

    def bare() -> bool:
        (message,) = world.messages(place)
        text = message.embeds[0].description or ""
        is_named = world.alice.mention in text  # of whom who erases it wants nothing to be left
        return not message.attachments and "cherries" not in text and is_named is (how != "erased")

    await until(bare)
    assert not any("discord.com/channels" in (m.embeds[0].description or "") for m in world.messages(place))


async def test_all_threads_go_with_their_channel_and_nobody_is_asked(world: World) -> None:
    world.parts.deletions._pace_s = 3600.0  # between two questions about channels
    forum = world.guild.create_forum_channel("forum")
    posts = [thread(world, forum, world.alice) for _ in range(4)]
    for number, post in enumerate(posts, start=1):
        await dreamt_in(world, post, number=number)
    await archive(world, posts[0])
    world.env.backend.delete_channel(forum.id)

    async def gone() -> bool:
        return all([(await world.stored(number)).gone is Gone.DELETED for number in range(1, 5)])

    await until(gone)


@pytest.mark.parametrize(
    ("status", "code", "gone"),
    [(500, 0, False), (503, 0, False), (403, 50001, False), (404, 10008, True), (404, 10003, True)],
)
async def test_at_a_start_only_what_discord_does_not_know_is_gone(
    world: World, hung: Hung, status: int, code: int, gone: bool
) -> None:
    path = f"/channels/{world.channel.id}/messages/{world.messages()[0].id}"
    world.env.inject_error("GET", path, status=status, code=code, times=None)
    await world.restart()
    await until(lambda: world.parts.contest_messages._counted.is_set())
    if gone:
        await until(hung.is_gone)
    else:
        await until_looked(world)
        assert (await world.stored(1)).gone is Gone.NOT and hung.hangs() == (1, 1)
        assert await hung.ranked() == 1 and await world.parts.votes.tally(1) == 1


@pytest.mark.parametrize("code", [10008, 10003])
async def test_what_discord_does_not_know_once_is_asked_for_again_before_anything_comes_down(
    world: World, hung: Hung, code: int
) -> None:
    path = f"/channels/{world.channel.id}/messages/{world.messages()[0].id}"
    world.env.inject_error("PATCH", path, status=404, code=code, times=1)
    dream = await world.stored(1)
    outcome = await world.parts.poster.caption(dream, "votes")
    assert outcome is Outcome.GONE
    await until(lambda: not world.parts.inbox._waiting)
    assert (await world.stored(1)).gone is Gone.NOT and hung.hangs() == (1, 1)


async def test_a_copy_out_of_reach_for_a_while_is_not_forgotten(
    world: World, hung: Hung, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking_down, "FORBIDDEN_S", 0.01)
    for place in (hung.hall, hung.gallery):
        path = f"/channels/{place.id}/messages/{world.messages(place)[0].id}"
        world.env.inject_error("DELETE", path, status=403, code=50001, times=2)
    await world.moderator.delete(world.messages()[0])
    await until(hung.is_gone)


@pytest.mark.parametrize(("status", "code"), [(404, 10008), (403, 50001), (503, 0)])
async def test_wrong_answers_leave_no_copy_hanging(
    world: World, hung: Hung, monkeypatch: pytest.MonkeyPatch, status: int, code: int
) -> None:
    monkeypatch.setattr(taking_down, "FORBIDDEN_S", 0.01)
    for place in (hung.hall, hung.gallery):
        path = f"/channels/{place.id}/messages/{world.messages(place)[0].id}"
        world.env.inject_error("DELETE", path, status=status, code=code, times=DENIALS - 1)
    await world.moderator.delete(world.messages()[0])
    await until(hung.is_gone)
    await until_nothing_is_owed(world)


async def test_copies_come_down_with_a_thread_that_is_closed_whatever_discord_says_at_first(
    world: World,
) -> None:
    gallery = world.guild.create_text_channel("gallery")
    await world.env.settle()
    await world.parts.moderation.change(
        world.guild.id, by=1, change=lambda old: replace(old, gallery_channel=gallery.id)
    )
    place = thread(world, world.channel, world.alice)
    await dreamt_in(world, place)
    await until(lambda: len(world.messages(gallery)) == 1)
    await until_nothing_is_owed(world)
    await archive(world, place)
    world.env.inject_error("GET", f"/channels/{place.id}", status=403, code=50001, times=None)
    path = f"/channels/{gallery.id}/messages/{world.messages(gallery)[0].id}"
    world.env.inject_error("DELETE", path, status=404, code=10008, times=2)
    world.parts.sight.venues._threads.clear()  # as after a start
    world.parts.deletions.look_at(world.guild.id)
    await until(lambda: world.messages(gallery) == [])
    await until_nothing_is_owed(world)
    assert (await world.stored(1)).gone is Gone.NOT
