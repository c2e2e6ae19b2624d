"""Dreams that the channel steers: choices between beginnings."""

import sqlalchemy as sa
from alembic import op

revision = "choices"
down_revision = "dream_options"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.add_column("dreams", sa.Column("choice_id", sa.BigInteger))
    op.add_column("dreams", sa.Column("candidate", sa.Integer, nullable=False, server_default="0"))
    op.add_column("dreams", sa.Column("decision", sa.Text, nullable=False, server_default=""))
    op.create_index("dreams_by_choice", "dreams", ["choice_id", "candidate"])
    op.create_table(
        "choices",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("origin", sa.BigInteger, nullable=False, unique=True),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("author_id", sa.BigInteger, nullable=False),
        sa.Column("guild_id", sa.BigInteger),
        sa.Column("channel_id", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.BigInteger, unique=True),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("spoiler", sa.Boolean, nullable=False),
        sa.Column("steps", sa.Integer),
        sa.Column("preset", sa.String(16), nullable=False),
        sa.Column("size", sa.Integer),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("ends_at", sa.Float(53)),
        sa.Column("ended_by", sa.BigInteger),
        sa.Column("decision", sa.Text, nullable=False),
        sa.Column("delivered", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.create_index("choices_by_state", "choices", ["state", "delivered"])
