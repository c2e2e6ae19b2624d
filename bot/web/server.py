"""Opens the local channel: on this machine alone, or to others by a password; at a free port."""

import errno
import logging
import socket
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web

from bot.heart import Heart
from bot.settings import PAGE_ADDRESS, Listen, Settings
from bot.web import channel
from bot.web.app import application
from bot.web.channel.room import ROOM, build_room
from bot.web.guards import hosts, proxies
from bot.web.guards.password import Gate
from bot.web.parts import Parts

log = logging.getLogger(__name__)

ADDRESS = "127.0.0.1"  # always: by it the machine itself comes in
ANY = ("0.0.0.0", "::")  # every address of this machine
FIRST_PORT, PORTS = 8320, 20  # that are tried where none was asked for
CLOSE_S = 1.0  # for answers that are on their way when we stop; watchers come back by themselves
_TAKEN = frozenset({errno.EADDRINUSE, errno.EACCES, getattr(errno, "WSAEADDRINUSE", errno.EADDRINUSE)})
# Nothing is sent to these (RFC 5737, RFC 3849); they tell which of our addresses leads out of the machine.
_ELSEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


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


class AddressTaken(PortTaken):
    """Another program has the address that was asked for, or it is none of this machine's."""

    def __init__(self, key: str, listen: Listen) -> None:
        super().__init__(listen.port, listen.port)
        self._sentence = (
            f"Nothing can be served at {listen}. Please set {key} to a free address of this machine."
        )

    def __str__(self) -> str:
        return self._sentence


class LocalChannel:
    """Live: `open` when the heart has begun, `close` after it has ended."""

    def __init__(self, heart: Heart, settings: Settings) -> None:
        self._room = build_room(heart)
        self._settings = settings
        made = application(
            channel,
            parts=Parts(heart=heart),
            names=names(settings),
            any_address=settings.opens_page,
            gate=Gate(settings.page_password) if settings.page_password else None,
        )
        if settings.page_url:
            made.middlewares.insert(0, proxies.guard)
        made[ROOM] = self._room
        self._runner = web.AppRunner(made, access_log=None, shutdown_timeout=CLOSE_S, handle_signals=False)
        self.address = ""  # of the page for this machine, once it is open
        self.address_elsewhere = ""  # for others; "": there is none, or none is known

    @property
    def is_open_to_others(self) -> bool:
        """Whether not only this machine itself is let in."""
        return self._settings.opens_page

    @property
    def moderator_address(self) -> str:
        """The link that makes whoever opens it the moderator, once."""
        return f"{self.address_elsewhere or self.address}moderator/{self._room.moderator_key.secret}"

    async def open(self) -> None:
        """Show what a former process left, and listen. Raises `StoreError`, `PortTaken`."""
        await self._room.begin()
        await self._runner.setup()
        asked = self._settings.port
        first = FIRST_PORT if asked is None else asked
        last = first + PORTS - 1 if asked is None else first
        for port in range(first, last + 1):
            if await self._listen(port):
                self.address = f"http://{ADDRESS}:{port}/"
                self.address_elsewhere = self._elsewhere(port)
                log.info("The local channel is open at %s", self.address)
                return
            log.info("Port %d is taken", port)
        raise PortTaken(first, last)

    async def _listen(self, port: int) -> bool:
        """At each address that was asked for. False: another program has this port. Raises `AddressTaken`."""
        sites: list[web.TCPSite] = []
        for host in listening(self._settings.page_address):
            site = web.TCPSite(self._runner, host, port)
            try:
                await site.start()
            except OSError as error:
                for one in sites:
                    await one.stop()
                if error.errno in _TAKEN:
                    return False
                if host == ADDRESS:
                    raise
                raise AddressTaken(PAGE_ADDRESS.key, Listen(host, port)) from error
            sites.append(site)
        return True

    def _elsewhere(self, port: int) -> str:
        if self._settings.page_url:
            return f"{self._settings.page_url}/"
        host = self._settings.page_address
        if ip_address(host).is_loopback:
            return ""
        own = own_address(socket.AF_INET6 if ":" in host else socket.AF_INET) if host in ANY else host
        return f"http://{Listen(own, port)}/" if own else ""

    async def close(self) -> None:
        """Let nobody in any more; whoever watches comes back after a restart by themselves."""
        self._room.live.let_go()
        await self._runner.cleanup()
        await self._room.end()


def listening(address: str) -> Iterator[str]:
    """Where we listen, if this address was asked for: the machine itself always finds us."""
    if address not in (ADDRESS, "0.0.0.0"):
        yield ADDRESS
    yield address


def names(settings: Settings) -> frozenset[str]:
    """The hosts that we answer to. No page elsewhere can point one of these at us (DNS rebinding)."""
    if not settings.opens_page:
        return hosts.LOOPBACK
    own = socket.gethostname().lower()
    proxy = urlsplit(settings.page_url).hostname or ""
    return hosts.LOOPBACK | {own, f"{own.removesuffix('.local')}.local"} | ({proxy} if proxy else set())


def own_address(family: socket.AddressFamily) -> str:
    """The address by which the network knows this machine; '' where there is no network."""
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect((_ELSEWHERE[family], 9))
        except OSError:
            return ""
        return str(asking.getsockname()[0])
