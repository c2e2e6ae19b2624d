"""Hears from the first moment on that the bot shall stop. Imported before anything slow, by `bot.__main__`.

Imports take a second or more on a small machine, and a container's first process ignores a signal that it has
no handler for: the host would wait in vain and then kill it.
"""

import os
import signal
import sys
from types import FrameType

SIGNALS = [signal.SIGTERM, signal.SIGINT]
if sys.platform == "win32":
    SIGNALS.append(signal.SIGBREAK)
STOPPED = 0


def _end(number: int, frame: FrameType | None) -> None:
    """At once: nothing is open yet, and half-imported modules cannot be unwound safely."""
    os._exit(STOPPED)


def listen() -> None:
    """End the process at once when it is asked to stop, until the event loop's own handlers take over."""
    for number in SIGNALS:
        signal.signal(number, _end)


if getattr(getattr(sys.modules.get("__main__"), "__spec__", None), "name", None) == "bot.__main__":
    listen()  # we are the program, and no test or tool that imports it
