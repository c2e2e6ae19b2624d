"""The local channel: people, dreams, buttons, votes, choices, what lasts; what only some may."""

import json

import pytest

from bot.dreams.dream import DreamState, Wish
from bot.dreams.local import CHANNEL_ID, GUILD_ID
from bot.settings import Settings
from tests.bot.scripted import picture, until
from tests.bot.web.conftest import House

DISCORD = Wish(
    prompt="elsewhere",
    seed=1,
    model="auto",
    author_id=2**60,
    guild_id=2**60,
    channel_id=2**60,
    origin=5,
)
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202e&amp;"


async def test_a_name_is_chosen_once_and_the_first_one_moderates(house: House) -> None:
    ada = await house.visitor("Ada")
    bo = await house.visitor("Bo")
    assert "/moderate" in await ada.html() and "/moderate" not in await bo.html()
    assert (await ada.get("/moderate")).status == 200
    assert (await bo.get("/moderate")).status == 403
    eve = await house.visitor()
    await eve.html()
    async with await eve.post("/name", {"name": "ａｄａ\u200b"}) as answer:
        assert answer.status == 422 and "already called that" in await answer.text()
    for name in ("", " ", "\u202e", "x" * 33, "***"):
        assert (await eve.post("/name", {"name": name})).status == 422
    assert len(house.room.people.all()) == 2


async def test_a_stranger_sees_and_does_nothing(house: House) -> None:
    ada = await house.visitor("Ada")
    await ada.say("a bowl of cherries")
    stranger = await house.visitor()
    assert "cherries" not in await stranger.html()
    for path in ("/cards", "/events", "/suggest?text=a", "/dreams/1/picture", "/moderate"):
        assert (await stranger.get(path)).status == 401
    assert (await stranger.post("/say", {"text": "a house"})).status == 401


async def test_plain_words_are_a_dream_that_sharpens_and_stays(house: House) -> None:
    ada = await house.visitor("Ada")
    assert "Your dream" in await ada.say("a bowl of cherries")
    (dream,) = await house.dreams()
    assert (dream.guild_id, dream.channel_id) == (GUILD_ID, CHANNEL_ID)
    await house.engine.dreams(dream.id)
    house.engine.start()
    house.engine.step(preview=picture("JPEG"))
    await until(lambda: bool((scene := house.room.live.scene(dream.id)) and scene.frame))
    assert f"/dreams/{dream.id}/frame/1" in await ada.html()
    async with await ada.get(f"/dreams/{dream.id}/frame/1") as frame:
        assert await frame.read() == picture("JPEG") and frame.content_type == "image/jpeg"
    house.engine.finish(timelapse=b"film")
    await house.until(dream.id, DreamState.DONE)
    page = await ada.html()
    assert f"/dreams/{dream.id}/picture" in page and 'data-action="vary"' in page
    async with await ada.get(f"/dreams/{dream.id}/picture") as final:
        assert await final.read() == picture("PNG")
    async with await ada.get(f"/dreams/{dream.id}/timelapse") as film:
        assert await film.read() == b"film"
    assert "recipe of dream" in json.dumps(await (await ada.post(f"/dreams/{dream.id}/recipe")).json())


async def test_the_command_knows_its_options_and_weights_stay_words(house: House) -> None:
    ada = await house.visitor("Ada")
    await ada.say("/dream a house:2 | a tree avoid:fog preset:quick seed:7 size:256 steps:20 spoiler:yes")
    (dream,) = await house.dreams()
    assert (dream.prompt, dream.avoid, dream.preset) == ("a house:2 | a tree", "fog", "quick")
    assert (dream.seed, dream.size, dream.steps, dream.spoiler) == (7, 256, 20, True)
    for text, words in {
        "/dream a house seed:x": "another value for seed",
        "/dream a house seed:-1": "seed",
        "/dream a house size:77": "size",
        "/dream a house preset:slow": "preset",
        "/dream a house candidates:9": "whole number from 2 to 4",
        "/dance": "don't know the command",
        "/dreams show 99": "no dream 99",
        "/dream": "what",
        "/dreams story one": "2 to 6 chapters",
    }.items():
        assert words in (await ada.say(text)).lower() or words in await ada.say(text), text
    assert len(await house.dreams()) == 1


async def test_a_wish_that_is_sent_twice_is_dreamt_once(house: House) -> None:
    ada = await house.visitor("Ada")
    for _ in range(2):
        await ada.say("a house", **{"X-Once": "the same"})
    assert len(await house.dreams()) == 1


async def test_completion_knows_commands_options_values_and_things(house: House) -> None:
    ada = await house.visitor("Ada")

    async def offered(text: str) -> list[str]:
        async with await ada.get("/suggest", params={"text": text}) as answer:
            return [one["label"] for one in await answer.json()]

    assert "/dream" in await offered("/") and await offered("/qu") == ["/queue"]
    assert "preset:" in await offered("/dream a fox pre")
    assert await offered("/dream a fox preset:th") == ["preset:thorough"]
    assert any("cherr" in thing for thing in await offered("cherr"))
    assert await offered("/nonsense x") == []
    async with await ada.get("/surprise") as answer:
        assert (await answer.json())["text"]


