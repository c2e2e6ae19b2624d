"""How long dreams take, by machine."""

import sqlalchemy as sa
from alembic import op

revision = "paces"
down_revision = "gallery"


def upgrade() -> None:
    op.create_table(
        "paces",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True
        ),
        sa.Column("machine", sa.String(64), nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("preset", sa.String(16), nullable=False),
        sa.Column("steps", sa.Integer, nullable=False),
        sa.Column("usual", sa.Boolean, nullable=False),
        sa.Column("lead_s", sa.Float(53), nullable=False),
        sa.Column("step_s", sa.Float(53), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("paces_by_machine", "paces", ["machine", "id"])
