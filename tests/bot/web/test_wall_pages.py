"""The public wall in a browser: pages, files, feed and stream of the real application over the real store."""

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image
from playwright.async_api import expect
from sqlalchemy import delete

from bot.database.tables import pictures
from bot.dreams.dream import Dream, DreamState, Picture, Wish
from bot.dreams.local import CHANNEL_ID, GUILD_ID
from bot.heart import Heart, build_heart
from bot.sentences import ENGLISH
from bot.settings import Settings
from bot.web.wall import live as wall_live
from bot.web.wall.application import wall_application
from bot.web.wall.dream import command, line
from bot.web.wall.live import LIVE
from engine import Finished, Progress, Recipe
from tests.bot.scripted import ScriptedEngine, until
from tests.bot.web.browser import CHROMIUM, MISSING, SIZES, Complaints, chromium, serious
from tests.bot.web.disk import grow_no_more

URL = "https://wall.example"
HOSTILE = '<script>alert(1)</script> "onload=x" \u202egnp.exe {{ 7*7 }}'


def picture_file(side: int = 64) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side), "tomato").save(file, "PNG")
    return file.getvalue()


PNG = picture_file()


class House:
    """A wall with the local channel's dreams on it."""

    def __init__(self, heart: Heart, client: "TestClient[web.Request, web.Application]") -> None:
        self.heart = heart
        self.client = client
        self._made = 0

    async def dreamt(self, prompt: str = "a house", *, picture: bytes = PNG, **changes: Any) -> Dream:
        self._made += 1
        wish = Wish(
            prompt=prompt, seed=7, steps=None, model="auto", author_id=11, guild_id=GUILD_ID,
            channel_id=CHANNEL_ID, origin=self._made,
        )  # fmt: skip
        dream = await self.heart.store.add(replace(wish, **changes))
        assert await self.heart.store.claim(dream.id, lease_s=60.0)
        recipe = Recipe(prompt, 7, 5, "pocket", "gan", "clip", "0.1.0", {"size": 512})
        finished = Finished(str(dream.id), recipe, 31.5, 5, 5, 1.0, False, PNG, timelapse=b"film")
        await self.heart.store.finish(
            dream.id, DreamState.DONE, finished=finished, picture=Picture(picture, "png")
        )
        await self.heart.store.set_message(dream.id, 10**18 + dream.id)
        kept = await self.heart.store.get(dream.id)
        assert kept is not None
        return kept

    async def slug(self, dream: Dream) -> str:
        found = await self.heart.wall.shows(dream.id)
        assert found is not None
        return found.slug

    async def text(self, path: str, *, status: int = 200, language: str = "en") -> str:
        async with self.client.get(path, headers={"Accept-Language": language}) as answer:
            assert answer.status == status, await answer.text()
            return await answer.text()


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """SQLite only: what the wall asks of a database is tried with both in `tests/bot/community`."""
    return f"sqlite:///{tmp_path / 'oneiro.db'}"


@pytest.fixture
async def house(prepared: Settings) -> AsyncIterator[House]:
    heart = build_heart(replace(prepared, wall_url=URL), engines=[ScriptedEngine()])
    await heart.database.open()
    await heart.moderation.start()
    await heart.moderation.change(GUILD_ID, by=1, change=lambda old: replace(old, wall=True))
    client: TestClient[web.Request, web.Application] = TestClient(
        TestServer(wall_application(heart, url=URL))
    )
    await client.start_server()
    try:
        yield House(heart, client)
    finally:
        await client.close()
        await heart.wall.close()
        await heart.database.close()


async def test_the_wall_shows_the_newest_with_words_and_thumbnails_and_sets_no_cookie(house: House) -> None:
    first, second = await house.dreamt("a red house"), await house.dreamt("the sea")
    async with house.client.get("/") as answer:
        text = await answer.text()
        assert answer.status == 200 and "Set-Cookie" not in answer.headers
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-cache"
    slugs = [await house.slug(dream) for dream in (second, first)]
    assert re.findall(r'href="/d/([^"]+)"', text) == slugs
    assert 'alt="A dreamt picture: a red house"' in text
    async with house.client.get(f"/t/{slugs[0]}.webp") as answer:
        assert answer.content_type == "image/webp" and (await answer.read())[8:12] == b"WEBP"
        etag = answer.headers["ETag"]
    async with house.client.get(f"/t/{slugs[0]}.webp", headers={"If-None-Match": etag}) as answer:
        assert answer.status == 304


