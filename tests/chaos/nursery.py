"""Forks bots that have imported everything already: `python -m tests.chaos.nursery`, with orders on stdin.

Its imports cost the bot three seconds of CPU time on a weak core, and a round begins it two or three times.
What is forked is in every other way a process of its own, from `bot.__main__.main` to the interpreter's end.
"""

import json
import os
import select
import signal
import sys
from typing import Any

import asyncpg  # noqa: F401 - imported once, here

from bot import stopping
from tests.chaos import quick


def serve() -> dict[str, Any] | None:
    """Carry out orders until stdin is closed: None then; in each forked process its order."""
    ended, woken = os.pipe()
    for end in (ended, woken):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken)
    pending = b""
    while True:
        ready, _, _ = select.select([0, ended], [], [])
        if ended in ready:
            os.read(ended, 4096)
            _bury()
        if 0 in ready:
            data = os.read(0, 65536)
            if not data:
                return None
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                if (pid := os.fork()) == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    os.close(ended)
                    os.close(woken)
                    return json.loads(line)  # type: ignore[no-any-return]
                _tell(began=pid)


def _bury() -> None:
    """Tell of every process that has ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _tell(ended=pid, code=os.waitstatus_to_exitcode(status))


def _tell(**what: int) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


def become(folder: str, log: str, environ: dict[str, str]) -> int:
    """Be the bot in this folder. Returns its exit code."""
    stopping.listen()
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(source, target)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    return quick.live()


def main() -> int:
    quick.shorten()
    _tell(ready=os.getpid())
    order = serve()
    return 0 if order is None else become(**order)


if __name__ == "__main__":
    sys.exit(main())
