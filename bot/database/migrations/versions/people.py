"""People of the page, who have no account anywhere else."""

import sqlalchemy as sa
from alembic import op

revision = "people"
down_revision = "showings"


def upgrade() -> None:
    op.create_table(
        "people",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True
        ),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("folded", sa.String(128), nullable=False, unique=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("moderates", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("created_at", sa.Float(53), nullable=False),
    )
