"""Which of Discord's servers are this process's: those of its shards, where a host spreads them over several.

Discord's own rule (gateway reference, Sharding): a server's shard is `(guild_id >> 22) % shard_count`, and
direct messages are the first shard's. What a process does not hear of it must not take for gone.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal_column, select, true

from bot.database.tables import audit, choices, contests, dreams, outbox

_SHIFT = 22  # bits of an id below those that choose its shard


@dataclass(frozen=True, slots=True)
class Shards:
    """Those that this process connects. By default all there are, however many."""

    count: int = 1  # of all, in all processes
    ids: frozenset[int] = frozenset({0})

    @property
    def are_all(self) -> bool:
        """Whether no other process is needed for any server."""
        return len(self.ids) == self.count

    @property
    def have_first(self) -> bool:
        """Whether what is done once for all servers is done here."""
        return 0 in self.ids

    def have(self, guild_id: int | None) -> bool:
        """Whether this process hears of this server; None: of direct messages."""
        return ((guild_id or 0) >> _SHIFT) % self.count in self.ids

    def having(self, guild_id: Any) -> ColumnElement[bool]:
        """As `have`, of a column."""
        if self.are_all:
            return true()
        # PostgreSQL shifts a bigint by an integer alone.
        shift: ColumnElement[int] = literal_column(str(_SHIFT))
        shard = func.coalesce(guild_id, 0).bitwise_rshift(shift) % literal_column(str(self.count))
        return shard.in_(sorted(self.ids))

    def having_owed(self) -> ColumnElement[bool]:
        """As `have`, of the servers that rows of the outbox are about. Of what is not there any more: 0."""
        if self.are_all:
            return true()
        by_kind = {"choice": choices, "contest": contests, "log": audit}
        servers = {
            kind: select(table.c.guild_id).where(table.c.id == outbox.c.subject).scalar_subquery()
            for kind, table in by_kind.items()
        }
        of_dream = select(dreams.c.guild_id).where(dreams.c.id == outbox.c.subject).scalar_subquery()
        return self.having(case(servers, value=outbox.c.kind, else_=of_dream))


ALL_SHARDS = Shards()
