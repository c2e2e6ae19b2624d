"""/dream's options: what reaches the engine, what a changed client may send, pictures, suggestions."""

import io
from dataclasses import fields

import pytest
from discord import AppCommandOptionType
from discord.app_commands import Parameter
from PIL import Image
from simcord.enums import AppCommandType, InteractionType
from simcord.results import InteractionResult

from bot.chat.commands.dream import dream
from bot.dreams.dream import What
from bot.dreams.suggestions import OFFERED
from bot.sentences import ENGLISH as SAY
from bot.sentences import ITALIAN
from engine import known_things
from engine.settings import MAX_SEED, MAX_STEPS
from tests.bot.chat.conftest import World
from tests.bot.scripted import picture

STRING, INTEGER = 3, 4  # Discord's option types


def said(answer: InteractionResult) -> str:
    (message,) = [*([answer.response] if answer.response else []), *answer.followups]
    assert message.ephemeral
    return message.content


async def forged(world: World, name: str = "dream", **options: object) -> InteractionResult:
    """`/dream` with options that Discord's own client would not send."""
    root = world.alice._resolve_root("dream", AppCommandType.CHAT_INPUT, world.channel.id)
    values = [
        {"name": name, "type": INTEGER if isinstance(value, int) else STRING, "value": value}
        for name, value in options.items()
    ]
    data = {"id": root["id"], "name": name, "type": AppCommandType.CHAT_INPUT, "options": values}
    return await world.alice._dispatch_interaction(InteractionType.APPLICATION_COMMAND, world.channel, data)


async def test_every_option_reaches_the_engine(world: World) -> None:
    attached = ("cherries.png", picture("PNG", size=64))
    await world.dream(
        world.alice,
        avoid="people",
        image=attached,
        seed=7,
        size=512,
        preset="thorough",
        steps=9,
        spoiler=True,
    )
    await world.engine.dreams(1)
    request = world.engine.requests[0]
    assert (request.avoid, request.seed, request.size) == ("people", 7, 512)
    assert (request.preset, request.steps) == ("thorough", 9)
    assert request.image is not None
    with Image.open(io.BytesIO(request.image)) as image:
        assert (image.format, image.size) == ("JPEG", (64, 64))


NO_FIELD = {"image", "candidates"}  # options that are no field of what is dreamt


def other_than_usual(option: Parameter) -> object:
    """A value for an option that nobody gets who does not ask for it."""
    if option.choices:
        return option.choices[-1].value
    kinds = {AppCommandOptionType.string: "people", AppCommandOptionType.boolean: True}
    return kinds.get(option.type, option.max_value)


async def test_each_option_is_stored_with_the_dream(world: World) -> None:
    """One that the command takes and forgets would have no effect, and nobody would be told."""
    given = {option.name: other_than_usual(option) for option in dream.parameters}
    given = {name: value for name, value in given.items() if name not in NO_FIELD}
    assert given.keys() < {field.name for field in fields(What)}
    usual = await ask(world, prompt="a house")
    for name, value in given.items():
        stored = await ask(world, **{"prompt": "a house"} | {name: value})
        assert getattr(stored, name) == value != getattr(usual, name), name


async def ask(world: World, **options: object) -> What:
    assert (await world.alice.slash(world.channel, "dream", **options)).response is not None
    newest = (await world.parts.store.by(world.alice.id, most=1))[0]
    await world.parts.worker.cancel(newest.id)
    return newest.what


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"seed": -1}, f"The seed must be a whole number from 0 to {MAX_SEED}."),
        ({"seed": MAX_SEED + 1}, f"The seed must be a whole number from 0 to {MAX_SEED}."),
        ({"steps": 0}, f"The steps must be a whole number from 1 to {MAX_STEPS}."),
        ({"steps": 10**9}, f"The steps must be a whole number from 1 to {MAX_STEPS}."),
        ({"size": 300}, "The size must be one of 128, 256, 512, 1024."),
        ({"preset": "lightning"}, "The preset must be one of quick, normal, thorough."),
        ({"prompt": "x" * 2001}, "The prompt has 2001 characters; the limit is 2000."),
        ({"avoid": "…"}, "What to avoid has no words."),
    ],
)
async def test_what_a_changed_client_sends_is_refused_with_a_sentence(
    world: World, options: dict[str, object], sentence: str
) -> None:
    assert said(await forged(world, **{"prompt": "a house"} | options)) == sentence
    assert not world.messages() and not await world.parts.store.undelivered()


