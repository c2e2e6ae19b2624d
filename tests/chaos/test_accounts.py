"""The accounts see each kind of broken promise; otherwise it would prove nothing that they see none."""

from collections.abc import AsyncIterator
from dataclasses import replace
from random import Random

import pytest
from simcord.backend.models import Interaction, Message

from bot.database.connection import Database
from bot.dreams.dream import Dream, DreamState, Picture, Wish
from bot.dreams.store import Store
from bot.sentences import ENGLISH as say
from bot.servers.settings import VOTE_EMOJI
from tests.chaos.accounts import Accounts, Broken
from tests.chaos.crowd import Crowd, Order
from tests.chaos.dreamer import picture
from tests.discord_server import DiscordServer

PROMPT = "a red fox number 1"


class Stage:
    """Discord and a database with what a bot might have left there."""

    def __init__(self, server: DiscordServer, database: Database) -> None:
        self.server = server
        self.store = Store(database, owner="stage")
        self.crowd = Crowd(server, Random(1), [server.guild])
        self.gallery, self.hall = (
            server.backend.create_channel(server.guild.id, n) for n in ("gallery", "hall")
        )
        self.accounts = Accounts(
            self.crowd,
            database,
            gallery={server.guild.id: self.gallery.id},
            hall={server.guild.id: self.hall.id},
        )
        self.png = picture("PNG")

    def promise(self) -> None:
        """Person 1 reads that their dream is next in line."""
        backend, person = self.server.backend, self.crowd.people[0]
        told = backend.create_message(self.server.channel.id, backend.bot_user.id, say.queued(1))
        asked = Interaction(7, "token", 2, told.channel_id, None, person.id, message_id=told.id)
        self.crowd.orders.append(Order(PROMPT, self.server.channel, asked, None))

    async def dream(self, *, done: bool = True) -> Dream:
        """Person 1's dream, as it stands in the database; its message is to be posted."""
        guild, channel = self.server.guild.id, self.server.channel.id
        wish = Wish(
            prompt=PROMPT, seed=1, steps=None, model="auto", author_id=self.crowd.people[0].id,
            guild_id=guild, channel_id=channel, origin=1,
        )  # fmt: skip
        dream = await self.store.add(wish)
        if not done:
            return dream
        await self.store.claim(dream.id, lease_s=60)
        ended = await self.store.finish(dream.id, DreamState.DONE, picture=Picture(self.png, "png"))
        assert ended is not None
        await self.store.set_delivered(dream.id)
        return replace(ended, delivered=True)

    def post(self, dream: Dream, channel_id: int | None = None, *, over: bool = True) -> Message:
        """A message, or a copy, that shows it."""
        backend, server = self.server.backend, self.server
        embed = {"description": f"**{PROMPT}**", "footer": {"text": say.dream_number(dream.id)}}
        button = {
            "type": 2,
            "style": 2,
            "label": "x",
            "custom_id": f"dream:{dream.id}:{'again' if over else 'cancel'}",
        }
        where = channel_id or server.channel.id
        file = backend.cdn.store_attachment(backend.snowflake(), where, "dream.png", self.png, None)
        return backend.create_message(
            where,
            backend.bot_user.id,
            embeds=[embed],
            components=[] if channel_id else [{"type": 1, "components": [button]}],
            attachments=[file] if over else [],
        )

    def offer(self, message: Message) -> None:
        for emoji in VOTE_EMOJI:
            self.server.react(self.server.backend.bot_user, message, emoji)

    async def broken(self) -> dict[str, list[str]]:
        """What is broken, but for what the outbox owes: nobody is here who would do it."""
        found = await self.accounts.look()
        found.lost = [one for one in found.lost if not one.startswith("owed")]
        return {name: getattr(found, name) for name, count in found.counts().items() if count}


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with DiscordServer(rate_limits=False) as server:
        yield Stage(server, database)


async def test_a_dream_that_is_shown_with_all_that_belongs_to_it_breaks_nothing(stage: Stage) -> None:
    stage.promise()
    dream = await stage.dream()
    stage.offer(stage.post(dream))
    stage.post(dream, stage.gallery.id)
    assert await stage.broken() == {}


async def test_what_was_promised_and_is_not_there_or_waits_or_is_not_shown_is_lost(stage: Stage) -> None:
    stage.promise()
    assert await stage.broken() == {"lost": [f"“{PROMPT}” is not in the database"]}
    await stage.dream(done=False)
    assert await stage.broken() == {"lost": ["dream 1 (queued)"]}


async def test_an_end_that_was_never_shown_is_lost_and_one_that_was_is_overwritten(stage: Stage) -> None:
    dream = await stage.dream()
    assert (await stage.broken())["lost"] == ["dream 1 (done): its end is not shown, it has no message"]
    message = stage.post(dream, over=False)
    assert (await stage.broken())["lost"] == ["dream 1 (done): its end is not shown"]
    ended = stage.post(dream)
    stage.server.delete(ended)
    live, over = ({"components": m.components, "attachments": m.attachments} for m in (message, ended))
    for look in (over, live):
        stage.server.backend.edit_message(message.channel_id, message.id, look)
    assert (await stage.broken())["overwritten"] == ["dream 1 (done): its end is not shown any more"]


async def test_two_messages_and_two_copies_are_doubled(stage: Stage) -> None:
    dream = await stage.dream()
    for _ in range(2):
        stage.offer(stage.post(dream))
        stage.post(dream, stage.gallery.id)
    assert (await stage.broken())["doubled"] == [
        "dream 1 (done): 2 messages",
        "dream 1: 2 times in the gallery",
    ]


async def test_votes_are_compared_and_missed_reactions_and_copies_told(stage: Stage) -> None:
    dream = await stage.dream()
    message = stage.post(dream)
    author, *others = stage.crowd.people
    for person in (author, *others[:2]):
        stage.server.react(person, message, VOTE_EMOJI[0])
    found = await stage.broken()
    assert found["unvotable"] == ["dream 1"]
    assert found["copies"] == ["dream 1 is not in the gallery", "dream 1 is not in the hall of fame"]
    assert len(found["votes"]) == 1
    stage.offer(message)
    for person in others[:2]:
        await stage.store.add_vote(dream.id, person.id, VOTE_EMOJI[0])
    assert set(await stage.broken()) == {"copies"}


def test_what_is_broken_is_counted_and_told() -> None:
    assert not Broken()
    broken = Broken(lost=["dream 1"], votes=["dream 2", "dream 3"])
    assert broken
    assert list(broken) == ["lost: dream 1", "votes: dream 2", "votes: dream 3"]
    assert broken.counts()["votes"] == 2
