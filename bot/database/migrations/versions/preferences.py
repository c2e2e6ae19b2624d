"""What people want their dreams to be when they say nothing else."""

import sqlalchemy as sa
from alembic import op

revision = "preferences"
down_revision = "community"


def upgrade() -> None:
    op.create_table(
        "preferences",
        sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("preset", sa.String(16), nullable=False, server_default=""),
        sa.Column("size", sa.Integer),
        sa.Column("spoiler", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("language", sa.String(8), nullable=False, server_default=""),
    )
