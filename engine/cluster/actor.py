"""What runs on a node of the cluster, one an engine: a Ray actor that keeps the engine's child process.

Only bytes come and go: frames of `engine.protocol`, which both sides read and check. Ray carries bytes as
they are, so nothing that people send is ever unpickled. The models are loaded in the child, which has no way
to Ray, and stay loaded from dream to dream.
"""

import asyncio
import json
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing

from engine import __version__, protocol
from engine.process.host import EngineHost
from engine.process.sharing import VISIBLE
from engine.protocol import BrokenFrame, DreamRequest, Ready, Stop


class EngineActor:
    """Live: Ray makes it, in a process of its own, and ends it by killing that."""

    def __init__(self, given: bytes) -> None:
        """`given`: JSON with the engine's environment, over this node's own, and `silence_s`."""
        logging.basicConfig(
            stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s"
        )
        told = json.loads(given)
        self._host = EngineHost(
            environ=os.environ | told["environ"], step_timeout_s=told["silence_s"], close_grace_s=0.5
        )

    async def begin(self) -> bytes:
        """Have the models' libraries load while nobody waits yet. A frame with `Ready`."""
        await self._host.start()
        return protocol.encode(
            Ready(__version__, f"GPU {gpus}" if (gpus := os.environ.get(VISIBLE)) else "cpu")
        )

    async def live(self) -> bytes:
        """Never comes back: whoever waits for it hears of our end."""
        await asyncio.Event().wait()
        return b""

    async def dream(self, frame: bytes) -> AsyncIterator[bytes]:
        """A `DreamRequest`'s frame in, its events' frames out. Raises `BrokenFrame`."""
        request = protocol.opened(frame)
        if not isinstance(request, DreamRequest):
            raise BrokenFrame(f"An engine was sent a {type(request).__name__} to dream.")
        async with aclosing(self._host.dream(request)) as events:
            async for event in events:
                yield protocol.encode(event)

    async def stop(self, frame: bytes) -> bytes:
        """A `Stop`'s frame. Raises `BrokenFrame`."""
        asked = protocol.opened(frame)
        if not isinstance(asked, Stop):
            raise BrokenFrame(f"An engine was sent a {type(asked).__name__} to stop.")
        await self._host.stop(asked.id)
        return b""
