"""Opens the local channel on this machine alone, at the port that was asked for or the first free one."""

import errno
import logging

from aiohttp import web

from bot.heart import Heart
from bot.web import channel
from bot.web.app import application
from bot.web.channel.room import ROOM, build_room
from bot.web.parts import Parts

log = logging.getLogger(__name__)

ADDRESS = "127.0.0.1"  # nobody elsewhere reaches it
FIRST_PORT, PORTS = 8320, 20  # that are tried where none was asked for
CLOSE_S = 1.0  # for answers that are on their way when we stop; watchers come back by themselves
_TAKEN = frozenset({errno.EADDRINUSE, errno.EACCES, getattr(errno, "WSAEADDRINUSE", errno.EADDRINUSE)})


class PortTaken(Exception):
    """Another program has the port that was asked for, or every one that was tried."""

    def __init__(self, first: int, last: int) -> None:
        super().__init__(first, last)
        self.first = first
        self.last = last

    def __str__(self) -> str:
        if self.first == self.last:
            return f"Port {self.first} is taken by another program. Please set PORT to another one."
        return f"The ports {self.first} to {self.last} are all taken. Please set PORT to a free one."


class LocalChannel:
    """Live: `open` when the heart has begun, `close` after it has ended."""

    def __init__(self, heart: Heart, *, port: int | None) -> None:
        """`port`: None for the first free one."""
        self._room = build_room(heart)
        self._port = port
        made = application(channel, parts=Parts(heart=heart))
        made[ROOM] = self._room
        self._runner = web.AppRunner(made, access_log=None, shutdown_timeout=CLOSE_S, handle_signals=False)
        self.address = ""  # of the page, once it is open

    @property
    def moderator_address(self) -> str:
        """The link that makes whoever opens it the moderator, once."""
        return f"{self.address}moderator/{self._room.moderator_key.secret}"

    async def open(self) -> None:
        """Show what a former process left, and listen. Raises `StoreError`, `PortTaken`."""
        await self._room.begin()
        await self._runner.setup()
        first = FIRST_PORT if self._port is None else self._port
        last = first + PORTS - 1 if self._port is None else first
        for port in range(first, last + 1):
            try:
                await web.TCPSite(self._runner, ADDRESS, port).start()
            except OSError as error:
                if error.errno not in _TAKEN:
                    raise
                log.info("Port %d is taken", port)
                continue
            self.address = f"http://{ADDRESS}:{port}/"
            log.info("The local channel is open at %s", self.address)
            return
        raise PortTaken(first, last)

    async def close(self) -> None:
        """Let nobody in any more; whoever watches comes back after a restart by themselves."""
        self._room.live.let_go()
        await self._runner.cleanup()
        await self._room.end()
