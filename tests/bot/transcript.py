"""`python -m tests.bot.transcript FOLDER`: the simulated channel, flow by flow, with the embedded models.

Prints what everybody sees and what one person alone reads, and keeps every picture in FOLDER.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import discord
from simcord.env import Env
from simcord.results import InteractionResult, ResponseMessage

from bot.chat.messages.choice_message import NUMBERS
from bot.parts import build
from bot.sentences import ENGLISH as SAY
from bot.settings import Settings
from engine.process.host import EngineHost
from tests.bot.bot_process import LOADED_CORES_S
from tests.bot.chat.conftest import World, labels
from tests.bot.scripted import ScriptedEngine

STEPS = 12  # few: the transcript shows the flow, not the art
DEADLINE_S = 300.0


class Transcript:
    """What happens, as text on stdout and pictures in a folder."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.folder = folder
        self.shown: dict[int, str] = {}  # message → what was printed of it last

    def heading(self, text: str) -> None:
        self.line(f"\n## {text}\n")

    def line(self, text: str) -> None:
        sys.stdout.write(text + "\n")

    def said(self, who: str, what: str, answer: InteractionResult) -> ResponseMessage | None:
        """What somebody did and what they alone read."""
        self.line(f"{who}: {what}")
        if answer.modal is not None:
            fields = [label["label"] for label in answer.modal["components"]]
            self.line(f"    [a form for {who}] {answer.modal['title']} ({', '.join(fields)})")
        messages = [*([answer.response] if answer.response else []), *answer.followups]
        for message in messages:
            self.line(f"    [only {who}] " + self._text(message.content, message.embeds, message.message))
        return messages[0] if messages else None

    async def until_over(self, dream_id: int) -> None:
        """Print how the channel changes until it shows the dream's end; keep its picture."""
        async with asyncio.timeout(DEADLINE_S):
            while not (await self.world.stored(dream_id)).delivered:
                self.channel()
                await asyncio.sleep(0.2)
        self.channel()
        for message in self.world.messages():
            for attached in message.attachments:
                (self.folder / attached.filename).write_bytes(await attached.read())

    def channel(self) -> None:
        """Print the channel's messages that are new or changed."""
        for message in self.world.messages():
            text = self._text(message.content, message.embeds, message)
            if self.shown.get(message.id) != text:
                self.shown[message.id] = text
                self.line("    [everybody] " + text)

    def _text(self, content: str, embeds: Iterable[discord.Embed], message: discord.Message) -> str:
        parts = [content]
        for embed in embeds:
            parts += [embed.title or "", embed.description or ""]
            parts += [f"{field.name}: {field.value}" for field in embed.fields]
        parts += [f"picture {a.filename} “{a.description or ''}”" for a in message.attachments]
        if buttons := labels(message):
            parts.append("buttons: " + " | ".join(buttons))
        return "\n        ".join("\n".join(filter(None, parts)).splitlines())


async def play(world: World, told: Transcript) -> None:
    """All flows, one after the other."""
    alice, bob, channel = world.alice, world.bob, world.channel
    told.heading("Help")
    told.said("alice", "/help", await alice.slash(channel, "help"))

    told.heading("A dream, and who waits behind it")
    first = await world.dream(alice, "a bowl of cherries", avoid="people", steps=STEPS, seed=7)
    told.said("alice", "/dream prompt:a bowl of cherries avoid:people", first)
    second = await world.dream(bob, "a red fox", steps=STEPS, preset="quick")
    told.said("bob", "/dream prompt:a red fox preset:Quick", second)
    await told.until_over(1)
    await told.until_over(2)

    told.heading("Recipe, time-lapse, vary, edit")
    (cherries, fox) = world.messages()
    told.said("bob", "clicks Recipe", await bob.click(cherries, label=SAY.RECIPE))
    told.said("bob", "clicks Time-lapse", await bob.click(cherries, label=SAY.TIMELAPSE))
    told.said("bob", "clicks Vary", await bob.click(cherries, label=SAY.VARY))
    await told.until_over(3)
    form = await alice.click(cherries, label=SAY.EDIT)
    told.said("alice", "clicks Edit", form)
    words = {"prompt": "a bowl of plums", "avoid": "", "begin": ["from_here"]}
    told.said("alice", "sends the form", await alice.submit_modal(form, words))
    await told.until_over(4)

    told.heading("Blend, story, repeat")
    told.said("bob", "/dreams blend", await bob.slash(channel, "dreams blend", first=1, second=2))
    await told.until_over(5)
    chapters = "a seed | a tree"
    told.said("bob", "/dreams story", await bob.slash(channel, "dreams story", chapters=chapters))
    await told.until_over(6)
    await told.until_over(7)
    told.said("alice", "/dreams repeat dream:1", await alice.slash(channel, "dreams repeat", dream=1))
    await told.until_over(8)
    same = [await world.parts.store.picture(number) for number in (1, 8)]
    told.line(f"    the same bytes: {same[0] == same[1]}")

    told.heading("Preferences, mine, strangers, delete")
    chosen = await alice.slash(channel, "preferences", preset="quick", language="it")
    told.said("alice", "/preferences preset:Quick language:Italiano", chosen)
    told.said("alice", "/dreams mine", await alice.slash(channel, "dreams mine"))
    told.said("bob", "clicks Delete", await bob.click(cherries, label=SAY.DELETE))
    question = told.said("alice", "clicks Delete", await alice.click(cherries, label=SAY.DELETE))
    assert question is not None
    sure = await alice.click(question, custom_id="dream:1:erase")
    told.said("alice", "clicks Yes, delete it", sure)
    told.said("bob", "/dreams show dream:1", await bob.slash(channel, "dreams show", dream=1))
    await bob.react(fox, "❌")
    told.line(f"bob reacts with ❌ to his own dream: {len(world.messages())} messages are left")


