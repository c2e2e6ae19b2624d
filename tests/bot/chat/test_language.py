"""Who is spoken to in which language, and the commands' texts in each."""

from typing import Any

import pytest
import simcord.interactions
from discord import Locale

from bot.chat.language import MAX_DESCRIPTION, MAX_NAME
from bot.sentences import ENGLISH, ITALIAN, LANGUAGES
from engine.sentences import Key, Saying
from tests.bot.chat.conftest import World


@pytest.fixture
def in_italian(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody's Discord speaks Italian; simcord has no setting for it."""
    build = simcord.interactions.base_payload

    def italian(*args: Any, **kwargs: Any) -> Any:
        record, payload = build(*args, **kwargs)
        return record, payload | {"locale": "it", "guild_locale": "it"}

    monkeypatch.setattr(simcord.interactions, "base_payload", italian)


async def test_an_italian_is_answered_in_italian(in_italian: None, world: World) -> None:
    answer = await world.dream(world.alice)
    assert answer.response is not None and answer.response.content == ITALIAN.queued(1)
    answer = await world.dream(world.bob, "!?")
    assert answer.response is not None
    assert answer.response.content == "Dimmi che cosa sognare: il testo è vuoto."


async def test_a_dream_in_an_italian_server_stays_italian_from_its_place_to_its_end(
    in_italian: None, world: World
) -> None:
    await world.dream(world.alice)
    assert (await world.stored(1)).language == "it"
    await world.until_text("Un sogno di")
    (row,) = world.messages()[0].components
    assert row.children[0].label == ITALIAN.CANCEL
    await world.restart()
    await world.engine.dreams(1)
    world.engine.start(notice=Saying.of(Key.PROMPT_IN_PARTS, parts=9))
    world.engine.finish(score=21.5)
    await world.until_delivered(1)
    assert "lo leggo in 9 parti e le sogno tutte" in world.text()
    fields = {field.name: field.value for field in world.messages()[0].embeds[0].fields}
    assert fields["Punteggio"] == "21,5 (somiglia poco)" and fields["Seme"]


async def test_everybody_else_is_answered_in_english(world: World) -> None:
    answer = await world.dream(world.alice)
    assert answer.response is not None and answer.response.content == ENGLISH.queued(1)


async def test_every_text_of_a_command_is_translated_and_no_name_is(world: World) -> None:
    tree = world.parts.client.tree
    assert tree.translator is not None
    payloads = [await c.get_translated_payload(tree, tree.translator) for c in tree.get_commands()]
    assert payloads
    seen = 0
    pending: list[dict[str, Any]] = list(payloads)
    while pending:
        part = pending.pop()
        pending += part.get("options", [])
        for choice in part.get("choices", []):
            # Figures and the languages' own names are the same everywhere.
            same = choice["value"] in LANGUAGES or any(map(str.isdigit, choice["name"]))
            assert same or (choice.get("name_localizations") or {}).get("it"), choice["name"]
        menu = not part.get("description")  # of a context command the name is all that people see
        assert len(part["name"]) <= MAX_NAME and bool(part.get("name_localizations")) == menu
        if part.get("description"):  # context commands have none
            italian = part["description_localizations"].get(Locale.italian.value)
            assert italian and italian != part["description"], part["name"]
            assert len(part["description"]) <= MAX_DESCRIPTION and len(italian) <= MAX_DESCRIPTION
            assert part["description_localizations"].keys() == {"it"}
            seen += 1
    assert seen >= 4
