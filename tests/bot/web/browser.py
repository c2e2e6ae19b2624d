"""Real Chromium for tests: the system's own, driven by Playwright; whatever it complains of is a failure."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from axe_playwright_python.async_playwright import Axe
from axe_playwright_python.base import AxeResults
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), None)
MISSING = "no Chromium on this machine, so the page was not tried in a browser: apt-get install chromium"
WAIT_MS = 30_000.0  # for a machine with other work
SIZES = {"phone": (390, 844), "tablet": (820, 1180), "desktop": (1280, 900)}


class Complaints:
    """Errors in the console and in scripts, and requests to anybody else."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def listen(self, page: Page, origin: str) -> None:
        page.on("console", lambda message: self._console(message))
        page.on("pageerror", lambda error: self.found.append(str(error)))
        page.on("dialog", lambda dialog: self.found.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: self._request(request.url, origin))

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.found.append(message.text)

    def _request(self, url: str, origin: str) -> None:
        if not url.startswith((origin, "blob:", "data:")):
            self.found.append(f"asked elsewhere: {url}")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser without a window; root has no sandbox."""
    arguments = ["--no-sandbox"] if os.name == "posix" and os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield browser
        finally:
            await browser.close()


async def come_in(
    browser: Browser, address: str, name: str, complaints: Complaints, **options: Any
) -> tuple[BrowserContext, Page]:
    """A person with a browser of their own, in the channel."""
    context = await browser.new_context(**options)
    context.set_default_timeout(WAIT_MS)
    page = await context.new_page()
    complaints.listen(page, address)
    await page.goto(address)
    await page.fill("#name", name)
    await page.click(".name-form button")
    await page.wait_for_selector("#text")
    return context, page


async def say(page: Page, text: str) -> None:
    """Type this and send it."""
    await page.fill("#text", text)
    await page.keyboard.press("Escape")
    await page.keyboard.press("Enter")


async def changed(page: Page, selector: str, was: str | None) -> str:
    """Wait until a picture is another one; gives its address."""
    async with asyncio.timeout(WAIT_MS / 1000):
        while True:
            found = await page.locator(selector).first.get_attribute("src")
            if found and found != was:
                return found
            await asyncio.sleep(0.05)


async def serious(page: Page) -> list[str]:
    """What axe finds that keeps people out."""
    found: AxeResults = await Axe().run(page)
    return [
        f"{one['id']}: {[node['html'] for node in one['nodes']]}"
        for one in found.response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
