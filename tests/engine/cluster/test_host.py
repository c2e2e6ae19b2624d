"""The bot's side of a cluster, with a real child process as its driver that has no Ray."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from engine import protocol
from engine.cluster.host import ClusterEngine, ClusterHost
from engine.cluster.needs import Needs
from engine.errors import FailureKind
from engine.protocol import DreamRequest, Event, Failed, Finished, Progress, Started
from tests.engine.processes import runs, until

SCRIPT = str(Path(__file__).with_name("scripted_driver.py"))
ROOT = Path(__file__).parents[3]
NewHost = Callable[..., ClusterHost]


@pytest.fixture
async def new_host() -> AsyncIterator[NewHost]:
    hosts: list[ClusterHost] = []

    def new(*arguments: str, **settings: Any) -> ClusterHost:
        needs = Needs(silence_s=settings.pop("silence_s", 20.0))
        environ = os.environ | {"PYTHONPATH": str(ROOT)}
        command = (sys.executable, SCRIPT, *arguments)
        hosts.append(ClusterHost(needs, command=command, environ=environ, first_pause_s=0.01))
        return hosts[-1]

    yield new
    for host in hosts:
        pid = host.pid
        await host.close()
        assert host.engines == [] and (pid is None or not runs(pid))


async def opened(host: ClusterHost) -> list[ClusterEngine]:
    await host.start()
    await until(lambda: len(host.engines) == 2)
    return host.engines


async def dream(engine: ClusterEngine, prompt: str, id: str = "a") -> list[Event]:
    return [event async for event in engine.dream(DreamRequest(id, prompt, 7))]


async def test_engines_that_join_dream_side_by_side(new_host: NewHost) -> None:
    host = new_host()
    joined: list[ClusterEngine] = []
    host.on_join.append(joined.append)
    one, other = await opened(host)
    assert joined == [one, other]
    first, second = await asyncio.gather(dream(one, "a house", "a"), dream(other, "a tree", "b"))
    assert isinstance(first[0], Started) and isinstance(second[0], Started)
    assert isinstance(first[-1], Finished) and isinstance(second[-1], Finished)
    assert {event.id for event in first} == {"a"} and {event.id for event in second} == {"b"}


async def test_a_dream_whose_engine_leaves_is_lost_after_what_had_come(new_host: NewHost) -> None:
    host = new_host()
    left: list[ClusterEngine] = []
    host.on_leave.append(left.append)
    one, other = await opened(host)
    *before, last = await dream(one, "lost")
    assert isinstance(last, Failed) and last.kind is FailureKind.LOST
    assert isinstance(before[-1], Progress)
    assert left == [one] and host.engines == [other]
    assert isinstance((await dream(other, "a house"))[-1], Finished), "the other one noticed nothing"
    assert (await dream(one, "a house"))[-1] == last, "nor does it ever dream again"


async def test_when_the_driver_dies_all_are_lost_and_new_ones_come(new_host: NewHost) -> None:
    host = new_host()
    one, other = await opened(host)
    pid = host.pid
    assert pid is not None
    ends = await asyncio.gather(dream(one, "silent", "a"), dream(other, "dies", "b"))
    assert [getattr(end[-1], "kind", None) for end in ends] == [FailureKind.LOST] * 2
    await until(lambda: len(host.engines) == 2 and host.pid not in (None, pid))
    assert isinstance((await dream(host.engines[0], "a house"))[-1], Finished)


async def test_a_driver_that_is_killed_is_started_anew(new_host: NewHost) -> None:
    host = new_host()
    await opened(host)
    pid = host.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await until(lambda: host.pid not in (None, pid) and len(host.engines) == 2)


@pytest.mark.parametrize("prompt", ["soiled", "request"])
async def test_who_sends_what_is_no_event_is_gone_and_the_driver_hears_it(
    new_host: NewHost, prompt: str
) -> None:
    host = new_host()
    one, other = await opened(host)
    (end,) = await dream(one, prompt)
    assert isinstance(end, Failed) and end.kind is FailureKind.LOST
    await until(lambda: [engine.name for engine in host.engines] == [other.name, "1 anew"])


async def test_an_engine_that_is_silent_for_too_long_is_lost_and_ended(
    new_host: NewHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.cluster.host.WAY_S", 0.2)
    monkeypatch.setattr("engine.cluster.host.START_TIMEOUT_S", 0.1)
    host = new_host(silence_s=0.1)
    one, _ = await opened(host)
    (end,) = await dream(one, "silent")
    assert isinstance(end, Failed) and end.kind is FailureKind.LOST
    await until(lambda: "1 anew" in [engine.name for engine in host.engines])


async def test_pictures_beyond_what_a_frame_holds_are_refused(new_host: NewHost) -> None:
    one, _ = await opened(new_host())
    request = DreamRequest("a", "a house", 7, image=b"x" * (protocol.MAX_PAYLOAD - 10))
    (end,) = [event async for event in one.dream(request)]
    assert isinstance(end, Failed) and end.kind is FailureKind.BAD_REQUEST


async def test_a_driver_that_never_finds_a_cluster_is_tried_again_and_again(new_host: NewHost) -> None:
    host = new_host("none", "dies")
    await host.start()
    pids: set[int | None] = set()

    def several() -> bool:
        pids.add(host.pid)
        return len(pids - {None}) >= 3

    await until(several)
    assert host.engines == []
