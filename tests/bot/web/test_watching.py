"""Many who watch the local channel at once: each hears everything, and they cost nobody anything."""

import asyncio
import socket
from time import monotonic

import pytest
from aiohttp import ClientSession
from sqlalchemy import event

from bot.dreams.dream import DreamState
from bot.web.assets import assets
from bot.web.channel import stream
from bot.web.channel.live import MAX_EACH
from bot.web.channel.page import MOST
from tests.bot.scripted import picture, until
from tests.bot.web.conftest import House, Visitor


@pytest.fixture
def database_url(tmp_path: object) -> str:
    """With SQLite alone."""
    return f"sqlite:///{tmp_path}/oneiro.db"


def asking(house: House, visitor: Visitor) -> bytes:
    """To watch, as a browser does."""
    cookie = next(iter(visitor.client.cookie_jar))
    lines = [
        "GET /events HTTP/1.1",
        f"Host: 127.0.0.1:{house.server.port}",
        f"Cookie: {cookie.key}={cookie.value}",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


class Browser:
    """Reads all that it is sent."""

    def __init__(self) -> None:
        self.seen = b""

    async def watch(self, house: House, visitor: Visitor) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.server.port)
        try:
            writer.write(asking(house, visitor))
            while chunk := await reader.read(65536):
                self.seen += chunk
        finally:
            writer.close()


async def test_two_hundred_watch_a_dream_and_the_store_is_asked_for_one(house: House) -> None:
    people = [await house.visitor(f"P{number}") for number in range(20)]
    browsers = [Browser() for _ in range(200)]
    tasks = [
        asyncio.create_task(browser.watch(house, people[number % 20]))
        for number, browser in enumerate(browsers)
    ]
    await until(lambda: house.room.live.watching == 200)
    assert await people[0].say("a bowl of cherries")
    await house.engine.dreams(1)
    house.engine.start()
    asked: list[str] = []
    engine = house.heart.database._engine.sync_engine
    event.listen(engine, "begin", lambda _connection: asked.append("begin"))
    for number in range(1, 4):
        house.engine.step(preview=picture("JPEG", shade=50 * number))
        frame = f"/dreams/1/frame/{number}".encode()
        await until(lambda: all(frame in browser.seen for browser in browsers))  # noqa: B023 (awaited here)
    assert len(asked) < 100, "three changes, two hundred watchers"
    house.engine.finish()
    await house.until(1, DreamState.DONE)
    await until(lambda: all(b"/dreams/1/picture" in browser.seen for browser in browsers))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_whoever_reads_nothing_is_let_go_and_keeps_nobody_waiting(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(stream, "SEND_S", 0.5)
    ada, bo = await house.visitor("Ada"), await house.visitor("Bo")
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect(("127.0.0.1", house.server.port))
    deaf.sendall(asking(house, bo))
    browser = Browser()
    task = asyncio.create_task(browser.watch(house, ada))
    await until(lambda: house.room.live.watching == 2)
    assert await ada.say("a bowl of cherries " * 20)
    await house.engine.dreams(1)
    house.engine.start()
    began, steps = monotonic(), 0
    while house.room.live.watching == 2 and monotonic() - began < 60:
        steps += 1
        for key in range(2, 60):  # as when a whole channel changes again and again
            house.room.live.touch(f"dream-{key}")
        house.engine.step(preview=picture("JPEG", shade=steps % 250))
        frame = f"/dreams/1/frame/{steps}".encode()
        await until(lambda: frame in browser.seen)  # noqa: B023 (awaited here)
    assert house.room.live.watching == 1, "the deaf one was let go"
    assert [record.getMessage() for record in caplog.records if "fault of ours" in record.getMessage()] == []
    deaf.close()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_thousand_tabs_of_one_person_leave_room_for_others(house: House) -> None:
    ada, bo = await house.visitor("Ada"), await house.visitor("Bo")
    tabs = [await ada.get("/events") for _ in range(MAX_EACH)]
    assert {tab.status for tab in tabs} == {200}
    async with await ada.get("/events") as more:
        assert more.status == 503 and more.headers["Retry-After"]
    async with await bo.get("/events") as other:
        assert other.status == 200
    for tab in tabs:
        tab.close()
    await until(lambda: house.room.live.watching == 0)


async def test_the_first_view_of_a_full_channel_is_light(house: House) -> None:
    """All that a browser loads but pictures: the page, styles and scripts, and the cards once more."""
    ada = await house.visitor("Ada")
    for number in range(MOST):
        assert await ada.say(f"a tower of seven storeys by the sea, number {number}")
        await house.finish(number + 1)
    page = await ada.html()
    assert page.count('class="card ') == MOST
    weight = len(page.encode()) + sum(
        len(asset.content) for name, asset in assets().items() if "wall" not in name
    )
    packed = ClientSession(ada.address, cookie_jar=ada.client.cookie_jar, auto_decompress=False)
    async with packed, packed.get("/cards") as answer:
        weight += len(await answer.read())
        assert answer.headers["Content-Encoding"]
    assert weight < 150_000