async def play_together(world: World, told: Transcript) -> None:
    """What a channel decides, and what its moderators do; after `play`, whose dreams are 1 to 8."""
    alice, bob, channel = world.alice, world.bob, world.channel
    powers = discord.Permissions(manage_guild=True)
    role = world.guild.create_role("admins", permissions=powers)
    ada = world.guild.add_member(world.env.create_user("ada"), roles=[role])

    told.heading("The channel steers")
    steered = await world.dream(alice, "a sailing boat", candidates=3, steps=2 * STEPS, preset="quick")
    told.said("alice", "/dream prompt:a sailing boat candidates:3", steered)
    choice = world.messages()[-1]
    async with asyncio.timeout(DEADLINE_S):
        while not (await choice.fetch()).reactions:
            told.channel()
            await asyncio.sleep(0.2)
    told.channel()
    for member, name, number in ((bob, "bob", 1), (ada, "ada", 1), (alice, "alice", 0)):
        await member.react(choice, NUMBERS[number])
        told.line(f"{name} reacts with {NUMBERS[number]}")
    decided = await alice.click(choice, label=SAY.DECIDE_NOW)
    told.said("alice", "clicks Decide now", decided)
    await told.until_over(12)

    told.heading("Votes, the best, a contest")
    (boat,) = [m for m in world.messages() if any(a.filename == "dream-12.png" for a in m.attachments)]
    await bob.react(boat, "⭐")
    await ada.react(boat, "❤️")
    told.line("bob reacts with ⭐, ada with ❤️")
    started = await ada.slash(channel, "moderate contest start", theme="lights", days=7)
    told.said("ada", "/moderate contest start theme:lights days:7", started)
    told.said("alice", "/contest enter dream:12", await alice.slash(channel, "contest enter", dream=12))
    told.said("bob", "/contest show", await bob.slash(channel, "contest show"))
    told.said("bob", "/top", await bob.slash(channel, "top"))

    told.heading("Moderators, and the line")
    for what, options in (
        ("pause", {}),
        ("words add", {"text": "kraken"}),
        ("ban", {"person": bob, "reason": "too many krakens", "hours": 1}),
    ):
        written = " ".join(f"{name}:{'@bob' if value is bob else value}" for name, value in options.items())
        told.said(
            "ada", f"/moderate {what} {written}", await ada.slash(channel, f"moderate {what}", **options)
        )
    told.said("alice", "/dream prompt:a kr4ken", await world.dream(alice, "a kr4ken"))
    told.said("bob", "/dream prompt:a house", await world.dream(bob, "a house"))
    told.said("alice", "/dream prompt:a castle", await world.dream(alice, "a castle", steps=STEPS))
    told.said("alice", "/queue", await alice.slash(channel, "queue"))
    told.said("ada", "/moderate resume", await ada.slash(channel, "moderate resume"))
    await told.until_over(13)
    told.said("ada", "/moderate audit", await ada.slash(channel, "moderate audit"))


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where pictures and the database go")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - nothing else runs yet
    host = EngineHost(environ=os.environ | {"DATA_DIR": str(folder)})
    settings = replace(Settings.read({"DATA_DIR": str(folder)}), frame_pace_s=1.0)
    parts = build(settings, engines=[host])
    await parts.database.open()
    env = Env(parts.client, shard_count=2, settle_timeout=LOADED_CORES_S)
    await env.start()
    world = World(env, parts, ScriptedEngine(), settings)
    await env.settle()
    await host.start()
    await parts.begin()
    try:
        told = Transcript(world, folder)
        await play(world, told)
        await play_together(world, told)
    finally:
        await parts.end()
        await host.close()
        await env.shutdown()
        await parts.database.close()


if __name__ == "__main__":
    asyncio.run(main())
