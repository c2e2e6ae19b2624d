"""Rescues: attempts that ended because the process that dreamt was gone, apart from those that failed."""

import sqlalchemy as sa
from alembic import op

revision = "rescues"
down_revision = "wall"


def upgrade() -> None:
    op.add_column("dreams", sa.Column("rescues", sa.Integer, nullable=False, server_default="0"))
