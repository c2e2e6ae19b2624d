"""Whether the disk has room for new dreams: asked from time to time, and heard of when the database has none.

With little room nothing new is taken, so that what is being dreamt can end and be shown. Knows no Discord.
"""

import asyncio
import logging
import math
import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from time import monotonic

from bot.background import BackgroundLoop

log = logging.getLogger(__name__)

LOOK_S = 10.0  # seconds between two looks
FULL_S = 60.0  # seconds after which a database that had no room is tried again
MB = 10**6


class DiskSpace(BackgroundLoop):
    """Live. Before the first look there is room."""

    def __init__(
        self,
        *,
        folders: Collection[Path],
        spare_bytes: int,
        clock: Callable[[], float] = monotonic,
        free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        """`folders`: where we write; `spare_bytes`: to stay free; `free`: bytes of a folder's disk."""
        super().__init__(retry_s=LOOK_S)
        self._folders = folders
        self._spare = spare_bytes
        self._clock = clock
        self._free_of = free
        self._full_until = -math.inf  # the database had no room
        self._is_short = False
        self.free = math.inf  # bytes; inf: nobody knows
        self.on_short: list[Callable[[], None]] = []  # told when there is no room any more

    @property
    def has_room(self) -> bool:
        """Whether new dreams can be taken."""
        return self.free >= self._spare and self._clock() >= self._full_until

    @property
    def trouble(self) -> str:
        """Why there is no room, for the host; '': there is."""
        if self.free < self._spare:
            return (
                f"The disk has {self.free / MB:.0f} MB left, less than SPARE_MB ({self._spare / MB:.0f}): "
                "no new dreams are taken until there is more."
            )
        return "" if self.has_room else "The database's disk is full: no new dreams are taken for now."

    def heard_full(self) -> None:
        """The database had no room for something."""
        self._full_until = self._clock() + FULL_S
        self._tell()
        self.wake()

    async def _resume(self) -> None:
        await self._look()

    async def _look(self) -> float:
        self.free = await asyncio.to_thread(self._least)
        self._tell()
        return LOOK_S

    def _least(self) -> float:
        """Free bytes of the fullest of the disks."""
        found = []
        for folder in self._folders:
            try:
                found.append(self._free_of(folder))
            except OSError as error:
                log.debug("%s: how much is free is not known: %s", folder, error)
        return min(found, default=math.inf)

    def _tell(self) -> None:
        was_short, self._is_short = self._is_short, not self.has_room
        if self._is_short and not was_short:
            log.warning("%s", self.trouble)
            for hear in self.on_short:
                hear()
        elif was_short and not self._is_short:
            log.info("The disk has room again; new dreams are taken")
