"""The local channel in real Chromium: what two people do there, what lasts, what the browser complains of."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from playwright.async_api import Browser, Route, expect

from bot.dreams.dream import DreamState
from bot.settings import Settings
from tests.bot.scripted import picture, until
from tests.bot.web.browser import (
    CHROMIUM,
    MISSING,
    SIZES,
    WAIT_MS,
    Complaints,
    changed,
    chromium,
    come_in,
    say,
    serious,
)
from tests.bot.web.conftest import House
from tests.bot.web.test_channel import HOSTILE
from tests.bot.web.test_network import PASSWORD, OpenChannel, free_port

pytestmark = [pytest.mark.skipif(CHROMIUM is None, reason=MISSING), pytest.mark.timeout(240)]
expect.set_options(timeout=WAIT_MS)


@pytest.fixture
def database_url(tmp_path: object) -> str:
    """With SQLite alone: what a database does is tried without a browser."""
    return f"sqlite:///{tmp_path}/oneiro.db"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


def address(house: House) -> str:
    return str(house.server.make_url("/"))


async def test_two_people_dream_watch_vote_and_moderate(house: House, browser: Browser) -> None:
    complaints = Complaints()
    _, ada = await come_in(browser, address(house), "Ada", complaints)
    phone, bo = await come_in(
        browser, address(house), "Bo", complaints, viewport={"width": 390, "height": 844}, locale="it-IT"
    )
    await say(ada, "a bowl of cherries")
    card = "#dream-1"
    await bo.wait_for_selector(card)
    await house.engine.dreams(1)
    house.engine.start()
    house.engine.step(preview=picture("JPEG", shade=50))
    first = await changed(bo, f"{card} img.picture", None)
    house.engine.step(preview=picture("JPEG", shade=150))
    await changed(bo, f"{card} img.picture", first)
    await bo.reload()  # in the middle of it
    await bo.wait_for_selector(f"{card} progress")
    assert await bo.locator(f'{card} [data-action="cancel"]').count() == 0
    assert await ada.locator(f'{card} [data-action="cancel"]').count() == 1
    house.engine.finish(timelapse=picture("PNG"))
    await bo.click(f'{card} [data-vote="⭐"]')
    await expect(ada.locator(f'{card} [data-vote="⭐"] .count')).to_have_text("1")
    assert await ada.locator(f'{card} [data-vote="⭐"]').is_disabled(), "one's own"
    await ada.click(f'{card} [data-action="timelapse"]')
    assert "/timelapse" in await changed(ada, f"{card} img.picture", "/dreams/1/picture")
    await say(ada, "/top")
    await expect(ada.locator(".answer")).to_contain_text("a bowl of cherries")
    await ada.goto(address(house) + "moderate")
    await ada.click('form[action="/moderate/pause"] button')
    await say(bo, "una casa")
    await expect(bo.locator(".answer")).to_contain_text("pausa")
    assert await bo.evaluate("document.documentElement.scrollWidth") <= 390, "nothing stands out of a phone"
    assert complaints.found == []
    await phone.close()


async def test_a_guest_comes_in_by_the_password_from_another_machine(
    prepared: Settings, browser: Browser
) -> None:
    settings = replace(prepared, page_address="0.0.0.0", page_password=PASSWORD, port=free_port())
    opened = await OpenChannel(settings).open()
    complaints = Complaints()
    try:
        address = str(opened.elsewhere())
        context = await browser.new_context(viewport={"width": 390, "height": 844})
        page = await context.new_page()
        complaints.listen(page, address)
        await page.goto(address)
        complaints.found.clear()  # Chromium takes the form's 401 for a fault
        await page.fill("#password", "a bowl of lemons")
        await page.keyboard.press("Enter")
        await expect(page.locator("#why")).to_have_text("That is not the password. Please try again.")
        complaints.found.clear()
        assert await serious(page) == []
        await page.fill("#password", PASSWORD)
        await page.keyboard.press("Enter")
        await page.fill("#name", "Bo")
        await page.click(".name-form button")
        await page.wait_for_selector("#text")
        await say(page, "a bowl of cherries")
        await page.wait_for_selector("#dream-1")
        await opened.finish(1)
        await page.click('#dream-1 [data-action="again"]')
        await page.wait_for_selector("#dream-2")
        assert complaints.found == []
    finally:
        await opened.close()


async def test_cancel_delete_and_hostile_words(house: House, browser: Browser) -> None:
    complaints = Complaints()
    _, ada = await come_in(browser, address(house), "Ada", complaints)
    await say(ada, HOSTILE)
    await ada.wait_for_selector("#dream-1")
    assert await ada.locator("#dream-1 script, #dream-1 .words img").count() == 0
    await house.engine.dreams(1)
    house.engine.start()
    house.engine.step(preview=picture("JPEG"))
    await ada.click('#dream-1 [data-action="cancel"]')
    await house.until(1, DreamState.CANCELLED)
    await ada.click('#dream-1 [data-action="delete"]')
    await ada.click("#delete .danger")
    await expect(ada.locator("#dream-1")).to_have_count(0)
    await expect(ada.locator("#nothing")).to_be_visible()
    assert complaints.found == []


async def test_a_beginning_is_chosen_and_a_restart_is_got_over(prepared: Settings, browser: Browser) -> None:
    house = await House(prepared).open()
    complaints = Complaints()
    context, ada = await come_in(browser, address(house), "Ada", complaints)
    await say(ada, "/dream a castle candidates:2")
    for number in (1, 2):
        await house.finish(number)
    await ada.click('[data-choose="2"]')
    await ada.click('.choice [data-action="decide"]')
    await ada.wait_for_selector("#dream-3")
    await expect(ada.locator(".beginnings .won")).to_have_count(1)
    await house.engine.dreams(3)
    port = house.server.port
    await house.close()
    await expect(ada.locator("#away")).to_be_visible()
    again = House(prepared)
    again.server.port = port
    try:
        await again.open()
        await expect(ada.locator("#away")).to_be_hidden()
        await again.finish(3)
        await ada.wait_for_selector("#dream-3.done img.picture")
        assert [text for text in complaints.found if "ERR_" not in text] == []
    finally:
        await context.close()
        await again.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious_at_any_size(house: House, browser: Browser, scheme: str) -> None:
    complaints = Complaints()
    _, ada = await come_in(browser, address(house), "Ada", complaints, color_scheme=scheme)
    await say(ada, "a bowl of cherries")
    await house.finish(1)
    await ada.wait_for_selector("#dream-1.done img.picture")
    await say(ada, "/queue")
    await ada.wait_for_selector(".answer")
    for width, height in SIZES.values():
        await ada.set_viewport_size({"width": width, "height": height})
        assert await serious(ada) == []
    await ada.goto(address(house) + "moderate")
    assert await serious(ada) == []
    stranger = await (await browser.new_context(color_scheme=scheme)).new_page()  # type: ignore[arg-type]
    await stranger.goto(address(house))
    assert await serious(stranger) == []
    assert complaints.found == []


async def test_the_next_words_stay_while_the_first_are_sent(house: House, browser: Browser) -> None:
    complaints = Complaints()
    _, ada = await come_in(browser, address(house), "Ada", complaints)
    sent = asyncio.Event()

    async def slowly(route: Route) -> None:
        await sent.wait()
        await route.continue_()

    await ada.route("**/say", slowly)
    await say(ada, "a bowl of cherries")
    await ada.fill("#text", "a house")
    sent.set()
    await ada.wait_for_selector("#dream-1")
    await ada.wait_for_selector(".answer")
    assert await ada.input_value("#text") == "a house"
    assert complaints.found == []


async def test_an_answer_is_seen_wherever_one_has_scrolled(house: House, browser: Browser) -> None:
    complaints = Complaints()
    _, ada = await come_in(browser, address(house), "Ada", complaints)
    for number in range(1, 4):
        await say(ada, f"a tower {number}")
        await house.finish(number)
        await ada.wait_for_selector(f"#dream-{number}.done img.picture")
    await ada.evaluate("scrollTo(0, 0)")
    await ada.click('#dream-1 [data-action="recipe"]')
    await expect(ada.locator(".answer")).to_be_in_viewport(ratio=0.9)
    await expect(ada.locator(".answer")).not_to_contain_text("\\")
    assert complaints.found == []


async def test_only_a_tab_that_is_looked_at_listens(house: House, browser: Browser) -> None:
    """Browsers open six connections to a host for all tabs: a seventh that listened would hang."""
    complaints = Complaints()
    context, ada = await come_in(browser, address(house), "Ada", complaints)
    hide = """(hidden) => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    for _ in range(8):
        await ada.evaluate(hide, True)
        ada = await context.new_page()
        complaints.listen(ada, address(house))
        await ada.goto(address(house))
        await until(lambda: house.room.live.watching == 1)
    first = context.pages[0]
    await say(ada, "a bowl of cherries")
    await ada.wait_for_selector("#dream-1")
    await expect(first.locator("#dream-1")).to_have_count(0)
    await first.evaluate(hide, False)
    await first.wait_for_selector("#dream-1")  # what happened meanwhile
    assert complaints.found == []


