"""Opens what the host switched on: the public wall; health, metrics and a status page for the host."""

import logging
from collections.abc import Callable
from socket import gethostname

from aiohttp import web

from bot.heart import Heart
from bot.settings import STATUS_LISTEN, WALL_LISTEN, Listen, Settings
from bot.web import status
from bot.web.app import application
from bot.web.guards import hosts
from bot.web.parts import Parts
from bot.web.server import CLOSE_S, AddressTaken
from bot.web.status.health import HEALTH, Health
from bot.web.status.measurements import MEASUREMENTS, Measurements
from bot.web.wall.application import wall_application

log = logging.getLogger(__name__)

NO_DISCORD = "There is no connection to Discord."


class Sites:
    """Live: `open` early, so that `/healthz` tells what is missing; `close` before the heart ends."""

    def __init__(self, heart: Heart, settings: Settings) -> None:
        self.health = Health(database=heart.database, worker=heart.worker)
        shows_status = bool(settings.status_listen) or (bool(settings.wall_url) and settings.status_on_wall)
        self.measurements = Measurements(heart) if shows_status else None
        self._made: list[tuple[str, Listen, web.AppRunner]] = []
        if settings.status_listen:
            names = {gethostname().lower(), *hosts.LOOPBACK}  # a neighbour may ask by our own name
            made = application(status, parts=Parts(heart=heart), names=names, any_address=True)
            self._add(STATUS_LISTEN.key, settings.status_listen, made)
        if settings.wall_url:
            others = (status,) if settings.status_on_wall else ()
            self._add(
                WALL_LISTEN.key, settings.wall_listen, wall_application(heart, *others, url=settings.wall_url)
            )

    def _add(self, key: str, listen: Listen, made: web.Application) -> None:
        made[HEALTH] = self.health
        if self.measurements is not None:
            made[MEASUREMENTS] = self.measurements
        runner = web.AppRunner(made, access_log=None, shutdown_timeout=CLOSE_S, handle_signals=False)
        self._made.append((key, listen, runner))

    def watch_discord(self, is_ready: Callable[[], bool], latency_s: Callable[[], float]) -> None:
        """Discord is one of the front ends: without it we are not ready."""
        self.health.checks.append(lambda: "" if is_ready() else NO_DISCORD)
        if self.measurements is not None:
            self.measurements.heartbeat_s = latency_s

    async def open(self) -> None:
        """Listen. Raises `AddressTaken`."""
        for key, listen, runner in self._made:
            await runner.setup()
            try:
                await web.TCPSite(runner, listen.host, listen.port).start()
            except OSError as error:
                raise AddressTaken(key, listen) from error
            log.info("%s: served at %s", key, listen)

    async def close(self) -> None:
        """Let nobody in any more, and those who watch go."""
        for _, _, runner in self._made:
            await runner.cleanup()
