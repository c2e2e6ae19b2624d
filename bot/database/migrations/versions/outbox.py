"""The outbox: a row for each message that is owed, and one for each that an older program left owing."""

from time import time

import sqlalchemy as sa
from alembic import op

revision = "outbox"
down_revision = "rescues"

_DISCORD = "(guild_id IS NULL OR guild_id <> 4194303)"  # not of the local channel
_OVER = "state IN ('done', 'failed', 'cancelled')"
_OWED = {
    "end": f"SELECT id FROM dreams WHERE {_OVER} AND NOT delivered AND candidate = 0 AND {_DISCORD}",
    "choice": f"SELECT id FROM choices WHERE NOT delivered AND {_DISCORD}",
    "contest": f"SELECT id FROM contests WHERE NOT told AND {_DISCORD}",
    "fame": "SELECT dream_id AS id FROM fame WHERE message_id IS NULL",
    "notice": "SELECT id FROM dreams WHERE to_tell",
}


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("subject", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("since", sa.Float(53), nullable=False),
        sa.Column("due_at", sa.Float(53), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("owner", sa.String(64)),
    )
    op.create_index("outbox_by_time", "outbox", ["due_at"])
    columns = "kind, subject, person, since, due_at, tries"
    for kind, found in _OWED.items():
        # Tried before, as far as anybody knows: who posts looks whether it is there.
        rows = f"SELECT '{kind}', id, 0, :now, :now, 1 FROM ({found}) AS found"
        op.get_bind().execute(sa.text(f"INSERT INTO outbox ({columns}) {rows}"), {"now": time()})