async def test_nothing_of_discord_stands_in_any_page_unless_it_was_opted_in(house: House) -> None:
    dream = await house.dreamt(author_id=123456789012345678)
    slug = await house.slug(dream)
    pages = [await house.text(path) for path in ("/", f"/d/{slug}", "/feed.atom", "/best/ever", "/contests")]
    for number in (dream.author_id, dream.message_id, GUILD_ID, CHANNEL_ID):
        assert not any(str(number) in text for text in pages), number
    await house.heart.privacy.choose(dream.author_id, name="Ada <b>")
    page = (await house.heart.privacy.of(dream.author_id)).page
    assert f'href="/by/{page}"' in await house.text("/")
    assert "Ada &lt;b&gt;" in await house.text(f"/by/{page}")


async def test_a_dream_whose_picture_was_let_go_is_told_of_at_its_own_address_alone(house: House) -> None:
    dream = await house.dreamt("a red house")
    slug = await house.slug(dream)
    async with house.heart.database.transaction() as connection:
        await connection.execute(delete(pictures).where(pictures.c.dream_id == dream.id))
    assert slug not in await house.text("/")
    text = await house.text(f"/d/{slug}")
    assert ENGLISH.WALL_LET_GO in unescape(text) and "dream.png" not in text
    assert "/dream prompt:a red house seed:7" in text
    async with house.client.get(f"/t/{slug}.webp") as answer:
        assert answer.status == 404


async def test_what_is_kept_of_people_is_told_there(house: House) -> None:
    text = await house.text("/privacy")
    assert ENGLISH.PRIVACY_HEADINGS["servers"] in unescape(text) and 'href="/privacy"' in await house.text(
        "/"
    )


async def test_the_page_of_a_dream_has_what_one_may_want_to_know_or_take(house: House) -> None:
    slug = await house.slug(await house.dreamt("a red house"))
    text = await house.text(f"/d/{slug}")
    assert f'property="og:image" content="{URL}/d/{slug}/dream.png"' in text
    assert 'property="og:title" content="a red house"' in text
    assert "/dream prompt:a red house seed:7" in text and "--seed 7 --steps 5 --size 512" in text
    async with house.client.get(f"/d/{slug}/dream.png") as answer:
        assert await answer.read() == PNG and answer.content_type == "image/png"
    async with house.client.get(f"/d/{slug}/film.webp?download") as answer:
        assert await answer.read() == b"film" and "attachment" in answer.headers["Content-Disposition"]
    assert "Copia le parole" in await house.text(f"/d/{slug}", language="it-IT,it;q=0.9")


async def test_a_family_is_drawn_as_a_tree(house: House) -> None:
    root = await house.dreamt("a house")
    child = await house.dreamt("a castle", parent_id=root.id, begin="continue")
    text = await house.text(f"/d/{await house.slug(child)}")
    assert "remixed" in text and f'href="/d/{await house.slug(root)}"' in text and "--seed" not in text


async def test_hostile_words_names_and_themes_are_text_everywhere(house: House) -> None:
    dream = await house.dreamt(HOSTILE, avoid=HOSTILE)
    slug = await house.slug(dream)
    await house.heart.privacy.choose(11, name=HOSTILE[:40])
    contest = await house.heart.contests.start(
        guild_id=GUILD_ID, channel_id=CHANNEL_ID, theme=HOSTILE, language="en", by=1, span_s=60.0
    )
    assert await house.heart.contests.enter(contest, dream)
    page = (await house.heart.privacy.of(11)).page
    paths = ("/", f"/d/{slug}", f"/by/{page}", "/contests", f"/contest/{contest.slug}", "/?words=<script>")
    for path in paths:
        text = await house.text(path)
        assert "<script>" not in text and "\u202e" not in text and 'onload=x"' not in text, path
        assert ("&lt;script&gt;" in text and "{{ 7*7 }}" in text) or path.startswith(("/by", "/?")), path
    feed = ElementTree.fromstring(await house.text("/feed.atom"))
    assert "<script>" in "".join(feed.itertext()), "escaped, so that it is text"


