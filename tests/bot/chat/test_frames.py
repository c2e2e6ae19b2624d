"""A dream's one message: its place, its frames, its end."""

import io

import discord
import pytest
from PIL import Image

from bot.chat.messages.outbox import DENIALS
from bot.database.connection import StoreBusy
from bot.dreams.dream import DreamState, Picture
from bot.sentences import ENGLISH as sentences
from bot.sentences import ITALIAN
from bot.servers.settings import VOTE_EMOJI
from engine.sentences import Saying
from tests.bot.chat.conftest import World, labels
from tests.bot.scripted import picture, until


async def test_a_dream_takes_shape_in_one_message_and_becomes_its_final_picture(world: World) -> None:
    answer = await world.dream(world.alice, seed=7, steps=5)
    assert answer.response is not None and answer.response.ephemeral
    await world.engine.dreams(1)
    world.engine.start()
    world.engine.step(score=20.0, preview=picture("JPEG"))
    message = await world.until_text("step 1 of 5")
    assert [a.filename for a in message.attachments] == ["dream-1.jpg"]
    assert message.components, "a cancel button"
    world.engine.step(score=25.5, preview=picture("JPEG", shade=90))
    await world.until_text("step 2 of 5 · score 25.5")
    world.engine.finish(score=51.5)
    dream = await world.until_delivered(1)

    assert dream.state is DreamState.DONE
    (message,) = world.messages()
    (embed,) = message.embeds
    assert message.id == dream.message_id
    assert [a.filename for a in message.attachments] == ["dream-1.png"]
    assert embed.image.url == "attachment://dream-1.png" or "dream-1.png" in (embed.image.url or "")
    assert "**a bowl of cherries**" in world.text() and world.alice.mention in world.text()
    assert {field.name: field.value for field in embed.fields} == {
        "Seed": "7",
        "Steps": "5",
        "Score": "51.5",
        "Time": "0:42",
        "Models": "pocket (pocket-gan, pocket-clip)",
    }
    assert labels(message) == ["Again", "Vary", "Continue", "Edit", "Time-lapse", "Recipe", "Delete"]
    await until(lambda: [str(r.emoji) for r in world.messages()[0].reactions] == list(VOTE_EMOJI))


async def test_the_final_picture_arrives_byte_for_byte(world: World) -> None:
    png = picture("PNG", shade=33)
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.finish(png=png)
    await world.until_delivered(1)
    (attachment,) = world.messages()[0].attachments
    assert await attachment.read() == png


async def test_a_second_dream_says_where_it_stands_and_moves_up(world: World) -> None:
    first = await world.dream(world.alice)
    assert first.response is not None and first.response.content == sentences.queued(1)
    await world.engine.dreams(1)
    second = await world.dream(world.bob, "a house")
    third = await world.dream(world.alice, "a tree")
    assert second.response is not None and "next in line" in second.response.content
    assert third.response is not None and "number 2 in line" in third.response.content
    await world.until_text("Next in line", at=1)
    await world.until_text("Number 2 in line", at=2)
    world.engine.finish()
    await world.engine.dreams(2)
    await world.until_text("Next in line", at=2)
    await world.until_text(sentences.LOADING, at=1)


