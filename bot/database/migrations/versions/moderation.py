"""What moderators set and do: servers' settings, bans, the audit trail, reports; where dreams were moved."""

import sqlalchemy as sa
from alembic import op

revision = "moderation"
down_revision = "language"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.add_column("dreams", sa.Column("moved_at", sa.Float(53)))
    op.add_column("dreams", sa.Column("flagged", sa.String(64), nullable=False, server_default=""))
    op.create_index("dreams_by_time", "dreams", ["created_at"])
    op.create_table(
        "guilds",
        sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("welcomed_at", sa.Float(53)),
    )
    op.create_table(
        "bans",
        sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("until", sa.Float(53)),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("by", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("guild_id", sa.BigInteger, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("by", sa.BigInteger, nullable=False),
        sa.Column("what", sa.String(32), nullable=False),
        sa.Column("target", sa.String(64), nullable=False),
        sa.Column("old", sa.Text, nullable=False),
        sa.Column("new", sa.Text, nullable=False),
    )
    op.create_index("audit_by_guild", "audit", ["guild_id", "id"])
    op.create_table(
        "reports",
        sa.Column("dream_id", _ID, sa.ForeignKey("dreams.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Float(53), nullable=False),
    )