@pytest.mark.parametrize(
    "path",
    [
        *("/d/{}", "/d/{}/dream.png", "/d/{}/film.webp", "/t/{}.webp", "/by/{}", "/contest/{}"),
        *("/?after={}", "/best/{}", "/best/ever?page={}", "/static/../{}"),
    ],
)
@pytest.mark.parametrize("slug", ["nonesuch", "1", "%2e%2e%2fetc", "'--", "\u0661", "9" * 500])
async def test_what_does_not_exist_is_not_found(house: House, path: str, slug: str) -> None:
    if (path, slug) == ("/best/ever?page={}", "1"):
        return
    text = await house.text(path.format(slug), status=404)
    assert "There is nothing here" in text


async def test_what_is_withdrawn_is_not_found_at_once_with_all_its_files(house: House) -> None:
    dream = await house.dreamt()
    slug = await house.slug(dream)
    paths = [f"/d/{slug}", f"/d/{slug}/dream.png", f"/d/{slug}/film.webp", f"/t/{slug}.webp"]
    for path in paths:
        assert (await house.client.get(path)).status == 200
    for withdraw, give_back in (
        (house.heart.privacy.choose(11, wall=False), house.heart.privacy.choose(11, wall=True)),
        (house.heart.moderation.report(dream.id, 5), house.heart.moderation.withdraw_report(dream.id, 5)),
        (house.heart.store.erase(dream.id), None),
    ):
        await withdraw
        for path in paths:
            assert (await house.client.get(path)).status == 404, path
        assert slug not in await house.text("/") and slug not in await house.text("/feed.atom")
        if give_back is not None:
            await give_back
            assert (await house.client.get(paths[0])).status == 200


async def test_a_picture_that_cannot_be_read_has_no_thumbnail_and_spoils_nothing(house: House) -> None:
    slug = await house.slug(await house.dreamt(picture=b"no picture at all"))
    assert (await house.client.get(f"/t/{slug}.webp")).status == 404
    await house.text("/")


async def test_thumbnails_are_small_kept_and_bounded(house: House) -> None:
    dream = await house.dreamt(picture=picture_file(1024))
    async with house.client.get(f"/t/{await house.slug(dream)}.webp") as answer:
        with Image.open(io.BytesIO(await answer.read())) as small:
            assert small.size == (384, 384)


async def test_nothing_can_be_written_and_no_other_host_is_answered(house: House) -> None:
    for method in ("POST", "PUT", "DELETE"):
        async with house.client.request(method, "/", headers={"Origin": URL}) as answer:
            assert answer.status in (403, 405)
    assert (await house.client.get("/", headers={"Host": "evil.example"})).status == 421
    assert (await house.client.get("/", headers={"Host": "wall.example"})).status == 200


