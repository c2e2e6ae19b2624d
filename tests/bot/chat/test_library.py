"""/dreams, /preferences, /help, and the reactions ❌ and ✉️."""

import asyncio
from dataclasses import replace

import discord
import pytest
from simcord.actors import MemberActor
from simcord.results import InteractionResult

from bot.chat.listeners.reaction_commands import ReactionCommandListener
from bot.database.outbox import Kind, owe
from bot.dreams.dream import DreamState
from bot.dreams.preferences import NONE, Preference
from bot.sentences import ENGLISH as SAY
from bot.sentences import ITALIAN
from bot.servers.settings import Allowance
from engine import Recipe
from tests.bot.chat.conftest import World, labels
from tests.bot.chat.owing import until_nothing_is_owed, until_tried
from tests.bot.scripted import until


def said(answer: InteractionResult) -> str:
    (message,) = [*([answer.response] if answer.response else []), *answer.followups]
    assert message.ephemeral
    return message.content


def embed(answer: InteractionResult) -> discord.Embed:
    assert answer.response is not None and answer.response.ephemeral
    (shown,) = answer.response.embeds
    return shown


async def dreamt(world: World, *prompts: str, member: MemberActor | None = None, **options: object) -> None:
    """Alice's first dreams are done."""
    for number, prompt in enumerate(prompts, start=1):
        await world.dream(member or world.alice, prompt, **options)
        await world.engine.dreams(number)
        world.engine.finish()
        await world.until_delivered(number)


async def test_mine_lists_one_s_own_dreams_page_by_page(world: World, a_wish) -> None:
    assert embed(await world.alice.slash(world.channel, "dreams mine")).description == SAY.MINE_NONE
    await dreamt(world, "a *tree*")
    for number in range(11):
        await world.parts.store.add(a_wish(author_id=world.alice.id, prompt=f"number {number}"))
    await world.parts.store.add(a_wish(author_id=world.bob.id, prompt="a secret of Bob's"))
    answer = await world.alice.slash(world.channel, "dreams mine")
    first = embed(answer)
    lines = (first.description or "").splitlines()
    assert len(lines) == 10 and lines[0] == "`12` number 10" and (first.footer.text or "") == "Page 1 of 2"
    assert answer.response is not None and "secret" not in (first.description or "")
    await world.alice.click(answer.response, label="▶")
    second = embed(answer)
    jump = f"https://discord.com/channels/{world.guild.id}/{world.channel.id}/{world.messages()[0].id}"
    assert (second.description or "").splitlines() == [
        "`2` number 0",
        f"`1` a \\*tree\\* · 31.5 · [to the message]({jump})",
    ]


async def test_show_gives_the_picture_and_its_buttons_to_whoever_asks(world: World) -> None:
    await dreamt(world, "a tree")
    answer = await world.bob.slash(world.channel, "dreams show", dream=1)
    assert "**a tree**" in (embed(answer).description or "")
    assert answer.response is not None
    assert [a.filename for a in answer.response.attachments] == ["dream-1.png"]
    assert "Again" in labels(answer.response.message)


@pytest.mark.parametrize("command", ["show", "repeat"])
async def test_a_dream_that_one_may_not_see_does_not_exist(world: World, command: str) -> None:
    closed = discord.PermissionOverwrite(view_channel=False)
    allowed = discord.PermissionOverwrite(view_channel=True)
    secret = world.guild.create_text_channel(
        "secret", overwrites={world.guild.default_role: closed, world.alice: allowed, world.guild.me: allowed}
    )
    await world.alice.slash(secret, "dream", prompt="a secret")
    await world.engine.dreams(1)
    world.engine.finish()
    await world.until_delivered(1)
    for number in (1, 77):
        answer = await world.bob.slash(world.channel, f"dreams {command}", dream=number)
        assert said(answer) == SAY.no_such_dream(number)
    mine = await world.alice.slash(world.channel, "dreams show", dream=1)
    assert "a secret" in (embed(mine).description or "")


async def test_repeat_asks_for_the_very_same_picture(world: World) -> None:
    await dreamt(world, "a tree", seed=7, avoid="leaves")
    await world.bob.slash(world.channel, "dreams repeat", dream=1)
    await world.engine.dreams(2)
    request = world.engine.requests[1]
    recipe = Recipe.from_json((await world.stored(1)).recipe)
    assert (request.prompt, request.avoid, request.seed) == ("a tree", "leaves", 7)
    assert (request.model, request.steps) == (recipe.model, recipe.steps)


async def test_repeat_gives_the_same_size_also_where_a_limit_made_it_small(world: World) -> None:
    async def limited_to(size: int | None) -> None:
        await world.parts.moderation.change(
            world.guild.id, by=1, change=lambda old: replace(old, everyone=Allowance(size=size))
        )

    await limited_to(128)
    await dreamt(world, "a tree")
    await limited_to(None)
    await world.bob.slash(world.channel, "dreams repeat", dream=1)
    await world.engine.dreams(2)
    assert world.engine.requests[1].size == 128


