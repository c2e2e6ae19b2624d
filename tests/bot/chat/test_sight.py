"""Every poster in every kind of channel under every policy: what it shows, and what it does not."""

import ast
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import discord
import pytest
from simcord.builders import ChannelHandle
from simcord.results import InteractionResult

import bot.chat
from bot.database.outbox import Kind
from bot.dreams.dream import DreamState
from bot.sentences import ENGLISH
from bot.servers.settings import VOTE_EMOJI, NsfwPolicy
from tests.bot.chat.channels import (
    CLOSED_KINDS,
    OPEN_KINDS,
    dreamt_in,
    for_adults,
    made,
    until_idle,
)
from tests.bot.chat.conftest import World
from tests.bot.scripted import picture, until

CHAT = Path(bot.chat.__file__).parent
KINDS = [(kind, adults) for kind in (*OPEN_KINDS, *CLOSED_KINDS) for adults in (False, True)]


class Scene:
    """Alice's flagged dream in some channel, and where else its picture might come out."""

    def __init__(self, world: World, home: ChannelHandle, message: discord.Message) -> None:
        self.world = world
        self.home = home
        self.message = message
        self.plain = world.guild.create_text_channel("elsewhere")
        self.adults = world.guild.create_text_channel("adults")

    async def set_(self, **changes: object) -> None:
        await self.world.parts.moderation.change(
            self.world.guild.id,
            by=1,
            change=lambda old: replace(old, **changes),  # type: ignore[arg-type]  # names come from the tests
        )


Poster = Callable[[Scene, ChannelHandle], Awaitable[list[str]]]
POSTERS: dict[str, Poster] = {}  # by the module that posts; each gives the files that it shows there
PUBLIC = ("messages/hall_of_fame", "messages/contests", "messages/gallery", "commands/top", "commands/dreams")


def poster(*modules: str) -> Callable[[Poster], Poster]:
    def register(shows: Poster) -> Poster:
        POSTERS.update(dict.fromkeys(modules, shows))
        return shows

    return register


def names(messages: list[discord.Message]) -> list[str]:
    """What stands before the names of their pictures: 'SPOILER_', or ''."""
    return [_prefix(file.filename) for message in messages for file in message.attachments]


def _prefix(filename: str) -> str:
    return filename.split("dream-")[0]


def answers(result: InteractionResult) -> list[discord.Message]:
    return [*([result.response] if result.response else []), *result.followups]


@poster("messages/hall_of_fame")
async def hall(scene: Scene, there: ChannelHandle) -> list[str]:
    await scene.set_(fame_channel=there.id, fame_votes=1)
    await scene.world.parts.hall_of_fame_messages._look_at(1)
    await until_idle(scene.world)
    found = names(scene.world.messages(there))
    await scene.world.parts.hall_of_fame_messages._hall_of_fame.take_down(1)
    await scene.set_(fame_channel=None)
    return found


@poster("messages/gallery")
async def gallery(scene: Scene, there: ChannelHandle) -> list[str]:
    before = len(scene.world.messages(there))
    await scene.set_(gallery_channel=there.id)
    await scene.world.parts.copies.out_of_gallery(1)  # it may hang in another one
    await scene.world.parts.outbox.owe(Kind.GALLERY, 1)
    await until_idle(scene.world)
    return names(scene.world.messages(there)[before:])


@poster("messages/contests", "messages/contest_message")
async def contest(scene: Scene, there: ChannelHandle) -> list[str]:
    """It has won, whatever /contest enter says of it now: the policy may have been another."""
    world, contests = scene.world, scene.world.parts.contests
    begun = await contests.start(
        guild_id=world.guild.id, channel_id=there.id, theme="t", language="en", by=1, span_s=9e5
    )
    async with world.parts.database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE contests SET started_at = 1")
    said = answers(await world.alice.slash(there, "contest enter", dream=1))[0].content
    won, stored = replace(begun, winner_id=1, winner_votes=3), await world.parts.store.picture(1)
    content = await world.parts.contest_messages._content(won, stored)
    shown = [] if content.exhibit is None else [_prefix(content.exhibit.filename)]
    assert (said == ENGLISH.entered("a secret tree")) is bool(shown), "what may not be shown may not enter"
    listed = answers(await world.bob.slash(there, "contest show"))
    assert not listed[0].attachments
    await contests.finish(begun.id, now=True)
    await contests.told(begun.id, None)
    return shown