async def test_a_page_over_plain_http_dreams_as_well(house: House, browser: Browser) -> None:
    """There a browser has no `crypto.randomUUID`; on this machine alone it would have it."""
    complaints = Complaints()
    context = await browser.new_context()
    await context.add_init_script("delete Crypto.prototype.randomUUID; delete Navigator.prototype.clipboard;")
    page = await context.new_page()
    complaints.listen(page, address(house))
    await page.goto(address(house))
    await page.fill("#name", "Ada")
    await page.click(".name-form button")
    await say(page, "a bowl of cherries")
    await page.wait_for_selector("#dream-1")
    assert complaints.found == []


async def test_a_contest_is_begun_entered_voted_on_and_won(house: House, browser: Browser) -> None:
    complaints = Complaints()
    _, ada = await come_in(browser, address(house), "Ada", complaints)
    _, bo = await come_in(browser, address(house), "Bo", complaints, locale="it-IT")
    moderating = await ada.context.new_page()
    complaints.listen(moderating, address(house))
    await moderating.goto(address(house) + "moderate")
    await moderating.fill('form[action="/moderate/contest"] [name="theme"]', "autumn")
    await moderating.fill('form[action="/moderate/contest"] [name="days"]', "2")
    await moderating.click('form[action="/moderate/contest"] button')
    await expect(moderating.locator(".outcome")).to_contain_text("autumn")
    for page, words in ((ada, "a red leaf"), (bo, "a hedgehog")):
        await say(page, words)
    for number in (1, 2):
        await house.finish(number)
        await ada.wait_for_selector(f"#dream-{number}.done img.picture")
    for page, words in ((ada, "a red leaf"), (bo, "a hedgehog")):
        await say(page, "/contest enter")
        await expect(page.locator(".answer")).to_contain_text(words)
    await bo.click('#dream-1 [data-vote="⭐"]')
    await expect(ada.locator('#dream-1 [data-vote="⭐"] .count')).to_have_text("1")
    await say(ada, "/contest show")
    await expect(ada.locator(".answer li")).to_have_count(2)
    await expect(ada.locator(".answer li").first).to_contain_text("a red leaf")
    await moderating.click('form[action="/moderate/uncontest"] button')
    await expect(moderating.locator(".trail li")).to_have_count(2)
    await say(bo, "/contest show")
    await expect(bo.locator(".answer p").last).to_contain_text("Ada")
    assert complaints.found == []
