"""A child process that leads a group of its own: how it is started on this system, and how the group ends.

Standard library only. POSIX has sessions and signals; Windows has process groups and `taskkill`.
"""

import contextlib
import os
import signal
import subprocess
import sys
from typing import Any

KILL_S = 10.0  # for Windows' taskkill, which takes some tenths of a second
KILLED = -9  # the return code of a process that was killed hard, on POSIX


def apart() -> dict[str, Any]:
    """Options for `subprocess` that start a child which the terminal's Ctrl-C does not reach."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def terminate(pid: int) -> None:
    """Ask the process, started `apart`, and what it started to end; no fault if it is gone already."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            os.kill(pid, signal.CTRL_BREAK_EVENT)  # the one signal that reaches another group
        else:
            os.killpg(pid, signal.SIGTERM)


def kill(pid: int) -> None:
    """End the process, started `apart`, and what it started at once; no fault if it is gone already."""
    if sys.platform == "win32":
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(
                ("taskkill", "/F", "/T", "/PID", str(pid)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=KILL_S,
                check=False,
            )
    else:
        with contextlib.suppress(OSError):  # macOS has no permission for what has just ended
            os.killpg(pid, signal.SIGKILL)


def python(code: str) -> tuple[str, ...]:
    """The command of a Python that runs this code and finds every module just where this one finds it.

    `python -m name` would look into the working folder first, where anybody's file may have that name; and
    the program may run from a folder that another Python does not know. So it gets our own list of places,
    as `multiprocessing` gives it to its children.
    """
    return (sys.executable, "-P", "-c", f"import sys; sys.path[:] = {sys.path!a}; {code}")
