"""The host with the real worker, torch and tiny models: progress, stop, a kill and a freeze in mid-dream."""

import os
import signal
from pathlib import Path

import pytest

from engine.errors import FailureKind
from engine.host import EngineHost
from engine.images import recipe_of
from engine.protocol import DreamRequest, Event, Failed, Finished, Progress, Started
from tests.engine.processes import runs

MODEL = "biggan-deep-128"


def request(id: str, steps: int) -> DreamRequest:
    return DreamRequest(id, "a bowl of cherries", 7, MODEL, steps, preview_every_s=0)


async def dream(host: EngineHost, steps: int) -> list[Event]:
    return [event async for event in host.dream(request("short", steps))]


@pytest.mark.timeout(600)
async def test_real_dreams_progress_stop_and_survive_a_kill_and_a_freeze(tiny_models: Path) -> None:
    """One test for all, because each child imports torch for seconds."""
    environ = os.environ | {"DATA_DIR": str(tiny_models)}
    # The limit for a step must hold on a busy machine too, and the freeze below waits for it.
    host = EngineHost(environ=environ, start_timeout_s=500, step_timeout_s=8, first_pause_s=0)

    started, *progress, finished = await dream(host, steps=4)
    assert started == Started("short", MODEL, 4)
    steps = [event for event in progress if isinstance(event, Progress)]
    assert steps[-1].step == 4
    assert steps[0].picture is not None
    assert steps[0].picture.startswith(b"\xff\xd8")  # a JPEG
    assert isinstance(finished, Finished)
    assert recipe_of(finished.picture) == finished.recipe

    again = (await dream(host, steps=4))[-1]
    assert isinstance(again, Finished)
    assert again.picture == finished.picture

    pid = host.pid
    async for event in host.dream(request("long", 5000)):
        if isinstance(event, Progress):
            await host.stop("long")
    assert isinstance(event, Finished)
    assert event.stopped
    assert event.steps_done < 5000
    assert host.pid == pid

    for number, kind in ((signal.SIGKILL, FailureKind.CRASH), (signal.SIGSTOP, FailureKind.HANG)):
        struck = 0
        async for event in host.dream(request("long", 5000)):
            if isinstance(event, Progress) and not struck and host.pid is not None:
                struck = host.pid
                os.kill(struck, number)
        assert isinstance(event, Failed)
        assert event.kind is kind
        assert not runs(struck)

    recovered = (await dream(host, steps=4))[-1]
    assert isinstance(recovered, Finished)
    assert recovered.picture == finished.picture
    pid = host.pid
    await host.close()
    assert pid is not None
    assert not runs(pid)