async def test_a_command_of_another_version_gets_a_sentence(world: World) -> None:
    assert said(await forged(world, "nightmare", prompt="a house")) == SAY.OLD_COMMAND
    (error,) = world.env.errors  # acknowledges it
    assert "nightmare" in str(error)


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("notes.txt", b"hello", SAY.NOT_A_PICTURE),
        ("film.mp4", b"hello", SAY.NOT_A_PICTURE),
        ("large.png", b"\x89PNG" + bytes(8 * 2**20), SAY.picture_too_large(8)),
        (
            "fake.png",
            b"MZ this is a program",
            "This is not a picture that I can read; I know PNG, JPEG, WebP, GIF, BMP and AVIF.",
        ),
        ("cut.png", picture("PNG", size=64)[:60], "This picture is damaged, so I cannot read it."),
        (
            "empty.png",
            b"",
            "This is not a picture that I can read; I know PNG, JPEG, WebP, GIF, BMP and AVIF.",
        ),
    ],
)
async def test_an_attachment_that_is_no_picture_is_refused(
    world: World, name: str, data: bytes, sentence: str
) -> None:
    assert said(await world.dream(world.alice, image=(name, data))) == sentence
    assert not world.messages() and not await world.parts.store.undelivered()


async def test_a_picture_that_cannot_be_fetched_is_told(world: World) -> None:
    world.env.backend.cdn.store_attachment = _losing(world.env.backend.cdn)  # type: ignore[method-assign]
    answer = await world.dream(world.alice, image=("a.png", picture("PNG")))
    assert said(answer) == SAY.PICTURE_UNREACHABLE
    assert not await world.parts.store.undelivered()


def _losing(cdn):
    """Stores an attachment and loses its bytes: Discord's signed addresses expire."""
    store = cdn.store_attachment

    def losing(*args: object) -> dict[str, object]:
        stored = store(*args)
        cdn._blobs.pop(stored["url"])
        return stored

    return losing


async def test_somebody_else_s_picture_is_dreamt_on(world: World) -> None:
    posted = await world.bob.send(world.channel, "look!", attachments=[("a.png", picture("PNG"))])
    shown = await world.alice.context_menu(world.channel, SAY.MENU_DREAM_ON, posted)
    assert shown.modal is not None
    answer = await world.alice.submit_modal(shown, {"prompt": "as a cake", "avoid": ""})
    assert said(answer) == SAY.queued(1)
    await world.engine.dreams(1)
    request = world.engine.requests[0]
    assert request.prompt == "as a cake" and request.image and request.image.startswith(b"\xff\xd8")
    assert (await world.stored(1)).author_id == world.alice.id


@pytest.mark.parametrize(
    ("attachments", "sentence"),
    [([], SAY.NO_PICTURE_HERE), ([("notes.txt", b"hello")], SAY.NOT_A_PICTURE)],
)
async def test_a_message_without_a_picture_is_told_so(
    world: World, attachments: list[tuple[str, bytes]], sentence: str
) -> None:
    posted = await world.bob.send(world.channel, "look!", attachments=attachments)
    answer = await world.alice.context_menu(world.channel, SAY.MENU_DREAM_ON, posted)
    assert said(answer) == sentence


