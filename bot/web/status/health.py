"""Whether everything works, or why not: `/healthz`, for whoever starts us anew when it does not."""

import asyncio
import logging
from collections.abc import Callable

from aiohttp import web
from sqlalchemy import text

from bot.database.connection import Database, StoreError
from bot.queue.worker import Worker

log = logging.getLogger(__name__)

PATIENCE_S = 2.0  # seconds for the database to answer; who asks waits a few
NO_WORKER = "Nothing is being dreamt: Oneiro is starting or stopping."


class Health:
    """Live. Front ends add what they need to `checks`."""

    def __init__(self, *, database: Database, worker: Worker) -> None:
        self._database = database
        self._worker = worker
        self.checks: list[Callable[[], str]] = []  # each gives a sentence that says why not, or ''

    async def troubles(self) -> list[str]:
        """Why it is not ready; none: it is."""
        found = [] if self._worker.is_running else [NO_WORKER]
        try:
            async with asyncio.timeout(PATIENCE_S), self._database.transaction() as connection:
                await connection.execute(text("SELECT 1"))
        except StoreError as error:
            found.append(str(error))
        except TimeoutError:
            found.append("The database does not answer.")
        return [*found, *filter(None, (check() for check in self.checks))]


HEALTH = web.AppKey("HEALTH", Health)
routes = web.RouteTableDef()


@routes.get("/healthz")
async def healthz(request: web.Request) -> web.Response:
    """200 and `ready`, or 503 and a sentence a line."""
    troubles = await request.config_dict[HEALTH].troubles()
    if troubles:
        log.info("Not ready: %s", " ".join(troubles))
    return web.Response(text="\n".join(troubles or ["ready"]) + "\n", status=503 if troubles else 200)
