"""The tables of version 1: dreams, pictures, votes."""

import sqlalchemy as sa
from alembic import op

revision = "first"
down_revision = None

_DREAM_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    version = op.create_table("schema_version", sa.Column("version", sa.Integer, primary_key=True))
    op.bulk_insert(version, [{"version": 1}])
    op.create_table(
        "dreams",
        sa.Column("id", _DREAM_ID, primary_key=True, autoincrement=True),
        sa.Column("origin", sa.BigInteger, nullable=False, unique=True),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("steps", sa.Integer),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("author_id", sa.BigInteger, nullable=False),
        sa.Column("guild_id", sa.BigInteger),
        sa.Column("channel_id", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.BigInteger, unique=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("started_at", sa.Float(53)),
        sa.Column("ended_at", sa.Float(53)),
        sa.Column("owner", sa.String(64)),
        sa.Column("lease_until", sa.Float(53)),
        sa.Column("cancel_asked", sa.Boolean, nullable=False),
        sa.Column("delivered", sa.Boolean, nullable=False),
        sa.Column("failure", sa.String(32)),
        sa.Column("failure_detail", sa.Text, nullable=False),
        sa.Column("notice", sa.Text, nullable=False),
        sa.Column("score", sa.Float(53)),
        sa.Column("best_step", sa.Integer),
        sa.Column("steps_done", sa.Integer),
        sa.Column("seconds", sa.Float(53)),
        sa.Column("recipe", sa.Text, nullable=False),
    )
    op.create_index("dreams_by_state", "dreams", ["state", "delivered"])
    op.create_table(
        "pictures",
        sa.Column("dream_id", _DREAM_ID, sa.ForeignKey("dreams.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "votes",
        sa.Column("dream_id", _DREAM_ID, sa.ForeignKey("dreams.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("emoji", sa.String(100), primary_key=True),
    )