async def test_another_may_vote_and_not_cancel_nor_delete(house: House) -> None:
    await house.visitor("Mo")
    ada, bo = await house.visitor("Ada"), await house.visitor("Bo")
    await ada.say("a bowl of cherries")
    (dream,) = await house.dreams()
    assert "belongs to somebody else" in await bo.said(f"/dreams/{dream.id}/cancel")
    done = await house.finish(dream.id)
    assert "belongs to somebody else" in await bo.said(f"/dreams/{dream.id}/delete")
    await _shown(house, done.id)
    await bo.said(f"/dreams/{dream.id}/votes", {"emoji": "⭐", "on": "1"})
    await ada.said(f"/dreams/{dream.id}/votes", {"emoji": "⭐", "on": "1"})  # one's own counts for nothing
    await bo.said(f"/dreams/{dream.id}/votes", {"emoji": "💣", "on": "1"})  # nor what is no vote
    assert await house.heart.votes.tally(dream.id) == 1
    top = (await (await bo.post("/say", {"text": "/top"})).json())["html"]
    assert "1 vote" in top and "cherries" in top
    await bo.said(f"/dreams/{dream.id}/votes", {"emoji": "⭐", "on": "0"})
    assert await house.heart.votes.tally(dream.id) == 0


async def _shown(house: House, dream_id: int) -> None:
    async def delivered() -> bool:
        dream = await house.dream(dream_id)
        return dream.delivered and dream.message_id == dream.id

    await until(delivered)


async def test_delete_removes_words_and_picture_at_once(house: House) -> None:
    ada, bo = await house.visitor("Ada"), await house.visitor("Bo")
    await ada.say("a bowl of lemons")
    (dream,) = await house.dreams()
    await house.finish(dream.id)
    assert await ada.said(f"/dreams/{dream.id}/delete") == "The dream has been deleted."
    for path in ("picture", "timelapse", "frame/1"):
        assert (await bo.get(f"/dreams/{dream.id}/{path}")).status == 404
    assert "lemons" not in await bo.html()
    assert (await ada.post(f"/dreams/{dream.id}/again")).status == 404


async def test_one_goes_on_from_a_dream_by_its_buttons(house: House) -> None:
    ada = await house.visitor("Ada")
    await ada.say("a bowl of cherries")
    first = await house.finish((await house.dreams())[0].id)
    for action in ("again", "vary", "continue"):
        assert "Your dream" in await ada.said(f"/dreams/{first.id}/{action}")
        await house.finish((await house.dreams())[-1].id)
    await ada.said(f"/dreams/{first.id}/edit", {"prompt": "a bowl of lemons", "from_here": "1"})
    edited = (await house.dreams())[-1]
    assert (edited.prompt, edited.begin, edited.parent_id) == ("a bowl of lemons", "continue", first.id)
    await house.finish(edited.id)
    await ada.say(f"/dreams blend first:{first.id} second:{edited.id}")
    blend = (await house.dreams())[-1]
    assert (blend.begin, blend.other_id) == ("blend", edited.id)
    await house.finish(blend.id)
    await ada.say("/dreams story an egg | a chick")
    assert [dream.chapter for dream in (await house.dreams())[-2:]] == [1, 2]


async def test_everybody_chooses_a_beginning_and_the_winner_goes_on(house: House) -> None:
    ada, bo = await house.visitor("Ada"), await house.visitor("Bo")
    assert "2 beginnings" in await ada.say("/dream a castle candidates:2")
    one, two = await house.dreams()
    for beginning in (one, two):
        await house.finish(beginning.id)
    assert one.choice_id is not None

    async def voting() -> bool:
        return "data-choose" in await bo.html()

    await until(voting)
    assert await bo.said(f"/choices/{one.choice_id}/votes", {"number": "2", "on": "1"}) == ""
    assert "belongs to somebody else" in await bo.said(f"/choices/{one.choice_id}/decide")
    assert await ada.said(f"/choices/{one.choice_id}/decide") == "The vote ends now."

    async def goes_on() -> bool:
        return len(await house.dreams()) == 3

    await until(goes_on)
    assert (await house.dreams())[-1].parent_id == two.id
    assert "Number 2 goes on" in await ada.html()


