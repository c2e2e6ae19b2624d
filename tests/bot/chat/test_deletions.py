"""What is deleted by hand in Discord leaves every public place, whoever was here to hear of it."""

from typing import Any

import discord
import pytest
from simcord.backend.models import Overwrite
from simcord.builders import ChannelHandle

from bot.database import StoreBusy
from bot.dreams import DreamState, Gone
from bot.guilds import VOTE_EMOJI
from bot.tops import By, Period, View
from tests.bot.chat.conftest import World
from tests.bot.scripted import until

STAR = VOTE_EMOJI[0]


class Hung:
    """Alice's dream, with bob's vote, in a hall and a gallery."""

    def __init__(self, world: World, hall: ChannelHandle, gallery: ChannelHandle) -> None:
        self.world, self.hall, self.gallery = world, hall, gallery

    def hangs(self) -> tuple[int, int]:
        return len(self.world.messages(self.hall)), len(self.world.messages(self.gallery))

    async def ranked(self) -> int:
        view = View(self.world.guild.id, {self.world.channel.id}, flagged=True)
        places, total = await self.world.parts.client.tops.page(view, By.PICTURE, Period.EVER, page=0, size=3)
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
    world.parts.client.gallery._pace_s = world.parts.client.deletions._pace_s = 0.001
    hall, gallery = (world.guild.create_text_channel(name) for name in ("hall", "gallery"))
    await world.env.settle()

    def change(old: Any) -> Any:
        return type(old)(fame_channel=hall.id, fame_votes=1, gallery_channel=gallery.id)

    await world.parts.moderation.change(world.guild.id, by=1, change=change)
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.finish()
    await world.until_delivered(1)
    await until(lambda: len(world.messages(gallery)) == 1)
    await world.bob.react(world.messages()[0], STAR)
    await until(lambda: [bool(m.content) for m in world.messages(hall)] == [True])

    async def remembered() -> bool:
        return len(await world.parts.client.copies.of(1)) == 2

    await until(remembered)
    found = Hung(world, hall, gallery)
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
    world.parts.hall.moved(1)
    await world.parts.client.poster.caption(await world.stored(1), "⭐ 2")
    await until(hung.is_gone)


async def test_a_permission_that_is_missing_for_a_moment_ends_nothing(world: World, hung: Hung) -> None:
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=403, code=50001, times=1)
    await world.parts.client.poster.caption(await world.stored(1), "⭐ 2")
    await world.env.settle()
    assert (await world.stored(1)).gone is Gone.NOT and hung.hangs() == (1, 1)


async def test_a_copy_that_a_moderator_took_from_the_hall_does_not_come_back(
    world: World, hung: Hung
) -> None:
    world.env.backend.delete_message(hung.hall.id, world.messages(hung.hall)[0].id)
    await world.env.settle()
    await world.moderator.react(world.messages()[0], STAR)
    await world.parts.hall._look(1)
    assert hung.hangs() == (0, 1)
    assert await world.parts.client.votes.tally(1) == 2 and await hung.ranked() == 1
    await world.restart()
    await world.parts.hall._look(1)
    assert hung.hangs() == (0, 1)


async def test_a_copy_that_a_moderator_took_from_the_gallery_does_not_come_back(
    world: World, hung: Hung
) -> None:
    copy = world.messages(hung.gallery)[0]
    await world.moderator.react(copy, STAR)
    assert await world.parts.client.votes.tally(1) == 2
    world.env.backend.delete_message(hung.gallery.id, copy.id)
    await world.env.settle()
    assert (await world.stored(1)).gallery_message_id is None
    assert await world.parts.client.votes.tally(1) == 1, "a reaction goes with its message"
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
    await client.on_guild_remove(guild)

    async def left() -> bool:
        return (await world.stored(1)).gone is Gone.LEFT

    await until(left)
    assert await hung.ranked() == 0
    await client.on_guild_join(guild)

    async def back() -> bool:
        return (await world.stored(1)).gone is Gone.NOT

    await until(back)
    assert await hung.ranked() == 1


async def test_a_deletion_while_the_database_is_busy_is_not_lost(
    world: World, hung: Hung, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = world.parts.client
    client.inbox._pause_s = 0.001
    real, busy = client.copies.messages_gone, [True] * 3

    async def messages_gone(ids: Any) -> Any:
        if busy:
            busy.pop()
            raise StoreBusy
        return await real(ids)

    monkeypatch.setattr(client.copies, "messages_gone", messages_gone)
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
