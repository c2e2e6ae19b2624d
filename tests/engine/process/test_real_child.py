"""The host with the real worker, torch and tiny models: progress, stop, a kill and a freeze in mid-dream."""

import io
import os
import random
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from engine.errors import FailureKind
from engine.pictures.images import recipe_of
from engine.process.host import EngineHost
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


def noise(seed: int, side: int) -> bytes:
    """A PNG that cannot be packed: 3 bytes a pixel."""
    file = io.BytesIO()
    pixels = random.Random(seed).randbytes(3 * side * side)
    Image.frombytes("RGB", (side, side), pixels).save(file, "PNG", compress_level=0)
    return file.getvalue()


@pytest.mark.timeout(600)
async def test_large_pictures_states_and_films_pass_over_the_real_pipe(tiny_models: Path) -> None:
    host = EngineHost(environ=os.environ | {"DATA_DIR": str(tiny_models)}, start_timeout_s=500)
    image, init = noise(1, 2500), noise(2, 2400)
    assert len(image) > 18_000_000 and len(init) > 17_000_000

    async def dreamt(**changes: Any) -> Event:
        wanted = replace(request("large", 2), **changes)
        return [event async for event in host.dream(wanted)][-1]

    few = {"cutouts": 4, "candidates": 4}
    first = await dreamt(image=image, init=init, settings=few, timelapse_bytes=2_000_000)
    assert isinstance(first, Finished)
    assert first.state is not None and first.timelapse is not None
    assert {"image", "init"} <= first.recipe.settings.keys()
    pid = host.pid

    onward = await dreamt(begin="continue", state=first.state, image=image, settings=few)
    assert isinstance(onward, Finished)
    assert onward.recipe.settings["image"] == first.recipe.settings["image"]

    refused = await dreamt(image=image[:-100_000])
    assert isinstance(refused, Failed)
    assert refused.kind is FailureKind.BAD_REQUEST and "damaged" in str(refused.message)
    refused = await dreamt(begin="continue", state=first.state[:-1])
    assert isinstance(refused, Failed) and refused.kind is FailureKind.BAD_REQUEST
    refused = await dreamt(image=bytes(40 * 2**20), init=bytes(40 * 2**20))
    assert isinstance(refused, Failed)
    assert refused.kind is FailureKind.BAD_REQUEST and "64 MB together" in str(refused.message)

    again = await dreamt(image=image, init=init, settings=few, timelapse_bytes=2_000_000)
    assert isinstance(again, Finished)
    assert (again.picture, again.state, again.timelapse) == (first.picture, first.state, first.timelapse)
    assert host.pid == pid, "none of it cost the child its life"
    await host.close()