async def test_a_moderator_s_page_is_effective_at_once_and_in_the_audit_log(house: House) -> None:
    mo, ada = await house.visitor("Mo"), await house.visitor("Ada")
    assert "steps" in await mo.html("/moderate")
    async with await mo.post("/moderate/limits", {"everyone-steps": "50", "together-waiting": "3"}) as page:
        assert page.status == 200
    assert "at most 50 steps" in await ada.say("/dream a house steps:60")
    async with await mo.post("/moderate/limits", {"everyone-steps": "0"}) as page:
        assert page.status == 422
    await mo.post("/moderate/pause")
    assert "paused" in await ada.say("a house")
    await mo.post("/moderate/resume")
    await mo.post("/moderate/words", {"words": "dragon\nghost*"})
    assert "doesn't allow some of these words" in await ada.say("a red dragon")
    (person,) = [one for one in house.room.people.all() if one.name == "Ada"]
    await mo.post("/moderate/ban", {"person": str(person.id), "reason": HOSTILE})
    assert "may not dream" in await ada.say("a house")
    trail = await mo.html("/moderate")
    assert "ban of" in trail and "<script>alert" not in trail and "onerror=alert(1)>" not in trail
    await mo.post("/moderate/unban", {"person": str(person.id)})
    assert "Your dream" in await ada.say("a house")
    assert (await ada.post("/moderate/pause")).status == 403
    what = [entry.what for entry in await house.heart.moderation.audit(GUILD_ID, most=50)]
    assert {"everyone", "together", "paused", "words", "ban", "unban"} <= set(what)


async def test_hostile_words_are_only_words(house: House) -> None:
    ada, bo = await house.visitor("Ada <b>"), await house.visitor("Bo")
    await ada.say(HOSTILE)
    await ada.say("/dream a fox avoid:" + HOSTILE)
    html = await bo.html() + json.dumps(await (await bo.get("/cards")).json())
    for bad in ("<script>alert", "<img src=x", "<b>", "\u202e<", "onerror=alert(1)>"):
        assert bad not in html.replace('data-prompt="', ""), bad
    answer = await (await bo.post("/say", {"text": "/queue"})).json()
    assert "<script" not in answer["html"] and "Ada &lt;b&gt;" in answer["html"]


async def test_uploads_are_bounded_before_they_are_read_and_must_be_pictures(house: House) -> None:
    ada = await house.visitor("Ada")
    assert "Your dream" in await ada.say("a house", picture("PNG"))
    (dream,) = await house.dreams()
    assert dream.image_id is not None
    await house.finish(dream.id)
    assert await ada.say("a house", b"\x89PNG\r\n\x1a\n" + b"x" * 100) != ""
    assert "more than I can take" in await ada.say("a house", b"x" * (9 * 1024 * 1024))
    assert len(await house.dreams()) == 1


async def test_addresses_lead_to_nothing_else(house: House) -> None:
    ada = await house.visitor("Ada")
    other = await house.heart.store.add(DISCORD)
    for path in (
        f"/dreams/{other.id}/picture",
        "/dreams/0/picture",
        "/dreams/99999999999999999999/picture",
        "/dreams/-1/picture",
        "/dreams/..%2f..%2fetc/picture",
        "/static/x/..%2f..%2f..%2fpyproject.toml",
        "/choices/1/decide",
        "/moderator/guessed",
    ):
        assert (await ada.get(path)).status in (404, 405), path
    assert (await ada.post(f"/dreams/{other.id}/again")).status == 404


async def test_the_printed_link_makes_somebody_a_moderator_once(house: House) -> None:
    await house.visitor("Mo")
    ada, bo = await house.visitor("Ada"), await house.visitor("Bo")
    path = f"/moderator/{house.room.moderator_key.secret}"
    await ada.html(path)
    assert (await ada.get("/moderate")).status == 403, "a GET changes nothing"
    assert (await ada.post(path)).status == 303
    assert (await ada.get("/moderate")).status == 200
    assert (await bo.post(path)).status == 404


async def test_everything_is_there_after_a_restart(prepared: Settings) -> None:
    house = await House(prepared).open()
    ada = await house.visitor("Ada")
    await ada.say("a bowl of cherries")
    await ada.say("a house")
    first, second = await house.dreams()
    await house.finish(first.id)
    await house.engine.dreams(second.id)
    jar = {cookie.key: cookie.value for cookie in ada.client.cookie_jar}
    await house.close()
    again = await House(prepared).open()
    try:
        back = await again.visitor()
        back.client.cookie_jar.update_cookies({f"oneiro_{again.server.port}": next(iter(jar.values()))})
        page = await back.html()
        assert "cherries" in page and "/moderate" in page
        await again.finish(second.id)
    finally:
        await again.close()


async def test_a_watcher_hears_of_cards_and_a_slow_one_costs_nobody_anything(house: House) -> None:
    ada = await house.visitor("Ada")
    async with await ada.get("/events") as slow, await ada.get("/events") as stream:
        assert slow.content_type == "text/event-stream"
        await ada.say("a bowl of cherries")
        seen = b""
        while b"event: card" not in seen:
            seen += await stream.content.readany()
        assert b"a bowl of cherries" in seen


@pytest.mark.parametrize("language", ["en", "it"])
async def test_the_page_speaks_the_browser_s_language(house: House, language: str) -> None:
    ada = await house.visitor("Ada", language=language)
    page = await ada.html()
    assert f'<html lang="{language}">' in page
    assert ("Sorprendimi" in page) == (language == "it")
