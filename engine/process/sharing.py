"""How a machine is shared out between several engine processes: its GPUs, its cores, its memory.

Knows no torch: the bot asks, before the engines begin.
"""

import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from engine.process import free_memory, threads

log = logging.getLogger(__name__)

VISIBLE = "CUDA_VISIBLE_DEVICES"  # CUDA's own; AMD's libraries heed it, too
ASKED_S = 20.0  # for NVIDIA's program, which wakes the driver first
_DEVICE = re.compile(r"nvidia\d+")


def gpus(environ: Mapping[str, str] = os.environ, devices: Path = Path("/dev")) -> list[str]:
    """The GPUs that engines may take, each as `CUDA_VISIBLE_DEVICES` names it; none: there is no such GPU.

    Where that variable is set, they are its: numbers, GPU-… or MIG-… names, up to the first -1, as CUDA
    reads it.
    """
    if VISIBLE in environ:
        names = [name.strip() for name in environ[VISIBLE].split(",")]
        return names[: next((at for at, name in enumerate(names) if name in ("", "-1")), None)]
    count = sum(1 for file in _names(devices) if _DEVICE.fullmatch(file)) or _asked(environ)
    return [str(number) for number in range(count)]


def workers(wanted: int | None, environ: Mapping[str, str] = os.environ) -> int:
    """How many engines there shall be. `wanted`: by the setting; None: one a GPU, else one.

    More than fit into what memory is free now would only fail each other's dreams: so many there are not.
    """
    count = max(1, len(gpus(environ))) if wanted is None else wanted
    free = free_memory.found() if count > 1 else None
    room = count if free is None else max(1, free // free_memory.DREAM_BYTES)
    if room < count:
        log.warning("There is memory for %d of the %d engines, so %d dream.", room, count, room)
    return min(count, room)


def shares(environ: Mapping[str, str], count: int) -> list[dict[str, str]]:
    """The environment of each of `count` engines: a GPU and its part of the cores, at least one.

    A single one has all that there is. What somebody has said about threads holds for each engine.
    """
    if count == 1:
        return [dict(environ)]
    ours = dict(environ)
    if not threads.is_decided(environ):
        ours["OMP_NUM_THREADS"] = str(max(1, threads.usable() // count))
    devices = gpus(environ)
    each = [{VISIBLE: devices[number % len(devices)]} if devices else {} for number in range(count)]
    return [ours | device for device in each]


def _names(folder: Path) -> list[str]:
    try:
        return [file.name for file in folder.iterdir()]
    except OSError:  # as on Windows
        return []


def _asked(environ: Mapping[str, str]) -> int:
    """How many GPUs NVIDIA's program lists where they are no files: on Windows, and in its Linux."""
    program = shutil.which("nvidia-smi", path=environ.get("PATH"))
    if program is None or sys.platform == "darwin":
        return 0
    try:
        told = subprocess.run(
            (program, "-L"), stdin=subprocess.DEVNULL, capture_output=True, timeout=ASKED_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        log.warning("nvidia-smi does not say which GPUs there are: %s", error)
        return 0
    return sum(line.startswith(b"GPU ") for line in told.stdout.splitlines())