@poster("commands/top")
async def top(scene: Scene, there: ChannelHandle) -> list[str]:
    return names(answers(await scene.world.bob.slash(there, "top")))


@poster("commands/dreams", "messages/dream_message")
async def show(scene: Scene, there: ChannelHandle) -> list[str]:
    return names(answers(await scene.world.bob.slash(there, "dreams show", dream=1)))


def on_show(policy: NsfwPolicy, *, closed: bool, adults: bool) -> list[str]:
    """What an exhibiting poster shows of a flagged picture. `adults`: it posts in an age-restricted place."""
    if closed or not adults or policy is NsfwPolicy.REFUSE:
        return []
    return ["SPOILER_"] if policy is NsfwPolicy.SPOILER else [""]


def asked(policy: NsfwPolicy, *, adults: bool) -> list[str]:
    """What is shown at home, or to whoever looks it up. `adults`: in an age-restricted place."""
    if policy is NsfwPolicy.SPOILER:
        return ["SPOILER_"]
    return [""] if policy is NsfwPolicy.AGE_RESTRICTED and adults else []


@pytest.mark.parametrize("policy", list(NsfwPolicy))
@pytest.mark.parametrize(("kind", "adult_home"), KINDS)
async def test_no_poster_shows_an_unsafe_picture_against_the_policy(
    world: World, kind: str, adult_home: bool, policy: NsfwPolicy
) -> None:
    await world.parts.moderation.change(
        world.guild.id, by=1, change=lambda old: replace(old, nsfw=policy, log_channel=world.channel.id)
    )
    home = await made(world, kind, adults=adult_home)
    scene = Scene(world, home, await dreamt_in(world, home, flagged="nudity"))
    await for_adults(world, scene.adults)
    await world.parts.store.add_vote(1, world.bob.id, VOTE_EMOJI[0])
    closed = kind in CLOSED_KINDS
    assert names([scene.message]) == asked(policy, adults=adult_home)
    for there, adults in ((scene.plain, False), (scene.adults, True)):
        exhibited = on_show(policy, closed=closed, adults=adults)
        assert await POSTERS["messages/hall_of_fame"](scene, there) == exhibited, "hall"
        assert await POSTERS["messages/contests"](scene, there) == exhibited, "contest"
        openly = [] if exhibited == ["SPOILER_"] else exhibited
        assert await POSTERS["messages/gallery"](scene, there) == openly, "gallery"
        assert await POSTERS["commands/top"](scene, there) == openly, "top"
        seen = not closed and (adults or not adult_home)
        found = asked(policy, adults=adults) if seen else []
        assert await POSTERS["commands/dreams"](scene, there) == found, "show"
    await world.alice.react(scene.message, "✉️")
    await until_idle(world)
    direct = world.alice.user.dm_channel
    assert direct is None or names(direct.history()) == []
    film = answers(await world.alice.click(scene.message, label=ENGLISH.TIMELAPSE)) if names(
        [scene.message]
    ) else []  # fmt: skip
    assert names(film) == names([scene.message])
    told = answers(await world.alice.context_menu(home, ENGLISH.REPORT_COMMAND, scene.message))
    assert told[0].content == ENGLISH.REPORTED and not world.messages(world.channel)[-1].attachments


