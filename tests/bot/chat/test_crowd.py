"""Two hundred people in the simulated Discord: every wish is answered, every dream delivered once."""

import dataclasses
import re
from collections import Counter
from collections.abc import AsyncGenerator

import pytest

from bot.database.connection import Database
from bot.settings import Settings
from engine import DreamRequest, Event, Finished, Recipe, Started
from tests.bot.chat.conftest import NEEDED, World
from tests.bot.scripted import picture

PEOPLE, SERVERS = 200, 5
DREAMS_EACH = 5


class QuickEngine:
    """`bot.queue.engine_worker.Engine`: every dream is done at once."""

    async def dream(self, request: DreamRequest) -> AsyncGenerator[Event, None]:
        yield Started(request.id, "pocket", 60)
        recipe = Recipe(request.prompt, request.seed, 60, "pocket", "gan", "clip", "0")
        yield Finished(request.id, recipe, 30.0, 60, 60, 1.0, False, picture("PNG"))

    async def stop(self, id: str) -> None: ...


@pytest.fixture
def settings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    # A disk that others use too may keep a writer waiting.
    defaults = Database.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "busy_timeout_s", 60.0)
    return dataclasses.replace(settings, waiting_per_person=DREAMS_EACH, waiting_in_all=10_000)


@pytest.mark.slow
@pytest.mark.timeout(1200)
async def test_two_hundred_people_and_a_thousand_dreams(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.parts.worker, "_engine", QuickEngine())
    world.env.settle_timeout = 120.0  # for a machine with other work
    channels = [world.channel]
    guilds = [world.guild]
    for number in range(1, SERVERS):
        guild = world.env.create_guild(f"Dreamers {number}")
        guild.default_role._role.permissions = NEEDED.value
        guilds.append(guild)
        channels.append(guild.create_text_channel("dreams"))
    people = [guilds[n % SERVERS].add_member(world.env.create_user(f"user{n}")) for n in range(PEOPLE)]
    for wish in range(DREAMS_EACH):
        for number, member in enumerate(people):
            answer = await member.slash(
                channels[number % SERVERS], "dream", prompt=f"a house {wish} of {number}"
            )
            assert answer.response is not None and answer.response.ephemeral
            assert answer.response.content.startswith("Your dream ")
    for dream_id in range(1, PEOPLE * DREAMS_EACH + 1):
        await world.until_delivered(dream_id)
    shown = [m for channel in channels for m in channel.history() if not m.flags.ephemeral]
    assert len(shown) == PEOPLE * DREAMS_EACH, "one message a dream"
    assert all(len(m.attachments) == 1 for m in shown), "each with its picture"
    dreamers = Counter(re.findall(r"<@(\d+)>", " ".join(m.embeds[0].description or "" for m in shown)))
    assert dreamers == {str(member.id): DREAMS_EACH for member in people}
