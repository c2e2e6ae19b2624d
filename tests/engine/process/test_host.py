"""The bot's side of the engine, with real child processes whose dreams are scripted to go wrong."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import FailureKind
from engine.process.host import CLOSED, EngineHost
from engine.protocol import DreamRequest, Event, Failed, Finished, Progress, Started
from engine.sentences import Saying
from tests.engine.processes import runs, until, wait_until

SCRIPT = str(Path(__file__).with_name("scripted_child.py"))
COMMAND = (sys.executable, SCRIPT)
NewHost = Callable[..., EngineHost]


@pytest.fixture
async def new_host() -> AsyncIterator[NewHost]:
    hosts: list[EngineHost] = []

    def new(*arguments: str, **settings: Any) -> EngineHost:
        defaults = {"start_timeout_s": 20.0, "step_timeout_s": 20.0, "first_pause_s": 0.01}
        hosts.append(EngineHost(command=(*COMMAND, *arguments), **(defaults | settings)))
        return hosts[-1]

    yield new
    for host in hosts:
        await host.close()
        assert not host.alive


async def dream(host: EngineHost, prompt: str, id: str = "a", steps: int | None = None) -> list[Event]:
    return [event async for event in host.dream(DreamRequest(id, prompt, 7, steps=steps))]


async def failure(host: EngineHost, prompt: str) -> Failed:
    """The one failure that the dream ends with."""
    *before, last = await dream(host, prompt)
    assert not any(isinstance(event, Finished | Failed) for event in before)
    assert isinstance(last, Failed)
    assert last.id == "a"
    return last


async def assert_dreams_again(host: EngineHost) -> None:
    assert isinstance((await dream(host, "a house", id="next"))[-1], Finished)


async def test_a_dream_is_started_progresses_and_is_finished(new_host: NewHost) -> None:
    host = new_host()
    started, *progress, finished = await dream(host, "cherries", steps=4)
    assert isinstance(started, Started)
    assert [event.step for event in progress if isinstance(event, Progress)][-1] == 4
    assert isinstance(finished, Finished)
    assert finished.picture == b"final picture"


async def test_the_child_is_loaded_before_the_first_dream_when_it_is_started(new_host: NewHost) -> None:
    host = new_host()
    assert (host.alive, host.pid) == (False, None)
    await host.start()
    assert host.alive
    pid = host.pid
    await dream(host, "cherries")
    assert host.pid == pid


async def test_dreams_take_turns_in_the_order_in_which_they_came(new_host: NewHost) -> None:
    host = new_host()
    ended: list[str] = []

    async def run(id: str) -> None:
        events = await dream(host, "cherries", id)
        assert {event.id for event in events} == {id}
        ended.append(id)

    await asyncio.gather(*(run(id) for id in "abcd"))
    assert ended == list("abcd")


async def test_an_id_that_is_already_open_is_a_mistake_of_the_caller(new_host: NewHost) -> None:
    host = new_host()
    async for event in host.dream(DreamRequest("a", "endless", 1, steps=5000)):
        if isinstance(event, Started):
            with pytest.raises(ValueError, match="already open"):
                await dream(host, "cherries", "a")
            await host.stop("a")
    assert isinstance(event, Finished)


async def test_a_refused_dream_is_passed_on(new_host: NewHost) -> None:
    host = new_host()
    assert await dream(host, "refused") == [Failed("a", FailureKind.BAD_REQUEST, Saying.plain("No."))]
    pid = host.pid
    await assert_dreams_again(host)
    assert host.pid == pid


@pytest.mark.parametrize(
    ("prompt", "told"),
    [
        ("exit 3", "exit code 3"),
        ("exit 0", "exit code 0"),
        ("exit-later 3", "exit code 3"),
        ("signal SIGKILL", "killed"),
        ("signal-later SIGKILL", "memory"),
        ("signal SIGSEGV", "SIGSEGV"),
        ("signal SIGTERM", "SIGTERM"),
        ("garbage", "could not be read"),
        ("close-stdout", "could not be read"),
    ],
)
async def test_a_crash_becomes_one_sentence_and_the_next_dream_runs(
    new_host: NewHost, prompt: str, told: str
) -> None:
    host = new_host()
    failed = await failure(host, prompt)
    assert failed.kind is FailureKind.CRASH
    assert told in str(failed.message)
    assert str(failed.message).endswith(".")
    assert not host.alive
    await assert_dreams_again(host)


async def test_a_child_killed_from_outside_in_mid_dream_costs_only_this_dream(new_host: NewHost) -> None:
    host = new_host()
    last = None
    async for last in host.dream(DreamRequest("a", "endless", 1, steps=5000)):
        if isinstance(last, Progress) and last.step < 20 and host.pid:
            os.kill(host.pid, signal.SIGKILL)
    assert isinstance(last, Failed)
    assert last.kind is FailureKind.CRASH
    await assert_dreams_again(host)


async def test_a_child_that_died_while_idle_costs_nothing(new_host: NewHost) -> None:
    host = new_host()
    await assert_dreams_again(host)
    assert host.pid
    os.kill(host.pid, signal.SIGKILL)
    await until(lambda: not host.alive)
    await assert_dreams_again(host)


async def test_a_step_that_never_ends_is_a_hang_within_the_limit(new_host: NewHost) -> None:
    host = new_host(step_timeout_s=0.4)
    begun = time.monotonic()
    failed = await failure(host, "hang-later")
    assert failed.kind is FailureKind.HANG
    assert str(failed.message) == "The dream engine gave no sign of life for 0.4 seconds."
    assert time.monotonic() - begun < 10
    await assert_dreams_again(host)


async def test_a_frozen_child_is_a_hang_and_is_really_killed(new_host: NewHost) -> None:
    host = new_host(step_timeout_s=0.4)
    frozen = 0
    last = None
    async for last in host.dream(DreamRequest("a", "endless", 1, steps=5000)):
        if isinstance(last, Progress) and not frozen and host.pid:
            frozen = host.pid
            os.kill(frozen, signal.SIGSTOP)
    assert isinstance(last, Failed)
    assert last.kind is FailureKind.HANG
    assert not runs(frozen)
    await assert_dreams_again(host)


async def test_loading_may_take_longer_than_a_step_but_not_for_ever(new_host: NewHost) -> None:
    host = new_host(start_timeout_s=1.0, step_timeout_s=0.05)
    # Python itself takes longer to start than one step may take.
    assert isinstance((await dream(host, "cherries"))[-1], Finished)
    failed = await failure(host, "silent")
    assert failed.kind is FailureKind.HANG
    assert str(failed.message).endswith("for 1 second.")


async def test_a_child_that_never_becomes_ready_is_a_hang(new_host: NewHost) -> None:
    host = new_host("never-ready", start_timeout_s=0.3)
    assert (await failure(host, "cherries")).kind is FailureKind.HANG


async def test_a_held_up_event_loop_is_no_hang(new_host: NewHost) -> None:
    host = new_host(step_timeout_s=0.5)
    held = False
    async for event in host.dream(DreamRequest("a", "cherries", 1, steps=600)):
        if isinstance(event, Progress) and not held:
            held = True
            time.sleep(0.8)  # noqa: ASYNC251 - the loop is held up on purpose
    assert isinstance(event, Finished)


@pytest.mark.parametrize("command", [("/no/such/program",), (*COMMAND, "dies")], ids=["missing", "dies"])
async def test_an_engine_that_cannot_start_fails_each_dream_after_a_growing_pause(
    command: tuple[str, ...],
) -> None:
    host = EngineHost(command=command, first_pause_s=0.1)
    begun = time.monotonic()
    for id in "abcd":
        failed = (await dream(host, "cherries", id))[-1]
        assert isinstance(failed, Failed)
        assert failed.kind is FailureKind.CRASH
    assert time.monotonic() - begun >= 0.1 + 0.2 + 0.4
    await host.close()


async def test_a_child_that_recovers_is_used_again(new_host: NewHost, tmp_path: Path) -> None:
    host = new_host("dies-once", str(tmp_path / "marker"))
    assert (await failure(host, "cherries")).kind is FailureKind.CRASH
    await assert_dreams_again(host)


async def test_stop_ends_the_dream_with_its_best_picture(new_host: NewHost) -> None:
    host = new_host()
    async for event in host.dream(DreamRequest("a", "endless", 1, steps=5000)):
        if isinstance(event, Progress):
            await host.stop("a")
            await host.stop("unknown")
    assert isinstance(event, Finished)
    assert event.stopped
    assert event.steps_done < 5000
    pid = host.pid
    await assert_dreams_again(host)
    assert host.pid == pid


async def test_stop_before_the_child_is_ready_ends_the_dream_at_once(new_host: NewHost) -> None:
    host = new_host("never-ready")
    running = asyncio.create_task(dream(host, "cherries"))
    async with asyncio.timeout(10):
        await until(lambda: host.alive)
        await host.stop("a")
        (failed,) = await running
    assert isinstance(failed, Failed)
    assert failed.kind is FailureKind.STOPPED
    assert str(failed.message) == "This dream was stopped before there was a picture to keep."


async def test_stop_while_another_dream_runs_ends_the_waiting_one_in_its_turn(new_host: NewHost) -> None:
    host = new_host()
    waiting = None
    async for event in host.dream(DreamRequest("a", "endless", 1, steps=5000)):
        if waiting is None and isinstance(event, Progress):
            waiting = asyncio.create_task(dream(host, "endless", "b", steps=5000))
            await asyncio.sleep(0)
            await host.stop("b")
            await host.stop("a")
    assert isinstance(event, Finished)
    assert waiting is not None
    (failed,) = await waiting
    assert isinstance(failed, Failed)
    assert failed.kind is FailureKind.STOPPED


@pytest.mark.parametrize("leave", ["break", "aclose", "cancel"])
async def test_leaving_a_dream_early_stops_it_and_the_next_one_is_clean(
    new_host: NewHost, leave: str
) -> None:
    host = new_host()
    if leave == "cancel":
        seen = asyncio.Event()

        async def listen() -> None:
            async for event in host.dream(DreamRequest("a", "endless", 1, steps=5000)):
                if isinstance(event, Progress):
                    seen.set()

        listening = asyncio.create_task(listen())
        await seen.wait()
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening
    else:
        events = host.dream(DreamRequest("a", "endless", 1, steps=5000))
        async for event in events:
            if isinstance(event, Progress):
                break
        if leave == "aclose":
            await events.aclose()
        del events, event
    pid = host.pid
    async with asyncio.timeout(10):
        again = await dream(host, "cherries", id="b" if leave == "break" else "a", steps=3)
    assert host.pid == pid
    assert isinstance(again[0], Started)
    assert isinstance(again[-1], Finished)
    assert again[-1].steps_done == 3


async def test_leaving_a_dream_that_hangs_costs_the_next_one_only_the_limit(new_host: NewHost) -> None:
    host = new_host(step_timeout_s=0.4)
    events = host.dream(DreamRequest("a", "hang", 1))
    async for _ in events:
        break
    await events.aclose()
    async with asyncio.timeout(10):
        await assert_dreams_again(host)


async def test_a_slow_consumer_gets_the_newest_picture_and_keeps_no_pile(new_host: NewHost) -> None:
    host = new_host()
    steps: list[int] = []
    async for event in host.dream(DreamRequest("a", "flood", 1, steps=300)):
        if isinstance(event, Progress):
            assert event.picture is not None
            steps.append(event.step)
            await asyncio.sleep(0.05)
    assert isinstance(event, Finished)
    assert steps == sorted(set(steps))
    assert len(steps) < 100
    assert steps[-1] == 300


async def test_a_picture_is_not_lost_when_the_next_step_has_none(new_host: NewHost) -> None:
    host = new_host()
    seen, merged = 0, 0
    async for event in host.dream(DreamRequest("a", "cherries", 1, steps=30)):
        if isinstance(event, Progress):
            new = [step for step in range(seen + 1, event.step + 1) if step % 2]  # those that have a picture
            assert event.picture == (b"picture %d" % new[-1] if new else None)
            merged += event.step - seen - 1
            seen = event.step
            await asyncio.sleep(0.02)
    assert seen == 30 and merged > 0


async def test_what_the_child_says_on_stderr_is_logged_with_its_level_and_bounded(
    new_host: NewHost, caplog: pytest.LogCaptureFixture
) -> None:
    host = new_host()
    with caplog.at_level(logging.INFO, logger="engine.process.child"):
        await dream(host, "noise")
        await host.close()
    records = [record for record in caplog.records if record.name == "engine.process.child"]
    warning = next(record for record in records if "careful" in record.message)
    assert warning.levelno == logging.WARNING
    assert records[records.index(warning) + 1].levelno == logging.WARNING
    assert max(len(record.message) for record in records) <= 2000
    assert len(records) < 1000


async def test_close_keeps_the_best_picture_of_the_dream_that_runs(new_host: NewHost) -> None:
    host = new_host()
    closing = None
    async for event in host.dream(DreamRequest("a", "endless", 1, steps=5000)):
        if isinstance(event, Progress) and closing is None:
            closing = asyncio.create_task(host.close())
    assert isinstance(event, Finished)
    assert event.stopped
    assert closing is not None
    await closing
    assert (host.alive, host.pid) == (False, None)


@pytest.mark.parametrize("prompt", ["hang", "silent"])
async def test_close_ends_even_a_child_that_does_not_listen(new_host: NewHost, prompt: str) -> None:
    host = new_host(close_grace_s=0.2)
    running = asyncio.create_task(dream(host, prompt))
    async with asyncio.timeout(10):
        await until(lambda: host.alive)
        pid = host.pid
        await host.close()
        last = (await running)[-1]
    assert isinstance(last, Failed)
    assert str(last.message) in (CLOSED, "This dream was stopped before there was a picture to keep.")
    assert pid is not None
    assert not runs(pid)


async def test_a_closed_host_refuses_dreams_until_it_is_started_again(new_host: NewHost) -> None:
    host = new_host()
    await host.close()
    await host.close()
    assert await dream(host, "cherries") == [Failed("a", FailureKind.CRASH, Saying.plain(CLOSED))]
    await host.start()
    await assert_dreams_again(host)


PARENT = f"""
import asyncio, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin without
from engine.process.host import EngineHost
from engine.sentences import Saying
from engine.protocol import DreamRequest, Progress
from engine.sentences import Saying

async def main():
    host = EngineHost(command=(sys.executable, {SCRIPT!r}))
    async for event in host.dream(DreamRequest("a", "endless", 1, steps=5000)):
        if isinstance(event, Progress):
            print(host.pid, flush=True)
            await asyncio.sleep(3600)

asyncio.run(main())
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_the_child_does_not_outlive_its_parent(end: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert runs(child)
        parent.send_signal(end)
        wait_until(lambda: not runs(child))


def test_the_host_needs_no_torch_and_no_discord() -> None:
    code = (
        "import sys, engine.process.host; "
        "print([m for m in ('torch', 'numpy', 'PIL', 'discord', 'transformers') if m in sys.modules])"
    )
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "[]"


async def test_a_child_that_cannot_start_says_why_and_the_next_one_may(
    new_host: NewHost, tmp_path: Path
) -> None:
    memory = tmp_path / "memory"
    host = new_host("poor", str(memory))
    await host.start()
    failed = await failure(host, "cherries")
    assert failed.kind is FailureKind.MEMORY
    assert str(failed.message) == "A dream needs about 588 MB of memory, but only 12 MB are free."
    memory.touch()
    await assert_dreams_again(host)