async def test_blend_begins_between_two_dreams(world: World) -> None:
    await dreamt(world, "a fox", "a tree")
    assert said(await world.bob.slash(world.channel, "dreams blend", first=1, second=9)) == (
        SAY.no_such_dream(9)
    )
    await world.bob.slash(world.channel, "dreams blend", first=1, second=2, share=30)
    await world.engine.dreams(3)
    request = world.engine.requests[2]
    assert (request.prompt, request.begin, request.strength) == ("a fox | a tree", "blend", 0.3)
    assert (request.state, request.other_state) == (b"end of 1", b"end of 2")


async def test_a_blend_with_what_is_not_over_is_refused(world: World) -> None:
    await dreamt(world, "a fox")
    await world.dream(world.alice, "a tree")
    assert said(await world.bob.slash(world.channel, "dreams blend", first=1, second=2)) == SAY.NOT_OVER


async def test_a_story_unfolds_message_by_message(world: World) -> None:
    answer = await world.alice.slash(world.channel, "dreams story", chapters="a seed | a sprout | a tree")
    assert said(answer) == SAY.queued(1)
    for number in (1, 2, 3):
        await world.engine.dreams(number)
        await world.until_text(SAY.chapter(number, 3), at=number - 1)
        assert len(world.messages()) == number, "a chapter's message comes when it is its turn"
        world.engine.finish()
        await world.until_delivered(number)
    assert [(r.prompt, r.begin) for r in world.engine.requests] == [
        ("a seed", "new"), ("a sprout", "continue"), ("a tree", "continue"),
    ]  # fmt: skip
    second = world.messages()[1]
    assert second.reference is not None and second.reference.message_id == world.messages()[0].id


@pytest.mark.parametrize("chapters", ["a seed", " | ", "|".join(["a seed"] * 7)])
async def test_a_story_too_short_or_too_long_is_refused(world: World, chapters: str) -> None:
    answer = await world.alice.slash(world.channel, "dreams story", chapters=chapters)
    assert said(answer) == SAY.story_length(6)
    assert not await world.parts.store.undelivered()


async def test_a_chapter_that_cannot_be_dreamt_refuses_the_whole_story(world: World) -> None:
    answer = await world.alice.slash(world.channel, "dreams story", chapters="a seed | ?! | a tree")
    assert "say what to dream" in said(answer)
    assert not await world.parts.store.undelivered()


async def test_preferences_count_for_the_next_dream_and_answer_in_their_language(world: World) -> None:
    options = {"preset": "quick", "size": 256, "spoiler": True, "language": "it", "notice": "always"}
    answer = await world.alice.slash(world.channel, "preferences", **options)
    assert said(answer) == ITALIAN.preferences(
        preset="Veloce",
        size="256 × 256",
        spoiler=True,
        language="Italiano",
        notice=ITALIAN.NOTICES["always"],
    )
    assert said(await world.dream(world.alice)) == ITALIAN.queued(1)
    await world.engine.dreams(1)
    request = world.engine.requests[0]
    assert (request.preset, request.size) == ("quick", 256) and (await world.stored(1)).spoiler
    await world.dream(world.alice, size=512, preset="thorough", spoiler=False)
    assert (await world.stored(2)).size == 512 and not (await world.stored(2)).spoiler


async def test_preferences_can_be_taken_back_one_by_one_and_all_at_once(world: World) -> None:
    kept = world.parts.preferences
    await kept.put(world.alice.id, Preference(preset="quick", size=256, spoiler=True, language="it"))
    await world.alice.slash(world.channel, "preferences", preset="model", size=0, language="discord")
    assert kept.of(world.alice.id) == Preference(spoiler=True)
    answer = await world.alice.slash(world.channel, "preferences", reset=True)
    assert kept.of(world.alice.id) == NONE
    assert said(answer) == SAY.preferences(
        preset=SAY.MODELS_OWN,
        size=SAY.MODELS_OWN,
        spoiler=False,
        language=SAY.DISCORDS_OWN,
        notice=SAY.NOTICES["waited"],
    )


async def test_help_says_how_to_begin_and_what_stands_in_the_way(world: World) -> None:
    shown = embed(await world.alice.slash(world.channel, "help"))
    assert "/dream prompt:a bowl of cherries" in (shown.description or "") and not shown.fields
    assert "/moderate" not in (shown.description or "")
    overwrite = discord.PermissionOverwrite(attach_files=False)
    quiet = world.guild.create_text_channel("quiet", overwrites={world.guild.me: overwrite})
    shown = embed(await world.alice.slash(quiet, "help"))
    assert shown.fields[0].value == SAY.missing_permissions(["attach_files"])


