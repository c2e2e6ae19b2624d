"""What stands before every page: names, rates, forged writes, headers; errors in words."""

from collections.abc import AsyncIterator, Awaitable, Callable
from types import ModuleType

import pytest
from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer

from bot.heart import build_heart
from bot.settings import Settings
from bot.web.app import application
from bot.web.guards.hosts import name_of
from bot.web.guards.rates import Buckets, Rate
from bot.web.markup import plainly, said
from bot.web.parts import Parts
from bot.web.visits import accepted
from tests.bot.scripted import ScriptedEngine

Client = TestClient[web.Request, web.Application]
done: list[str] = []


def an_area() -> ModuleType:
    """Nothing of its own: the application's guards stand before it all the same."""
    area = ModuleType("area")
    area.__path__ = []
    return area


async def write(_request: web.Request) -> web.Response:
    done.append("written")
    return web.Response(text="written")


async def fault(_request: web.Request) -> web.Response:
    raise RuntimeError("/secret/path")


@pytest.fixture
async def open_client(prepared: Settings) -> AsyncIterator[Callable[..., Awaitable[Client]]]:
    clients: list[Client] = []

    async def make(**options: object) -> Client:
        heart = build_heart(prepared, engines=[ScriptedEngine()])
        app = application(an_area(), parts=Parts(heart=heart), **options)  # type: ignore[arg-type]
        app.router.add_post("/write", write)
        app.router.add_get("/fault", fault)
        client: Client = TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True))
        await client.start_server()
        clients.append(client)
        done.clear()
        return client

    yield make
    for client in clients:
        await client.close()


def origin(client: Client) -> str:
    return str(client.make_url("/")).rstrip("/")


async def token(client: Client) -> str:
    """Of the visit that this client's cookie stands for."""
    page = await (await client.get("/nowhere")).text()
    return page.partition('name="token" content="')[2].partition('"')[0]


async def test_a_write_needs_our_origin_and_the_visit_s_token(
    open_client: Callable[..., Awaitable[Client]],
) -> None:
    client = await open_client()
    ours, mine = origin(client), await token(client)
    forged: list[dict[str, str]] = [
        {},
        {"Origin": ours},
        {"X-Token": mine},
        {"Origin": ours, "X-Token": "0" * 64},
        {"Origin": ours, "X-Token": "ü"},
        {"Origin": "null", "X-Token": mine},
        {"Origin": "https://evil.example", "X-Token": mine},
        {"Origin": ours + ".evil.example", "X-Token": mine},
        {"Origin": ours, "X-Token": mine, "Sec-Fetch-Site": "cross-site"},
    ]
    for headers in forged:
        async with client.post("/write", headers=headers) as answer:
            assert answer.status == 403, headers
    assert done == []
    async with client.post("/write", headers={"Origin": ours, "X-Token": mine}) as answer:
        assert answer.status == 200
    async with client.post("/write", headers={"Origin": ours}, data={"token": mine}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::1", "localhost:x", "@"])
async def test_other_names_are_not_answered(open_client: Callable[..., Awaitable[Client]], host: str) -> None:
    client = await open_client()
    async with client.get("/", headers={"Host": host}) as answer:
        assert answer.status in (400, 421)
    assert name_of("LocalHost.:80") == "localhost" and name_of("[::1]:80") == "::1"


async def test_every_answer_forbids_what_is_inline_or_elsewhere(
    open_client: Callable[..., Awaitable[Client]],
) -> None:
    client = await open_client()
    for path in ("/nowhere", "/fault", "/static/x/page.css", "/static/x/..%2f..%2fapp.py"):
        async with client.get(path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy and "*" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers.get("Server") is None
            assert "/secret/path" not in await answer.text()


async def test_errors_speak_the_browser_s_language(open_client: Callable[..., Awaitable[Client]]) -> None:
    client = await open_client()
    async with client.get("/nowhere", headers={"Accept-Language": "it-IT,it;q=0.9,en;q=0.5"}) as answer:
        assert answer.status == 404 and "non c’è più" in (await answer.text()).replace("&#39;", "’")
    async with client.get("/nowhere", headers={"Accept": "application/json"}) as answer:
        assert (await answer.json())["sentence"] == "There is nothing here, or not any more."
    assert accepted("en;q=0.2, it ;q=0.8, de, x;q=0, y;q=z") == ["de", "it", "en"]


async def test_whoever_asks_too_fast_is_told_when_to_ask_again(
    open_client: Callable[..., Awaitable[Client]],
) -> None:
    client = await open_client(reads=Rate(2, 0.01))
    assert [(await client.get("/nowhere")).status for _ in range(3)] == [404, 404, 429]
    assert int((await client.get("/nowhere")).headers["Retry-After"]) in (99, 100)


def test_a_bucket_fills_again_and_a_clock_that_jumps_back_empties_none() -> None:
    now = [100.0]
    buckets = Buckets(Rate(1, 0.5), clock=lambda: now[0])
    assert buckets.take("a") == 0 and buckets.take("a") == 2 and buckets.take("b") == 0
    now[0] = 0
    assert buckets.take("a") == 2
    now[0] = 2
    assert buckets.take("a") == 0


async def test_a_session_s_cookie_is_for_no_script_and_no_other_site(
    open_client: Callable[..., Awaitable[Client]],
) -> None:
    client = await open_client()
    async with client.get("/nowhere") as answer:
        (cookie,) = answer.headers.getall("Set-Cookie")
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    async with client.get("/nowhere") as answer:
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("sentence", "html"),
    [
        ("**a *b* c** `d`", "<strong>a <em>b</em> c</strong> <code>d</code>"),
        ("<script>&", "&lt;script&gt;&amp;"),
        ("**\\<img src\\=x\\>**", "<strong>&lt;img src=x&gt;</strong>"),
        ("\\*no\\*\n`<b>`", "*no*<br><code>&lt;b&gt;</code>"),
        ("by <@7>", 'by <bdi class="person">&lt;i&gt;</bdi>'),
        ("<t:999999999999:R>", ""),
        ("**open", "**open"),
        ("cutout\\_min", "cutout_min"),
    ],
)
def test_markup_becomes_elements_and_all_else_is_text(sentence: str, html: str) -> None:
    assert said(sentence, {7: "<i>\u202e"}) == html


def test_a_sentence_can_be_told_where_there_is_no_markup() -> None:
    assert plainly("**a** \\<b\\> <@1>", {1: "Ada & Bo"}) == "a <b> Ada & Bo"
