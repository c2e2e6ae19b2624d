"""The engine's child process (see `engine.process.host.COMMAND`): requests in on stdin, events out on stdout.

Knows the protocol and the `Dreamer`; knows nothing of the bot. stdout carries nothing but frames.
"""

import faulthandler
import logging
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from engine import __version__, protocol
from engine.data_dir import data_dir
from engine.errors import BadSetting, FailureKind, explained
from engine.process import free_memory
from engine.protocol import DreamRequest, Event, Failed, Finished, Message, Ready, Stop
from engine.settings import DREAM_CLIP

log = logging.getLogger(__name__)

ORPHAN_GRACE_S = 5.0  # how long a step may still take after the parent is gone, before the process ends hard
EXIT_BAD_SETTING = 2
EXIT_NO_START = 5  # the parent was told why
NO_DREAM = ""  # the id in a `Failed` that comes instead of `Ready`


class Dreams(Protocol):
    """What the worker needs of `engine.dreaming.dreamer.Dreamer`."""

    device: str

    def dream(self, request: DreamRequest, should_stop: Callable[[], bool]) -> Iterator[Event]:
        """`Started`, `Progress` …, then one `Finished` or `Failed`."""


class Inbox:
    """The requests that wait and the ids to stop; filled by the reading thread, emptied by the main one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[DreamRequest] = deque()
        self._running: str | None = None
        self._stopped: set[str] = set()
        self._closed = False

    def take(self, message: Message) -> None:
        """Put a request in line, or remember a stop for a dream that waits or runs."""
        with self._changed:
            if isinstance(message, DreamRequest):
                self._waiting.append(message)
            elif isinstance(message, Stop):
                known = {self._running, *(request.id for request in self._waiting)}
                if message.id in known:
                    self._stopped.add(message.id)
            else:
                log.warning("ignored a %s: the worker takes requests and stops", type(message).__name__)
            self._changed.notify()

    def close(self) -> None:
        """The parent is gone: nothing waits any more, and what runs is to stop."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify()

    def next_request(self) -> DreamRequest | None:
        """Wait for the next request and call it running; None when there will be no more."""
        with self._changed:
            self._stopped.discard(self._running or "")
            self._running = None
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if not self._waiting:
                return None
            request = self._waiting.popleft()
            self._running = request.id
            return request

    def should_stop(self) -> bool:
        """True when the running dream was asked to stop, or nobody is left to see it."""
        return self._closed or self._running in self._stopped


class Reader(Protocol):
    """Who is given what the parent sends: an `Inbox`, or a cluster's driver."""

    def take(self, message: Message) -> None:
        """A message has come."""

    def close(self) -> None:
        """There will be no more."""


def read_requests(stream: BinaryIO, inbox: Reader) -> None:
    """Fill the inbox until the parent closes the stream or breaks it, then close the inbox."""

    def read_exactly(size: int) -> bytes:
        data = stream.read(size)
        if len(data) < size:
            raise EOFError
        return data

    try:
        while True:
            inbox.take(protocol.read(read_exactly))
    except EOFError:
        log.debug("the parent closed the stream")
    except protocol.BrokenFrame:
        log.exception("the parent sent a broken frame; nothing after it can be understood")
    finally:
        inbox.close()


def serve(dreamer: Dreams, inbox: Inbox, send: Callable[[Message], None]) -> None:
    """Dream one request after the other until the inbox is closed. `send` may raise `BrokenPipeError`."""
    while (request := inbox.next_request()) is not None:
        ended = False
        try:
            for event in dreamer.dream(request, inbox.should_stop):
                ended = isinstance(event, Finished | Failed)
                send(event)
                if ended:
                    break  # one end is promised, not two
            if not ended:
                raise RuntimeError("the dream ended with neither a picture nor a reason")
        except BrokenPipeError:
            raise  # nobody reads any more
        except Exception as error:
            # Whatever one dream does, its sender gets an end and the next dream runs.
            kind, said = explained(error)
            log.exception("dream %s failed (%s)", request.id, kind)
            if not ended:
                send(Failed(request.id, kind, said))


def claim_standard_streams() -> tuple[BinaryIO, BinaryIO]:
    """The pipes from and to the parent, kept away from everybody else in this process.

    Whatever a library prints or reads afterwards goes to stderr and comes from nowhere.
    """
    requests = os.fdopen(os.dup(0), "rb")
    frames = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    os.dup2(2, 1)
    return requests, frames


def end_if_orphaned(reader: threading.Thread) -> None:
    """Once the parent is gone, give the running step its grace, then end even a step that never returns."""
    reader.join()
    threading.Event().wait(ORPHAN_GRACE_S)
    os._exit(0)


def load_dreamer(folder: Path) -> Dreams:
    """The real dreamer. torch takes seconds to import, so this happens once the pipes are in place."""
    free_memory.check_start(free_memory.found(), free_memory.addresses())
    from engine.dreaming.dreamer import Dreamer
    from engine.models.shop import Shop

    return Dreamer(data_dir=folder, shop=Shop.read(os.environ), clip=DREAM_CLIP.read(os.environ))


def _started(load: Callable[[Path], Dreams], folder: Path, send: Callable[[Message], None]) -> Dreams | None:
    """The dreamer; None when it cannot start and the parent was told why. A fault of ours rises."""
    try:
        return load(folder)
    except BadSetting:
        raise
    except Exception as error:
        kind, said = explained(error)
        if kind is FailureKind.INTERNAL:
            raise
        log.error("%s", said)
        send(Failed(NO_DREAM, kind, said))
        return None


def main(load: Callable[[Path], Dreams] = load_dreamer) -> int:
    """Serve the parent until it closes our stdin. Returns the exit code."""
    requests, frames = claim_standard_streams()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal: the parent decides what it means
    faulthandler.enable()  # a fault in native code leaves its Python stack on stderr
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    inbox = Inbox()
    reader = threading.Thread(target=read_requests, args=(requests, inbox), name="requests", daemon=True)
    reader.start()
    threading.Thread(target=end_if_orphaned, args=(reader,), name="orphan", daemon=True).start()

    def send(message: Message) -> None:
        frames.write(protocol.encode(message))
        frames.flush()

    try:
        # No file `.env` is read here: the parent gave us what is ours of it, and the rest are secrets.
        dreamer = _started(load, data_dir(os.environ), send)
        if dreamer is None:
            return EXIT_NO_START
        send(Ready(version=__version__, device=dreamer.device))
        serve(dreamer, inbox, send)
    except BadSetting as error:
        log.error("%s", error)
        return EXIT_BAD_SETTING
    except BrokenPipeError:
        log.debug("the parent is gone")
        os._exit(0)  # what is left in `frames` can no longer be written, and closing it would complain
    return 0


if __name__ == "__main__":
    sys.exit(main())
