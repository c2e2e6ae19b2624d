"""Under what a vote was cast and how, dreams whose message is gone, and what was sent to whom."""

import sqlalchemy as sa
from alembic import op

revision = "showings"
down_revision = "most"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    # A key cannot be widened everywhere: the table is made anew. Whatever was cast so far stands under the
    # dream's own message.
    op.create_table(
        "votes_anew",
        sa.Column("dream_id", _ID, sa.ForeignKey("dreams.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("emoji", sa.String(100), primary_key=True),
        sa.Column("copy_id", sa.BigInteger, primary_key=True, autoincrement=False, server_default="0"),
        sa.Column("burst", sa.Boolean, primary_key=True, server_default=sa.false()),
    )
    op.execute("INSERT INTO votes_anew (dream_id, person, emoji) SELECT dream_id, person, emoji FROM votes")
    op.drop_table("votes")
    op.rename_table("votes_anew", "votes")
    op.add_column("dreams", sa.Column("gone", sa.String(16), nullable=False, server_default=""))
    op.create_index("dreams_by_gallery", "dreams", ["gallery_message_id"])
    op.create_index("dreams_by_channel", "dreams", ["guild_id", "channel_id"])
    op.add_column("fame", sa.Column("removed", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "sendings",
        sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("dream_id", _ID, sa.ForeignKey("dreams.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("settled", sa.Boolean, nullable=False),
    )
    op.create_index("sendings_by_person", "sendings", ["person", "at"])
