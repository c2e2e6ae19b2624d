"""What PostgreSQL tells of itself. Knows no table."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_CONTENTS = text(
    "SELECT quote_ident(table_name), quote_ident(column_name) FROM information_schema.columns "
    "WHERE data_type = 'bytea' AND table_schema = current_schema()"
)


async def contents_size(connection: AsyncConnection) -> int:
    """Bytes of all pictures, films, states and the like. It reads how large each is, and none of them."""
    total = 0
    for table, column in (await connection.execute(_CONTENTS)).all():
        total += int(await connection.scalar(text(f"SELECT sum(octet_length({column})) FROM {table}")) or 0)
    return total