@pytest.mark.parametrize(("kind", "adult_home"), KINDS)
async def test_a_harmless_picture_goes_no_further_than_those_who_may_see_its_channel(
    world: World, kind: str, adult_home: bool
) -> None:
    home = await made(world, kind, adults=adult_home)
    scene = Scene(world, home, await dreamt_in(world, home))
    await for_adults(world, scene.adults)
    await world.parts.store.add_vote(1, world.bob.id, VOTE_EMOJI[0])
    assert names([scene.message]) == [""]
    for there, adults in ((scene.plain, False), (scene.adults, True)):
        found = [""] if kind in OPEN_KINDS and (adults or not adult_home) else []
        for name in PUBLIC:
            assert await POSTERS[name](scene, there) == found, name
    await world.alice.react(scene.message, "✉️")
    await until_idle(world)
    assert names(world.alice.user.dm_channel.history()) == [""]


async def test_a_policy_of_now_counts_for_a_picture_of_before(world: World) -> None:
    scene = Scene(world, world.channel, await dreamt_in(world, world.channel, flagged="nudity"))
    await for_adults(world, scene.adults)
    await world.parts.store.add_vote(1, world.bob.id, VOTE_EMOJI[0])
    await scene.set_(fame_channel=scene.adults.id, fame_votes=1)
    await world.parts.hall_of_fame_messages._look_at(1)
    await until_idle(world)
    assert names(world.messages(scene.adults)) == [""]
    await scene.set_(nsfw=NsfwPolicy.REFUSE)
    await world.parts.hall_of_fame_messages._look_at(1)
    await until_idle(world)
    assert world.messages(scene.adults) == [], "it is taken down when it is looked at next"


# ------------------------------------------------------------------ pictures that flow onwards


@pytest.mark.parametrize("begin", ["continue", "vary", "blend"])
async def test_a_dream_that_begins_at_an_unsafe_picture_shows_no_frame_of_it(
    world: World, begin: str
) -> None:
    await dreamt_in(world, world.channel, flagged="nudity")
    await dreamt_in(world, world.channel, number=2)
    parents = {"parent_id": 2, "other_id": 1} if begin == "blend" else {"parent_id": 1}
    await world.parts.worker.submit(world.wish(begin=begin, **parents))
    await world.engine.dreams(3)
    world.engine.start()
    world.engine.step(preview=picture("JPEG"))
    message = await world.until_text(ENGLISH.WITHHELD)
    assert not message.attachments
    world.engine.finish()
    await world.until_delivered(3)
    assert names(world.messages()[-1:]) == [""], "what counts is the picture that stays"


async def test_unsafe_beginnings_are_not_in_the_choice_s_picture(world: World) -> None:
    await world.dream(world.alice, candidates=2)
    for number, flagged in ((1, "nudity"), (2, "nudity")):
        await world.engine.dreams(number)
        world.engine.start()
        world.engine.finish(flagged=flagged)
        await world.until_state(number, DreamState.DONE)
    await until(lambda: ENGLISH.NO_BEGINNING in world.text() or "cancelled" in world.text().lower())
    assert not world.messages()[0].attachments


# ------------------------------------------------------------------ nobody forgets to ask


def _calls(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    }


SOURCES = {path.relative_to(CHAT).with_suffix("").as_posix(): path for path in CHAT.rglob("*.py")}


def test_a_file_is_made_and_a_showing_granted_in_one_place() -> None:
    makers = {name for name, path in SOURCES.items() if {"File", "to_file"} & _calls(path)}
    assert makers == {"messages/exhibit", "commands/privacy"}, "the latter: people's own, to themselves alone"
    assert [name for name, path in SOURCES.items() if "Exhibit" in _calls(path)] == ["messages/exhibit"]
    assert not [name for name, path in SOURCES.items() if "Showing" in _calls(path)], (
        "only bot.dreams.showing does"
    )


def test_every_poster_of_pictures_is_tried_here() -> None:
    tried = {
        *POSTERS,
        "messages/choice_message",
        "buttons/leftovers",
        "messages/sent_pictures",
        "messages/exhibit",
    }
    assert {name for name, path in SOURCES.items() if "exhibit" in _calls(path)} <= tried
