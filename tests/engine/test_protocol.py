"""The frames between the bot and the engine."""

import io

import pytest

from engine import protocol
from engine.errors import FailureKind
from engine.protocol import (
    BrokenFrame,
    DreamRequest,
    Failed,
    Finished,
    Message,
    Progress,
    Ready,
    Recipe,
    Started,
    Stop,
)
from engine.sentences import Key, Saying

RECIPE = Recipe(
    "una ciotola di ciliegie 🍒",
    7,
    100,
    "pocket",
    "g",
    "p",
    "0.1.0",
    {"learning_rate": 0.03, "filter": "nearest"},
)
MESSAGES: tuple[Message, ...] = (
    DreamRequest("1", 'a "bowl"\nof 🍒 \\ مرحبا', 2**32 - 1, "pocket", 100, 0.0),
    DreamRequest("1", "a house", 0),
    Stop("1"),
    Ready("0.1.0", "cpu"),
    Started("1", "pocket", 100, Saying.of(Key.PROMPT_IN_PARTS, parts=3) + Saying.plain("New.")),
    Progress("1", 3, 100, 21.5, 22.25, 12.0, None),
    Progress("1", 3, 100, -21.5, -3.0, 0.0, bytes(range(256))),
    Finished("1", RECIPE, 30.5, 90, 100, 12.5, False, b"\x89PNG\r\n\x1a\n" + bytes(1000)),
    Failed("1", FailureKind.HANG, Saying.of(Key.HANG)),
    DreamRequest("1", "a house", 0, image=b"one", init=b"", state=bytes(3), settings={"cutouts": 3}),
    Progress("1", 3, 100, 21.5, 22.25, 12.0, b"picture", b"state", "nudity"),
    Finished("1", RECIPE, 30.5, 90, 100, 12.5, False, b"picture", b"state", b"timelapse", "blood"),
)


def read(data: bytes) -> Message:
    stream = io.BytesIO(data)

    def read_exactly(size: int) -> bytes:
        part = stream.read(size)
        if len(part) < size:
            raise EOFError
        return part

    message = protocol.read(read_exactly)
    assert stream.read() == b""
    return message


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_arrives_as_it_was_sent(message: Message) -> None:
    assert read(protocol.encode(message)) == message


def test_a_lone_surrogate_in_a_prompt_is_no_reason_to_fail() -> None:
    """A terminal without UTF-8 hands those out for bytes that it cannot read."""
    message = read(protocol.encode(DreamRequest("1", "caf\udce9", 0)))
    assert isinstance(message, DreamRequest)
    assert message.prompt == "caf?"


def test_fields_that_a_newer_version_added_are_ignored() -> None:
    frame = protocol.encode(Stop("1"))
    header = frame[protocol.PREFIX_SIZE :].replace(b'"id"', b'"colour": "red", "id"')
    assert protocol.decode(header, b"") == Stop("1")


@pytest.mark.parametrize(
    "header",
    [
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"id": "1"}',
        b'{"type": "Nonsense", "id": "1", "blobs": {}}',
        b'{"type": "Stop", "id": "1"}',
        b'{"type": "Stop", "blobs": {}}',
        b'{"type": "Stop", "id": "1", "blobs": []}',
        b'{"type": "Stop", "id": "1", "blobs": {"picture": 1}}',
        b'{"type": "Stop", "id": "1", "blobs": {"a": -1, "b": 1}}',
        b'{"type": "Stop", "id": "1", "blobs": {"a": "0"}}',
        b'{"type": ["Stop"], "id": "1", "blobs": {}}',
        b'{"type": "Failed", "id": "1", "kind": "boredom", "message": "", "blobs": {}}',
        b'{"type": "Finished", "id": "1", "recipe": 3, "blobs": {}}',
    ],
)
def test_a_header_that_is_no_message_is_a_broken_frame(header: bytes) -> None:
    with pytest.raises(BrokenFrame):
        protocol.decode(header, b"")


@pytest.mark.parametrize("prefix", [b"Hello wo", bytes(8), b"\0\0\0\1\xff\xff\xff\xff"])
def test_a_prefix_that_announces_nonsense_is_a_broken_frame(prefix: bytes) -> None:
    with pytest.raises(BrokenFrame):
        protocol.lengths(prefix)


def test_a_stream_that_ends_inside_a_frame_is_an_end_of_file() -> None:
    frame = protocol.encode(MESSAGES[6])
    for length in (0, 3, 8, 20, len(frame) - 1):
        with pytest.raises(EOFError):
            read(frame[:length])


def test_a_recipe_survives_its_line_of_json() -> None:
    line = RECIPE.to_json()
    assert "\n" not in line
    assert Recipe.from_json(line) == RECIPE


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"prompt": "a house"}'])
def test_what_is_no_recipe_is_named_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"^This is not a dream's recipe: .*\.$"):
        Recipe.from_json(text)
