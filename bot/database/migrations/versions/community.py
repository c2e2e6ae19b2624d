"""The hall of fame, and contests."""

import sqlalchemy as sa
from alembic import op

revision = "community"
down_revision = "choices"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "fame",
        sa.Column("dream_id", _ID, sa.ForeignKey("dreams.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("guild_id", sa.BigInteger, nullable=False),
        sa.Column("channel_id", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.BigInteger, unique=True),
        sa.Column("votes", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
    )
    op.create_table(
        "contests",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("guild_id", sa.BigInteger, nullable=False),
        sa.Column("running_in", sa.BigInteger, unique=True),
        sa.Column("channel_id", sa.BigInteger, nullable=False),
        sa.Column("theme", sa.Text, nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("started_by", sa.BigInteger, nullable=False),
        sa.Column("started_at", sa.Float(53), nullable=False),
        sa.Column("ends_at", sa.Float(53), nullable=False),
        sa.Column("winner_id", sa.BigInteger),
        sa.Column("winner_votes", sa.BigInteger),
        sa.Column("message_id", sa.BigInteger, unique=True),
        sa.Column("told", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "entries",
        sa.Column("contest_id", _ID, sa.ForeignKey("contests.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("dream_id", _ID, sa.ForeignKey("dreams.id", ondelete="CASCADE"), nullable=False),
        sa.Column("entered_at", sa.Float(53), nullable=False),
    )
    op.create_index("entries_by_dream", "entries", ["dream_id"])