async def test_an_own_cross_cancels_then_deletes(world: World) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.step()
    message = await world.until_text("step 1")
    await world.bob.react(message, "❌")
    assert not (await world.stored(1)).cancel_asked
    await world.alice.react(message, "❌")
    await world.until_state(1, DreamState.CANCELLED)
    await world.until_delivered(1)
    await world.alice.unreact(message, "❌")
    await world.bob.react(message, "❌")
    await world.alice.react(message, "❌")
    await until(lambda: not world.messages())
    assert (await world.stored(1)).erased


async def test_a_moderator_s_cross_counts_too(world: World) -> None:
    await dreamt(world, "a tree")
    await world.moderator.react(world.messages()[0], "❌")
    await until(lambda: not world.messages())
    await world.dream(world.alice, "a river")
    await world.engine.dreams(2)
    await until(lambda: len(world.messages()) == 1)
    await world.moderator.react(world.messages()[0], "❌")

    async def noted() -> bool:
        entries = await world.parts.moderation.audit(world.guild.id)
        found = [(e.by, e.what, e.target) for e in entries]
        return found == [
            (world.moderator.id, what, f"dream:{n}") for what, n in (("cancel", 2), ("delete", 1))
        ]

    await until(noted)


@pytest.mark.parametrize("emoji", ["✉️", "✉"])
async def test_an_envelope_sends_the_picture_to_whoever_gave_it(world: World, emoji: str) -> None:
    await dreamt(world, "a tree", spoiler=True)
    await world.bob.react(world.messages()[0], emoji)
    await until_nothing_is_owed(world)
    sent = world.bob.user.dm_channel.history()
    assert [a.filename for m in sent for a in m.attachments] == ["SPOILER_dream-1.png"]


async def test_envelopes_wait_for_their_turn_and_none_is_lost(world: World) -> None:
    await dreamt(world, "a tree", "a house")
    person, ids = world.bob.id, [message.id for message in world.messages()[:2]]

    def gives(message_id: int) -> discord.RawReactionActionEvent:
        data = {"user_id": person, "channel_id": world.channel.id, "message_id": message_id, "type": 0}
        emoji = discord.PartialEmoji(name="✉️")
        return discord.RawReactionActionEvent(data, emoji, "REACTION_ADD")  # type: ignore[arg-type]

    def sent() -> int:
        return sum(r.method == "POST" and r.path == "/users/@me/channels" for r in world.env.http_requests)

    async with world.parts.outlet.turn(world.alice.id):
        listener = ReactionCommandListener(client=world.parts.client, parts=world.parts)
        obeying = [asyncio.create_task(listener.obey(gives(each))) for each in ids]
        await asyncio.wait(obeying, timeout=0.2)
        assert sent() == 0
    await asyncio.gather(*obeying)
    await until_nothing_is_owed(world)
    assert len(world.bob.user.dm_channel.history()) == 2


async def test_whoever_takes_no_messages_is_left_alone(world: World) -> None:
    await dreamt(world, "a tree")
    world.env.inject_error("POST", "/users/@me/channels", status=403, code=50007)
    await world.bob.react(world.messages()[0], "✉️")
    await until_nothing_is_owed(world)
    assert len(world.messages()) == 1


async def test_a_picture_comes_once_when_messages_can_be_sent_again(world: World) -> None:
    await dreamt(world, "a tree")
    world.parts.outbox._retry_s = 0.002
    world.env.inject_error("POST", "/users/@me/channels", status=503, times=None)
    await world.bob.react(world.messages()[0], "✉️")
    await until_tried(world, Kind.SENDING)
    world.env.backend.faults.clear()
    await until_nothing_is_owed(world)
    async with world.parts.database.transaction() as connection:  # killed before it could remember
        now = world.parts.outbox_store.clock()
        await owe(connection, Kind.SENDING, 1, now=now, person=world.bob.id)
        await connection.exec_driver_sql("UPDATE outbox SET tries = 1, begun = 1")
    world.parts.outbox.wake()
    await until_nothing_is_owed(world)
    assert len(world.bob.user.dm_channel.history()) == 1


async def test_an_envelope_that_is_toggled_sends_one_message_also_after_a_restart(world: World) -> None:
    await dreamt(world, "a tree")
    for _ in range(5):
        await world.bob.react(world.messages()[0], "✉️")
        await world.bob.unreact(world.messages()[0], "✉️")
    await world.restart()
    await world.bob.react(world.messages()[0], "✉️")
    await until_nothing_is_owed(world)
    assert len(world.bob.user.dm_channel.history()) == 1


async def test_closed_messages_are_not_knocked_at_again(world: World) -> None:
    await dreamt(world, "a tree", "a house")
    world.env.inject_error("POST", "/channels/*/messages", status=403, code=50007, times=None)
    for message in world.messages()[:2]:
        for _ in range(3):
            await world.bob.react(message, "✉️")
            await world.bob.unreact(message, "✉️")
    await until_nothing_is_owed(world)
    world.env.backend.faults.clear()
    sent = [
        r for r in world.env.http_requests if r.path == f"/channels/{world.bob.user.dm_channel.id}/messages"
    ]
    assert len([r for r in sent if r.method == "POST"]) == 1