async def test_a_random_dream_is_one_that_hangs(house: House) -> None:
    async with house.client.get("/random", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/")
    slug = await house.slug(await house.dreamt())
    async with house.client.get("/random", allow_redirects=False) as answer:
        assert answer.headers["Location"] == f"/d/{slug}"


async def test_the_feed_is_atom_with_absolute_addresses(house: House) -> None:
    slug = await house.slug(await house.dreamt())
    feed = ElementTree.fromstring(await house.text("/feed.atom"))
    name = "{http://www.w3.org/2005/Atom}"
    (entry,) = feed.findall(f"{name}entry")
    assert entry.findtext(f"{name}id") == f"{URL}/d/{slug}" and entry.findtext(f"{name}title") == "a house"
    assert (feed.findtext(f"{name}updated") or "").endswith("Z")


async def told(answer: Any) -> dict[str, Any]:
    """The next message of a stream."""
    async with asyncio.timeout(20):
        while True:
            found = (await answer.content.readline()).decode()
            if found.startswith("data: "):
                message: dict[str, Any] = json.loads(found.removeprefix("data: "))
                return message


async def test_what_is_live_is_told_without_words_to_everybody_who_watches(house: House) -> None:
    live = house.client.app[LIVE]
    async with house.client.get("/live") as one, house.client.get("/live") as other:
        assert (await told(one))["now"] == "Nobody is dreaming right now."
        running = replace(await house.dreamt("my secret"), state=DreamState.DREAMING)
        house.heart.audiences.heard(running, Progress(str(running.id), 2, 5, 20.0, 20.0, 3.0))
        message = await told(one)
        assert message["now"] == "Dreaming now, 40% done; nobody is waiting." and "secret" not in str(message)
        house.heart.audiences.heard(replace(running, state=DreamState.DONE), None)
        await until(lambda: live.told.__self__._fresh == 1)
        while (message := await told(one))["fresh"] == 0:
            pass
        assert await told(other)
        assert live.watchers.total() == 2
    await live.close()
    await until(lambda: not live.watchers)


async def test_one_address_leaves_room_for_others(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wall_live, "MAX_EACH", 2)
    other = {"X-Forwarded-For": "203.0.113.7"}  # a proxy of the host's own tells
    async with house.client.get("/live") as one, house.client.get("/live"):
        assert one.status == 200
        async with house.client.get("/live") as more:
            assert more.status == 503
        async with house.client.get("/live", headers=other) as else_where:
            assert else_where.status == 200
    await until(lambda: not house.client.app[LIVE].watchers)


async def test_what_is_not_there_is_told_in_the_looks_of_the_wall(house: House) -> None:
    text = await house.text("/d/nonesuch", status=404)
    assert "There is nothing here" in text and 'role="search"' in text and "page.css" not in text


def test_the_commands_are_typed_as_they_are_meant(odd: Any) -> None:
    dream = Dream(
        **{**vars(Wish(prompt="-x 'y' $(z)\nw", seed=3, steps=9, model="auto", author_id=1, guild_id=1,
                       channel_id=2, origin=1))},
        id=1, message_id=2, state=DreamState.DONE, attempts=1, created_at=0.0,
    )  # fmt: skip
    assert command(dream) == "/dream prompt:-x 'y' $(z) w seed:3 steps:9"
    recipe = Recipe(dream.prompt, 3, 9, "pocket", "gan", "clip", "0.1.0")
    assert line(dream, recipe).startswith("dream --seed 3 --steps 9 --model pocket -- ")
    assert line(replace(dream, begin="vary"), recipe) == "" and line(dream, None) == ""


async def test_a_thumbnail_that_cannot_be_kept_is_shown_all_the_same(house: House) -> None:
    noise = io.BytesIO()
    Image.effect_noise((512, 512), 90).save(noise, "PNG")
    slug = await house.slug(await house.dreamt(picture=noise.getvalue()))
    await grow_no_more(house.heart.database)
    for _ in range(2):
        async with house.client.get(f"/t/{slug}.webp") as answer:
            assert answer.status == 200 and (await answer.read())[8:12] == b"WEBP"


@pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
@pytest.mark.timeout(240)
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_browser_complains_of_nothing_at_any_size(house: House, scheme: Any) -> None:
    first = await house.dreamt("a red house")
    second = await house.dreamt(HOSTILE, begin="vary", parent_id=first.id)
    await house.heart.privacy.choose(11, name="Ada <b>")
    contest = await house.heart.contests.start(
        guild_id=GUILD_ID, channel_id=CHANNEL_ID, theme=HOSTILE, language="en", by=1, span_s=9e4
    )
    await house.heart.contests.enter(contest, second)
    origin, complaints = str(house.client.make_url("/")), Complaints()
    async with chromium() as browser:
        page = await (await browser.new_context(color_scheme=scheme)).new_page()
        complaints.listen(page, origin)
        person = (await house.heart.privacy.of(11)).page
        paths = ["", f"d/{await house.slug(second)}", "contests", f"contest/{contest.slug}", f"by/{person}"]
        for path in [*paths, "best/ever", "?words=nonesuch"]:
            await page.goto(origin + path)
            for width, height in SIZES.values():
                await page.set_viewport_size({"width": width, "height": height})
                assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert await serious(page) == [], path
        await page.goto(origin + paths[1])
        await page.click("[data-film]")
        await expect(page.locator("#picture")).to_have_attribute("src", re.compile("film.webp$"))
        await page.click('[data-copy="words"]')
        await expect(page.locator('[data-copy="words"]')).to_have_text("Copied")
        await page.goto(origin + "nonesuch")
        assert await serious(page) == []
    assert [text for text in complaints.found if "404" not in text] == []
