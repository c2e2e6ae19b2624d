"""The local channel with its real store, queue and worker, an engine by script, and people who ask it."""

import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession, CookieJar, FormData
from aiohttp.test_utils import TestServer
from yarl import URL

from bot.dreams.dream import Dream, DreamState
from bot.dreams.local import GUILD_ID
from bot.heart import Heart, build_heart
from bot.settings import Settings
from bot.web import channel
from bot.web.app import application
from bot.web.channel.room import ROOM, Room, build_room
from bot.web.parts import Parts
from tests.bot.scripted import ScriptedEngine, picture, until


class Visitor:
    """A browser, as far as it needs no screen."""

    def __init__(self, address: URL, *, language: str = "en") -> None:
        self.address = address
        self.client = ClientSession(address, cookie_jar=CookieJar(unsafe=True))
        self.language = language
        self.token = ""
        self._wishes = 0

    async def get(self, path: str, **options: Any) -> ClientResponse:
        return await self.client.get(path, headers={"Accept-Language": self.language}, **options)

    async def html(self, path: str = "/") -> str:
        async with await self.get(path) as answer:
            text = await answer.text()
        self.token = text.partition('name="token" content="')[2].partition('"')[0] or self.token
        return text

    async def post(self, path: str, fields: Any = None, **headers: str) -> ClientResponse:
        """As our own pages do."""
        origin = str(self.address.origin())
        self._wishes += 1
        ours = {"Origin": origin, "X-Token": self.token, "Accept-Language": self.language}
        ours |= {"Accept": "application/json", "X-Once": str(self._wishes)}
        return await self.client.post(path, data=fields, headers=ours | headers, allow_redirects=False)

    async def come_in(self, name: str) -> None:
        await self.html()
        async with await self.post("/name", {"name": name}) as answer:
            assert answer.status == 303, await answer.text()
        await self.html()

    async def say(self, text: str, picture: bytes | None = None, **headers: str) -> str:
        """Type this; gives what is answered, in words."""
        form = FormData()
        form.add_field("text", text)
        if picture is not None:
            form.add_field("image", io.BytesIO(picture), filename="x.png", content_type="image/png")
        async with await self.post("/say", form, **headers) as answer:
            return str((await answer.json())["sentence"])

    async def said(self, path: str, fields: dict[str, str] | None = None) -> str:
        """Press a button; gives the sentence of the answer."""
        async with await self.post(path, fields or {}) as answer:
            return str((await answer.json())["sentence"])


class House:
    """One process with the local channel."""

    def __init__(self, settings: Settings) -> None:
        self.engine = ScriptedEngine()
        self.heart: Heart = build_heart(settings, engines=[self.engine])
        self.room: Room = build_room(self.heart)
        app = application(channel, parts=Parts(heart=self.heart))
        app[ROOM] = self.room
        self.server = TestServer(app)
        self._visitors: list[Visitor] = []

    async def open(self) -> "House":
        await self.heart.database.open()
        await self.heart.begin()
        await self.room.begin()
        await self.server.start_server()
        return self

    async def close(self) -> None:
        for visitor in self._visitors:
            await visitor.client.close()
        await self.heart.end()
        self.room.live.let_go()
        await self.server.close()
        await self.room.end()
        await self.heart.database.close()

    async def visitor(self, name: str = "", *, language: str = "en") -> Visitor:
        visitor = Visitor(self.server.make_url("/"), language=language)
        self._visitors.append(visitor)
        if name:
            await visitor.come_in(name)
        return visitor

    async def dream(self, dream_id: int) -> Dream:
        dream = await self.heart.store.get(dream_id)
        assert dream is not None
        return dream

    async def dreams(self) -> list[Dream]:
        return await self.heart.store.in_server(GUILD_ID, tuple(DreamState))

    async def until(self, dream_id: int, state: DreamState) -> Dream:
        async def reached() -> bool:
            return (await self.dream(dream_id)).state is state

        await until(reached)
        return await self.dream(dream_id)

    async def finish(self, dream_id: int) -> Dream:
        """Let the engine dream it to its end."""
        await self.engine.dreams(dream_id)
        self.engine.start()
        self.engine.step(preview=picture("JPEG"))
        self.engine.finish(timelapse=b"film")
        return await self.until(dream_id, DreamState.DONE)


@pytest.fixture
async def house(prepared: Settings) -> AsyncIterator[House]:
    house = await House(prepared).open()
    yield house
    await house.close()
