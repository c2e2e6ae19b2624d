"""One channel's edits: paced, coalesced, ends before frames before places."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from bot.chat.messages.dream_message import PLACES_PACE, DreamMessage
from bot.chat.messages.pacing import RETRY_S, ChannelEdits
from bot.database.connection import StoreBusy
from bot.dreams.dream import Dream, DreamState


def a_message(dream_id: int, state: DreamState) -> DreamMessage:
    dream = Dream(
        id=dream_id, prompt="x", seed=0, steps=None, model="auto", author_id=1, guild_id=1, channel_id=1,
        origin=dream_id, message_id=dream_id, state=state, attempts=1, created_at=0.0,
    )  # fmt: skip
    return DreamMessage(dream)


class Clocked:
    """A channel's edits on an event loop whose clock the test turns."""

    def __init__(self, *, pace_s: float = 4.0) -> None:
        self.shown: list[tuple[float, int]] = []  # (second, dream)
        self.while_showing: Callable[[], None] = lambda: None
        self.edits = ChannelEdits(pace_s=pace_s)

    def want(self, message: DreamMessage) -> None:
        self.edits.want(message, partial(self._show, message))

    async def _show(self, message: DreamMessage) -> None:
        self.shown.append((asyncio.get_running_loop().time(), message.dream.id))
        self.while_showing()
        await asyncio.sleep(0)


class SkippingLoop(asyncio.SelectorEventLoop):
    """Time stands still while there is something to do and then skips to the next timer."""

    now = 0.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        ready, scheduled = self._ready, self._scheduled  # type: ignore[attr-defined]
        if not ready and scheduled:
            self.now = max(self.now, scheduled[0].when())
        super()._run_once()  # type: ignore[misc]


def run(story: Callable[[Clocked], object]) -> list[tuple[float, int]]:
    """Run a coroutine function on such a loop; gives what was shown when."""
    loop = SkippingLoop()
    try:
        clocked = Clocked()
        loop.run_until_complete(story(clocked))  # type: ignore[arg-type]
        return [(round(second, 3), dream) for second, dream in clocked.shown]
    finally:
        loop.close()


def test_frames_are_a_pace_apart_and_only_the_newest_is_shown() -> None:
    async def story(c: Clocked) -> None:
        message = a_message(1, DreamState.DREAMING)
        c.want(message)
        task = asyncio.ensure_future(c.edits.run())
        for _ in range(19):  # a frame each second
            await asyncio.sleep(1)
            c.want(message)
            if task.done():
                task = asyncio.ensure_future(c.edits.run())
        await task

    assert run(story) == [(0.0, 1), (4.0, 1), (8.0, 1), (12.0, 1), (16.0, 1), (20.0, 1)]


def test_an_end_is_never_held_back() -> None:
    async def story(c: Clocked) -> None:
        message = a_message(1, DreamState.DREAMING)
        c.want(message)
        await c.edits.run()
        c.want(message)
        task = asyncio.ensure_future(c.edits.run())
        await asyncio.sleep(1)
        message.dream = replace(message.dream, state=DreamState.DONE)
        c.want(message)
        await task

    assert run(story) == [(0.0, 1), (1.0, 1)]


def test_ends_come_before_frames_and_frames_before_places() -> None:
    async def story(c: Clocked) -> None:
        for dream_id in range(10, 20):
            c.want(a_message(dream_id, DreamState.QUEUED))
        c.want(a_message(2, DreamState.DREAMING))
        c.want(a_message(3, DreamState.DONE))
        await c.edits.run()

    assert [dream for _, dream in run(story)][:3] == [3, 2, 10]


def test_places_are_shown_less_often_than_frames() -> None:
    async def story(c: Clocked) -> None:
        message = a_message(1, DreamState.QUEUED)
        for _ in range(3):
            c.want(message)
            await c.edits.run()

    assert run(story) == [(0.0, 1), (4.0 * PLACES_PACE, 1), (8.0 * PLACES_PACE, 1)]


def test_a_dream_that_begins_is_not_held_to_the_pace_of_its_place() -> None:
    async def story(c: Clocked) -> None:
        message = a_message(1, DreamState.QUEUED)
        c.want(message)
        await c.edits.run()
        message.dream = replace(message.dream, state=DreamState.DREAMING)
        c.want(message)
        await c.edits.run()

    assert run(story) == [(0.0, 1), (4.0, 1)]


def test_what_is_forgotten_is_not_shown() -> None:
    async def story(c: Clocked) -> None:
        c.want(a_message(1, DreamState.DREAMING))
        c.want(a_message(2, DreamState.QUEUED))
        c.while_showing = lambda: c.edits.forget(2)
        await c.edits.run()

    assert run(story) == [(0.0, 1)]


def test_a_fault_with_one_message_does_not_silence_the_others(caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> None:
        raise RuntimeError("a fault")

    async def story(c: Clocked) -> None:
        c.edits.want(a_message(1, DreamState.DREAMING), broken)
        c.want(a_message(2, DreamState.QUEUED))
        await c.edits.run()

    assert run(story) == [(0.0, 2)]
    assert "1 could not be shown" in caplog.text


def test_what_the_database_did_not_let_be_shown_is_shown_when_it_does() -> None:
    message, end = a_message(1, DreamState.DREAMING), a_message(2, DreamState.DONE)
    tries: list[tuple[float, int]] = []

    async def story(clocked: Clocked) -> None:
        async def show(message: DreamMessage) -> None:
            tries.append((asyncio.get_running_loop().time(), message.dream.id))
            if len(tries) <= 3:
                raise StoreBusy
            await clocked._show(message)

        for one in (message, end):
            clocked.edits.want(one, partial(show, one))
        await clocked.edits.run()

    shown = run(story)
    assert tries == [(0, 2), (0, 1), (RETRY_S, 2), (RETRY_S, 1), (2 * RETRY_S, 2)], "no sooner than that"
    assert shown == [(RETRY_S, 1), (2 * RETRY_S, 2)]
