"""Has tallies counted once at the end, where very many votes come at once: the triggers rest meanwhile."""

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.database.migrations.versions.tallies import fill

_TABLES = ("votes", "dreams", "pictures", "tallies")
_OURS = (
    "SELECT name, sql FROM sqlite_master "
    "WHERE type = 'trigger' AND (name LIKE 'tallies%' OR name LIKE 'standings%')"
)


class CountedAtTheEnd:
    """Between `begin` and `end` no vote is counted, whoever writes it, and all are at the end.

    Where there are no tallies yet it does nothing: the step that makes them counts.
    """

    def __init__(self) -> None:
        self._back: list[str] = []  # what lets the triggers go on

    async def begin(self, connection: AsyncConnection) -> None:
        await connection.run_sync(self._stop)

    async def end(self, connection: AsyncConnection) -> None:
        await connection.run_sync(self._count)

    def _stop(self, connection: Connection) -> None:
        if not inspect(connection).has_table("tallies"):
            return
        if connection.dialect.name == "postgresql":
            for table in _TABLES:
                connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            self._back = [f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in _TABLES]
            return
        for name, made in connection.execute(text(_OURS)).all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
            self._back.append(made)

    def _count(self, connection: Connection) -> None:
        if self._back:
            fill(connection)
        for statement in self._back:
            connection.exec_driver_sql(statement)
