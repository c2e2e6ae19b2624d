"""What the bot owes in the simulated Discord, and what may come between."""

from collections.abc import Collection

from sqlalchemy import and_, or_, select, update

from bot.chat.messages.outbox import Outbox
from bot.database.outbox import Kind, OutboxStore
from bot.database.tables import outbox
from tests.bot.chat.conftest import World
from tests.bot.scripted import until


def away(world: World) -> None:
    """Discord answers nothing but errors from now on; what is tried again is so at once."""
    world.parts.outbox._retry_s = 0.002
    for method in ("GET", "POST", "PATCH", "PUT"):
        world.env.inject_error(method, "/channels/*/messages*", status=503, times=None)
        world.env.inject_error(method, "/channels/*/messages/*", status=503, times=None)


def back(world: World) -> None:
    world.env.backend.faults.clear()


async def owed(world: World) -> dict[Kind, int]:
    """How often each of what is owed was tried, by kind."""
    async with world.parts.database.transaction() as connection:
        return {Kind(row.kind): row.tries for row in await connection.execute(select(outbox))}


async def until_tried(world: World, kind: Kind, *, times: int = 3) -> None:
    """So many tries have come to their end: what the last one left stands in the row."""
    ended = or_(outbox.c.tries > times, and_(outbox.c.tries == times, outbox.c.owner.is_(None)))

    async def tried() -> bool:
        async with world.parts.database.transaction() as connection:
            found = select(outbox).where(outbox.c.kind == kind, ended)
            return (await connection.execute(found)).first() is not None

    await until(tried)


async def until_nothing_is_owed(world: World, *, but: Collection[Kind] = ()) -> None:
    async def nothing() -> bool:
        return not set(await owed(world)) - set(but)

    await until(nothing)


def another(world: World, owner: str = "other") -> Outbox:
    """A second process's look at what is owed, through the same client."""
    other = Outbox(store=OutboxStore(world.parts.database, owner=owner))
    other.handlers = world.parts.outbox.handlers
    return other


async def lease_ends(world: World) -> None:
    """Of what is owed another process may take all."""
    async with world.parts.database.transaction() as connection:
        await connection.execute(update(outbox).values(due_at=0.0))
    world.parts.outbox.wake()
