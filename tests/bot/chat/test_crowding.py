"""What many pictures and clicks at once cost: people are asked first, then one picture at a time."""

import asyncio
import io
import threading
from dataclasses import replace

import pytest
from PIL import Image

from bot.chat import attachments
from bot.dreams import image_prompts
from bot.queue.turnstile import Crowded, Turnstile
from bot.sentences import ENGLISH as SAY
from bot.servers.settings import Allowance
from tests.bot.chat.conftest import World
from tests.bot.chat.test_options import said
from tests.bot.scripted import picture, until


@pytest.fixture
def fetched(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses of all that is fetched."""
    found: list[str] = []
    get = world.parts.client.http.get_from_cdn

    async def noting(url: str) -> bytes:
        found.append(url)
        return await get(url)

    monkeypatch.setattr(world.parts.client.http, "get_from_cdn", noting)
    return found


async def with_picture(world: World, **options: object):
    return await world.dream(world.alice, image=("a.png", picture("PNG")), **options)


async def test_nothing_is_fetched_for_somebody_who_is_banned(world: World, fetched: list[str]) -> None:
    await world.parts.moderation.add_ban(world.guild.id, world.alice.id, by=world.moderator.id)
    assert said(await with_picture(world)) == SAY.banned(None, "")
    assert not fetched


async def test_nothing_is_fetched_where_words_channel_line_or_candidates_forbid_the_dream(
    world: World, fetched: list[str]
) -> None:
    change, guild = world.parts.moderation.change, world.guild.id

    async def setting(**values: object) -> None:
        await change(guild, by=1, change=lambda old: replace(old, **values))  # type: ignore[arg-type]

    await setting(words=("cherries",))
    assert said(await with_picture(world)) == SAY.BANNED_WORDS
    await setting(words=(), channels=(world.channel.id + 1,))
    assert said(await with_picture(world)) == SAY.wrong_channel((world.channel.id + 1,))
    await setting(channels=(), everyone=Allowance(candidates=2))
    assert said(await with_picture(world, candidates=3)) == SAY.too_much("candidates", 2)
    await setting(everyone=Allowance(waiting=0))
    assert said(await with_picture(world)) == SAY.NOT_ALLOWED
    await setting(everyone=Allowance(), draining=True)
    assert said(await with_picture(world)) == SAY.NO_NEW_DREAMS
    assert not fetched


async def test_a_picture_whose_declared_size_is_too_much_is_not_fetched(
    world: World, fetched: list[str]
) -> None:
    store = world.env.backend.cdn.store_attachment

    def declaring(*args: object, **options: object):
        return store(*args, **options) | {"width": 20_000, "height": 20_000}

    world.env.backend.cdn.store_attachment = declaring  # type: ignore[method-assign]
    answer = await with_picture(world)
    assert said(answer) == "This picture is too large; the limit is 50 million pixels."
    assert not fetched


async def test_pictures_are_decoded_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    at_work, most, lock = 0, 0, threading.Lock()
    decode = image_prompts.decode

    def counting(data: bytes) -> Image.Image:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        image = decode(data)
        with lock:
            at_work -= 1
        return image

    class Attached:
        id = 1

        async def read(self) -> bytes:
            buffer = io.BytesIO()
            Image.new("RGB", (600, 600)).save(buffer, "PNG")
            return buffer.getvalue()

    monkeypatch.setattr(image_prompts, "decode", counting)
    await asyncio.gather(*(attachments.fetch(Attached()) for _ in range(12)))  # type: ignore[arg-type]
    assert most == 1


async def test_at_a_turnstile_few_are_through_some_wait_and_the_others_are_told() -> None:
    stile = Turnstile(at_once=2, waiting=3, each=1, patience_s=60)
    leave, through = asyncio.Event(), []

    async def person(number: int) -> None:
        async with stile.turn(number):
            through.append(number)
            await leave.wait()

    people = [asyncio.create_task(person(number)) for number in range(8)]
    await until(lambda: sum(task.done() for task in people) == 3)
    assert through == [0, 1]
    assert all(isinstance(task.exception(), Crowded) for task in people[5:])
    with pytest.raises(Crowded) as error:
        await person(0)
    assert error.value.own
    leave.set()
    await asyncio.gather(*people[:5])
    assert through == [0, 1, 2, 3, 4]
    async with asyncio.timeout(10):
        await person(0)


async def test_whoever_waits_too_long_at_a_turnstile_or_gives_up_leaves_no_place_taken() -> None:
    stile = Turnstile(at_once=1, waiting=5, each=1, patience_s=0.01)
    async with stile.turn(1):
        with pytest.raises(Crowded):
            async with stile.turn(2):
                pass
        gives_up = asyncio.create_task(stile.turn(3).__aenter__())
        await asyncio.sleep(0)
        gives_up.cancel()
        await asyncio.gather(gives_up, return_exceptions=True)
    for number in (1, 2, 3):
        async with stile.turn(number):
            pass


async def test_a_second_click_on_time_lapse_is_told_to_wait_while_the_first_is_on_its_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.start()
    world.engine.step()
    world.engine.finish(timelapse=b"a film")
    await world.until_delivered(1)
    message = world.messages()[0]
    async with world.parts.outlet.turn(world.alice.id):
        busy = await world.alice.click(message, custom_id="dream:1:timelapse")
        assert said(busy) == SAY.STILL_BUSY
    sent = await world.alice.click(message, custom_id="dream:1:timelapse")
    (shown,) = [*([sent.response] if sent.response else []), *sent.followups]
    assert [attached.filename for attached in shown.attachments] == ["dream-1-timelapse.webp"]
