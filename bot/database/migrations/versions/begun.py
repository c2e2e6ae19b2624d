"""How often what is owed was begun, before it was written anew too: whoever was killed may have posted it."""

import sqlalchemy as sa
from alembic import op

revision = "begun"
down_revision = "tallies"


def upgrade() -> None:
    op.add_column("outbox", sa.Column("begun", sa.Integer, nullable=False, server_default="0"))
    op.execute("UPDATE outbox SET begun = tries")