async def test_models_that_come_from_the_network_are_told(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.fetch("biggan-deep-512", 50, 200)
    await world.until_text("Downloading the model biggan-deep-512, just this once: 25 %")
    world.engine.start()
    await world.until_text(sentences.LOADING)


async def test_the_newest_frame_wins_when_frames_come_faster_than_edits(world: World) -> None:
    await world.dream(world.alice, steps=50)
    await world.engine.dreams(1)
    before = len(world.env.http_requests)
    for _ in range(40):
        world.engine.step(preview=picture("JPEG"))
    await world.until_text("step 40 of 50")
    edits = [r for r in world.env.http_requests[before:] if r.method == "PATCH"]
    assert len(edits) <= 4


async def test_steps_without_a_new_picture_cost_no_edit(world: World) -> None:
    await world.dream(world.alice, steps=50)
    await world.engine.dreams(1)
    world.engine.step(preview=picture("JPEG"))
    await world.until_text("step 1 of 50")
    before = len(world.env.http_requests)
    for _ in range(20):
        world.engine.step()
    world.engine.step(preview=picture("JPEG"))
    await world.until_text("step 22 of 50")
    assert len([r for r in world.env.http_requests[before:] if r.method == "PATCH"]) == 1


async def test_a_notice_of_the_engine_stands_under_the_picture(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.start(notice=Saying.plain("Only the first 77 tokens count."))
    world.engine.finish()
    await world.until_delivered(1)
    assert "Only the first 77 tokens count." in world.text()


async def test_a_message_deleted_while_dreaming_ends_the_dream_and_is_left_alone(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.step(preview=picture("JPEG"))
    message = await world.until_text("step 1 of 10")
    await world.moderator.delete(message)
    world.engine.step(preview=picture("JPEG"))
    dream = await world.until_state(1, DreamState.CANCELLED)
    await world.until_delivered(1)
    tries = [r for r in world.env.http_requests if r.method == "PATCH" and str(message.id) in r.path]
    await world.dream(world.bob, "a house")
    await world.engine.dreams(2)
    again = [r for r in world.env.http_requests if r.method == "PATCH" and str(message.id) in r.path]
    assert len(again) == len(tries), "nothing is edited after the first 'unknown message'"
    assert dream.recipe and await world.parts.store.picture(1), "the picture so far is kept"
    assert len(world.messages()) == 1


async def test_a_message_deleted_while_waiting_takes_the_dream_out_of_the_line(world: World) -> None:
    for prompt in ("one", "two", "three"):
        await world.dream(world.alice, prompt)
    await world.engine.dreams(1)
    await world.until_text("Number 2 in line", at=2)
    await world.moderator.delete(world.messages()[2])
    world.engine.finish()
    await world.until_state(3, DreamState.CANCELLED)
    await world.engine.dreams(2)
    assert [r.prompt for r in world.engine.requests] == ["one", "two"]


async def test_a_lost_permission_mid_dream_is_asked_for_a_few_times_more_only(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.chat.messages.dreams.MISSED_S", 0.05)
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.step(preview=picture("JPEG"))
    await world.until_text("step 1 of 10")
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=403, code=50001, times=None)
    before = len(world.env.http_requests)
    world.engine.step(preview=picture("JPEG"))
    await world.until_state(1, DreamState.CANCELLED)
    await world.until_delivered(1)
    assert len([r for r in world.env.http_requests[before:] if r.method == "PATCH"]) == DENIALS


async def test_a_failed_edit_costs_one_frame_and_not_the_dream(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=500, times=1)
    world.engine.step(preview=picture("JPEG"))
    await until(lambda: not world.env.backend.faults)
    world.engine.step(preview=picture("JPEG"))
    await world.until_text("step 2 of 10")
    world.engine.finish()
    assert (await world.until_delivered(1)).state is DreamState.DONE


async def test_a_final_edit_that_fails_is_tried_again(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await world.until_text(sentences.LOADING)
    world.parts.outbox._retry_s = 0.01
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=500, times=2)
    world.engine.finish()
    await world.until_delivered(1)
    assert [a.filename for a in world.messages()[0].attachments] == ["dream-1.png"]


async def test_an_archived_thread_gets_the_picture_in_a_new_message(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await world.until_text(sentences.LOADING)
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=400, code=50083, times=None)
    world.engine.step(preview=picture("JPEG"))
    world.engine.finish()
    dream = await world.until_delivered(1)
    assert dream.state is DreamState.DONE
    first, second = world.messages()
    assert dream.message_id == second.id != first.id
    assert [a.filename for a in second.attachments] == ["dream-1.png"]


async def test_a_picture_over_the_upload_limit_becomes_a_smaller_one(world: World) -> None:
    noise = Image.effect_noise((256, 256), 90).convert("RGB")
    buffer = io.BytesIO()
    noise.save(buffer, "PNG")
    limit = buffer.tell() - 1000
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.parts.dream_messages._poster.upload_limit = lambda dream: limit
    world.engine.finish(png=buffer.getvalue())
    await world.until_delivered(1)
    (attachment,) = world.messages()[0].attachments
    assert attachment.filename == "dream-1.jpg" and attachment.size <= limit


async def test_a_picture_that_discord_finds_too_large_is_told(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await world.until_text(sentences.LOADING)
    world.parts.dream_messages._poster.upload_limit = lambda dream: 200
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=413, code=40005, times=1)
    world.engine.finish()
    await world.until_delivered(1)
    assert sentences.TOO_LARGE in world.text()
    assert world.messages()[0].attachments == []


async def test_a_picture_that_is_refused_again_and_again_comes_small(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await world.until_text(sentences.LOADING)
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=413, code=40005, times=4)
    buffer = io.BytesIO()
    Image.effect_noise((512, 512), 90).convert("RGB").save(buffer, "PNG")
    world.engine.finish(png=buffer.getvalue())
    await world.until_delivered(1)
    (attachment,) = world.messages()[0].attachments
    assert attachment.size <= buffer.tell() / 4**4


async def test_a_refused_picture_is_made_smaller_than_it_was_or_left_out(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await world.until_text(sentences.LOADING)
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=413, code=40005, times=1)
    world.engine.finish()  # its picture is so small that no JPEG of a quarter of its size exists
    await world.until_delivered(1)
    assert sentences.TOO_LARGE in world.text()
    assert world.messages()[0].attachments == []


async def test_a_dream_in_a_thread_is_shown_in_the_thread(world: World) -> None:
    opener = await world.alice.send(world.channel, "let us dream here")
    channel = world.parts.client.get_channel(world.channel.id)
    thread = await channel.get_partial_message(opener.id).create_thread(name="night")
    (handle,) = [t for t in world.channel.threads if t.id == thread.id]
    answer = await world.alice.slash(handle, "dream", prompt="the moon")
    assert answer.response is not None and answer.response.content == sentences.queued(1)
    await world.engine.dreams(1)
    world.engine.finish()
    await world.until_delivered(1)
    assert [a.filename for m in handle.history() for a in m.attachments] == ["dream-1.png"]


async def test_the_bot_asks_discord_for_no_members_and_for_nothing_that_people_write(world: World) -> None:
    client = world.parts.client
    assert client.intents == discord.Intents(guilds=True, guild_reactions=True, guild_messages=True)
    assert not client.intents.message_content and not client.intents.members
    assert list(client.cached_messages) == []
    assert {m.id for g in client.guilds for m in g.members} <= {client.application_id, client.user.id}


async def test_a_first_message_that_discord_would_not_take_is_posted_once_it_does(world: World) -> None:
    world.env.inject_error("POST", "/channels/*/messages", status=500, times=2)
    answer = await world.dream(world.alice)
    assert answer.response is not None and answer.response.content == sentences.queued(1)
    assert answer.followups == []
    await world.engine.dreams(1)
    world.engine.finish()
    await world.until_delivered(1)
    assert [a.filename for m in world.messages() for a in m.attachments] == ["dream-1.png"]


async def test_who_waits_reads_who_is_before_and_a_time_once_one_was_measured(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    await world.dream(world.bob, "a tree")
    await world.until_text("Next in line", at=1)
    assert f"after {world.alice.mention}. I can't say yet how long this will take." in world.text(1)
    assert not world.messages()[1].mentions, "a mention inside an embed notifies nobody"
    world.engine.step()
    world.engine.step()
    world.engine.finish()
    await world.until_delivered(1)
    await world.engine.dreams(2)
    await world.dream(world.alice, "a house")
    await world.until_text("Ready <t:", at=2)
    assert f"after {world.bob.mention}" in world.text(2)


async def test_a_busy_database_delays_the_end_and_loses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.parts.outbox, "_retry_s", 0.01)
    troubles, read = [StoreBusy(), StoreBusy()], world.parts.store.picture

    async def troubled(dream_id: int) -> Picture | None:
        if troubles:
            raise troubles.pop()
        return await read(dream_id)

    monkeypatch.setattr(world.parts.store, "picture", troubled)
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.finish()
    await world.until_delivered(1)
    assert not troubles and len(world.messages()[0].attachments) == 1


async def test_a_dream_s_number_stands_on_its_message_from_the_beginning_to_the_end(world: World) -> None:
    def number() -> str | None:
        return world.messages()[0].embeds[0].footer.text

    await world.dream(world.alice)
    await world.engine.dreams(1)
    await world.until_text(sentences.LOADING)
    assert number() == sentences.dream_number(1)
    world.engine.step(preview=picture("JPEG"))
    await world.until_text("step 1 of 10")
    assert number() == sentences.dream_number(1)
    world.engine.finish()
    await world.until_delivered(1)
    assert number() == sentences.dream_number(1)
    shown = await world.bob.slash(world.channel, "dreams show", dream=1)
    (message,) = [*([shown.response] if shown.response else []), *shown.followups]
    assert [embed.footer.text for embed in message.embeds] == [sentences.dream_number(1)]


async def test_a_weak_match_names_what_is_known_in_the_dream_s_language_and_after_a_restart(
    world: World,
) -> None:
    known = {"en": ["river", "fountain"], "it": ["fiume", "fontana"]}
    await world.dream(world.alice, "a waterfall")
    await world.engine.dreams(1)
    world.engine.finish(score=20.0, nearest=known)
    await world.until_delivered(1)
    assert sentences.nearest(known["en"]) in world.text()
    await world.restart()
    italian = await world.bob.slash(world.channel, "preferences", language="it")
    assert italian.response is not None
    shown = await world.bob.slash(world.channel, "dreams show", dream=1)
    (message,) = [*([shown.response] if shown.response else []), *shown.followups]
    assert ITALIAN.nearest(known["it"]) in (message.embeds[0].description or "")


@pytest.mark.parametrize(("score", "told"), [(9.0, True), (60.0, False)])
async def test_words_that_nothing_known_is_near_to_are_told_honestly(
    world: World, score: float, told: bool
) -> None:
    await world.dream(world.alice, "eternity")
    await world.engine.dreams(1)
    world.engine.finish(score=score)
    await world.until_delivered(1)
    assert (sentences.nearest([]) in world.text()) is told


async def test_a_picture_that_is_withheld_names_no_neighbours(world: World) -> None:
    await world.dream(world.alice, "a waterfall")
    await world.engine.dreams(1)
    world.engine.finish(score=20.0, nearest={"en": ["river"], "it": ["fiume"]}, flagged="nudity")
    await world.until_delivered(1)
    assert sentences.WITHHELD in world.text() and "river" not in world.text()
