"""What is sent to Discord does not stay in memory."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from bot.chat.messages.exhibit import Exhibit
from bot.chat.messages.uploads import Upload
from bot.dreams.dream import Picture
from bot.dreams.showing import Visibility


@pytest.fixture(autouse=True)
def no_search_for_circles() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def test_what_was_sent_is_gone_at_once() -> None:
    file = Exhibit(Picture(b"a film", "webp"), "dream-1.webp", "a dream", Visibility.OPEN).file()
    kept = weakref.ref(file.fp)
    file.close()
    del file
    assert kept() is None


def test_a_file_that_is_open_can_be_sent_again_and_is_whole() -> None:
    file = Exhibit(Picture(b"a film", "webp"), "dream-1.webp", "a dream", Visibility.OPEN).file()
    assert isinstance(file.fp, Upload)
    for attempt in range(3):
        file.reset(seek=attempt)
        assert file.fp.read() == b"a film"
        file.fp.close()  # as whoever sends it does
    file.close()
    file.fp.close()
    assert file.fp.closed
