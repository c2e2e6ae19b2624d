"""The language of a dream's message."""

import sqlalchemy as sa
from alembic import op

revision = "language"
down_revision = "first"


def upgrade() -> None:
    op.add_column("dreams", sa.Column("language", sa.String(8), nullable=False, server_default="en"))
