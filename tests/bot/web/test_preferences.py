"""What one's own dreams are in the local channel when nothing else is said: typed, and on a page."""

from pathlib import Path

import pytest

from bot.dreams.preferences import NONE, Preference
from bot.settings import Settings
from tests.bot.web.conftest import House


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """With SQLite alone: what a database does is tried elsewhere."""
    return f"sqlite:///{tmp_path}/oneiro.db"


async def test_what_is_typed_counts_for_the_next_dream_and_for_nobody_else(house: House) -> None:
    ada, bo = await house.visitor("Ada"), await house.visitor("Bo")
    said = await ada.say("/preferences preset:quick size:128 spoiler:yes")
    assert "Preset: Quick" in said and "128 × 128" in said and "Hidden until clicked: yes" in said
    assert "Language" not in said and "Told when" not in said
    await ada.say("a house")
    await ada.say("/dream a house size:512 spoiler:no")
    await bo.say("a house")
    chosen = [(one.preset, one.size, one.spoiler) for one in await house.dreams()]
    assert chosen == [("quick", 128, True), ("quick", 512, False), ("", None, False)]
    assert "Size: The model's own" in await ada.say("/preferences size:model")
    assert "Preset: The model's own" in await ada.say("/preferences reset:yes")
    assert house.heart.preferences.of(1) == NONE


@pytest.mark.parametrize("typed", ["size:300", "size:x", "preset:slow", "spoiler:perhaps", "reset:perhaps"])
async def test_what_cannot_be_is_named_and_changes_nothing(house: House, typed: str) -> None:
    ada = await house.visitor("Ada")
    await ada.say("/preferences preset:quick")
    assert f"another value for {typed.split(':')[0]}" in await ada.say(f"/preferences spoiler:yes {typed}")
    assert house.heart.preferences.of(1) == Preference(preset="quick")


async def test_the_page_shows_and_keeps_them_and_they_last(prepared: Settings) -> None:
    house = await House(prepared).open()
    ada = await house.visitor("Ada", language="it")
    assert 'href="/preferences"' in await ada.html()
    assert "Come preferisce il modello" in await ada.html("/preferences")
    async with await ada.post("/preferences", {"preset": "thorough", "size": "256", "spoiler": "1"}) as page:
        text = await page.text()
    assert page.status == 200 and "Salvato." in text
    assert '<option value="thorough" selected>' in text and '<option value="256" selected>' in text
    assert 'value="1" checked' in text
    async with await ada.post("/preferences", {"preset": "thorough", "size": "9"}) as page:
        assert page.status == 422
    await house.close()
    again = await House(prepared).open()
    assert again.heart.preferences.of(1) == Preference(preset="thorough", size=256, spoiler=True)
    await again.close()


async def test_only_whoever_has_a_name_has_preferences(house: House) -> None:
    stranger = await house.visitor()
    await stranger.html()
    assert (await stranger.get("/preferences")).status == 401
    assert (await stranger.post("/preferences", {"preset": "quick"})).status == 401


async def test_what_may_be_typed_is_suggested(house: House) -> None:
    ada = await house.visitor("Ada")

    async def offered(text: str) -> list[str]:
        async with await ada.get("/suggest", params={"text": text}) as answer:
            return [one["label"] for one in await answer.json()]

    assert await offered("/pref") == ["/preferences"]
    assert await offered("/preferences ") == ["preset:", "size:", "spoiler:", "reset:"]
    assert await offered("/preferences size:m") == ["size:model"]