async def test_of_several_attachments_the_first_picture_counts(world: World) -> None:
    files = [("notes.txt", b"hello"), ("a.png", picture("PNG"))]
    posted = await world.bob.send(world.channel, "look!", attachments=files)
    shown = await world.alice.context_menu(world.channel, SAY.MENU_DREAM_ON, posted)
    assert shown.modal is not None


async def test_a_picture_chosen_before_a_restart_is_asked_for_again(world: World) -> None:
    posted = await world.bob.send(world.channel, "look!", attachments=[("a.png", picture("PNG"))])
    shown = await world.alice.context_menu(world.channel, SAY.MENU_DREAM_ON, posted)
    await world.restart()
    answer = await world.alice.submit_modal(shown, {"prompt": "as a cake", "avoid": ""})
    assert said(answer) == SAY.PICTURE_FORGOTTEN


async def test_again_uses_the_attached_picture_too(world: World) -> None:
    await world.dream(world.alice, image=("a.png", picture("PNG")))
    await world.engine.dreams(1)
    world.engine.finish()
    await world.until_delivered(1)
    await world.bob.click(world.messages()[0], label=SAY.AGAIN)
    await world.engine.dreams(2)
    assert world.engine.requests[1].image == world.engine.requests[0].image


async def suggested(world: World, typed: str) -> list[str]:
    choices = await world.alice.autocomplete(world.channel, "dream", "prompt", typed)
    assert all(len(c["name"]) <= 100 and len(c["value"]) <= 100 for c in choices) and len(choices) <= 25
    return [choice["value"] for choice in choices]


async def test_one_s_own_recent_prompts_are_suggested_the_newest_first(world: World, a_wish) -> None:
    for prompt in ("a tree", "a *bowl*", "a tree", "x" * 101, "a house"):
        await world.parts.store.add(a_wish(author_id=world.alice.id, prompt=prompt))
    await world.parts.store.add(a_wish(author_id=world.bob.id, prompt="a secret of Bob's"))
    assert (await suggested(world, ""))[:3] == ["a house", "a tree", "a *bowl*"]
    assert (await suggested(world, "TREE"))[0] == "a tree"


async def test_a_thing_is_suggested_on_the_grounds_that_can_be_painted(world: World) -> None:
    assert await suggested(world, "a fox") == ["a fox", *(f"a fox {ground}" for ground in SAY.GROUNDS)]
    assert (await suggested(world, "a jazz singer"))[0] == f"a jazz singer {SAY.GROUNDS[0]}"
    assert await suggested(world, f"a fox {SAY.GROUNDS[0]}") == []
    assert await suggested(world, "x" * 100) == []


async def test_a_large_model_s_styles_are_suggested_where_one_dreams(world: World) -> None:
    world.parts.asking.model = "biggan-deep-512"
    assert await suggested(world, "a fox") == [f"a fox, {style}" for style in SAY.STYLES]


async def test_an_empty_field_offers_known_things_in_one_s_language_and_others_each_time(
    world: World,
) -> None:
    first, second = await suggested(world, ""), await suggested(world, "")
    assert len(set(first)) == len(set(second)) == OFFERED and first != second
    known = set(known_things("en"))
    assert all(text in known or text.endswith(SAY.GROUNDS) for text in first + second)
    await world.alice.slash(world.channel, "preferences", language="it")
    known = set(known_things("it"))
    assert all(text in known or text.endswith(ITALIAN.GROUNDS) for text in await suggested(world, ""))


@pytest.mark.parametrize(
    ("language", "typed", "thing"),
    [
        ("en", "volc", "a volcano"),
        ("en", "A  VOLC", "a volcano"),
        ("en", "an o", "an owl"),
        ("it", "un'a", "un'ape"),
        ("it", "un’a", "un'ape"),
        ("it", "vol", "una volpe"),
        ("it", "uno squ", "uno squalo"),
    ],
)
async def test_what_is_typed_is_completed_to_known_things(
    world: World, language: str, typed: str, thing: str
) -> None:
    await world.alice.slash(world.channel, "preferences", language=language)
    assert thing in await suggested(world, typed)
