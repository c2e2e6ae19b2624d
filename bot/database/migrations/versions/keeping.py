"""Keeping: who is being forgotten, what one process does for all, and two indexes."""

import sqlalchemy as sa
from alembic import op

revision = "keeping"
down_revision = "outbox"


def upgrade() -> None:
    op.create_table(
        "forgettings",
        sa.Column("kind", sa.String(8), primary_key=True),
        sa.Column("subject", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("asked_at", sa.Float(53), nullable=False),
        sa.Column("due_at", sa.Float(53), nullable=False),
        sa.Column("done_at", sa.Float(53)),
    )
    op.create_table(
        "chores",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("until", sa.Float(53), nullable=False),
    )
    op.create_index("votes_by_person", "votes", ["person"])
    given = sa.text("image_id IS NOT NULL")
    op.create_index("dreams_by_image", "dreams", ["image_id"], sqlite_where=given, postgresql_where=given)
