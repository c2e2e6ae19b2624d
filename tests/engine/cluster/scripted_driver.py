"""A cluster's driver without Ray, run as a child: engines that dream, join and leave as the prompt says."""

import os
import sys
import time

from engine import protocol
from engine.process.child import claim_standard_streams, read_requests
from engine.protocol import DreamRequest, Enveloped, Joined, Left, Message, Progress, Stop
from tests.engine.process.scripted_child import ScriptedDreams


class ScriptedDriver:
    """Two engines, "1" and "2"; a stop comes too late."""

    def __init__(self, frames: object) -> None:
        self._frames = frames
        self.stopped: list[str] = []

    def send(self, message: Message) -> None:
        self._frames.write(protocol.encode(message))  # type: ignore[attr-defined]
        self._frames.flush()  # type: ignore[attr-defined]

    def take(self, message: Message) -> None:
        if isinstance(message, Left):
            self.send(Joined(f"{message.engine} anew", "node", "cpu"))
        if not isinstance(message, Enveloped):
            return
        request = protocol.opened(message.frame)
        if isinstance(request, Stop):
            self.stopped.append(request.id)
        if isinstance(request, DreamRequest):
            self._dream(message.engine, request)

    def _dream(self, engine: str, request: DreamRequest) -> None:
        if request.prompt == "soiled":
            self.send(Enveloped(engine, b"no frame of ours"))
            return
        if request.prompt == "request":
            self.send(Enveloped(engine, protocol.encode(request)))
            return
        if request.prompt == "silent":
            return
        for event in ScriptedDreams().dream(request, lambda: request.id in self.stopped):
            self.send(Enveloped(engine, protocol.encode(event)))
            if isinstance(event, Progress) and event.step == 3:
                if request.prompt == "lost":
                    self.send(Left(engine))
                    return
                if request.prompt == "dies":
                    time.sleep(0.1)
                    os._exit(7)

    def close(self) -> None:
        os._exit(0)


def main() -> None:
    requests, frames = claim_standard_streams()
    driver = ScriptedDriver(frames)
    for name in ("1", "2") if "none" not in sys.argv else ():
        driver.send(Joined(name, "node", "cpu"))
    if "dies" in sys.argv:
        os._exit(6)
    read_requests(requests, driver)


if __name__ == "__main__":
    main()
