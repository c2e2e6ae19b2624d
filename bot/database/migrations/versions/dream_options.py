"""What else can be wished for, and what a dream leaves behind: states, time-lapses, attached pictures.

The version that programs without migrations look at goes up, so that they refuse what they do not know.
"""

import sqlalchemy as sa
from alembic import op

revision = "dream_options"
down_revision = "moderation"

_DREAM_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _of_dream(table: str) -> None:
    op.create_table(
        table,
        sa.Column("dream_id", _DREAM_ID, sa.ForeignKey("dreams.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )


def upgrade() -> None:
    for column in (
        sa.Column("avoid", sa.Text, nullable=False, server_default=""),
        sa.Column("size", sa.Integer),
        sa.Column("preset", sa.String(16), nullable=False, server_default=""),
        sa.Column("spoiler", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("image_id", sa.BigInteger),
        sa.Column("begin", sa.String(16), nullable=False, server_default="new"),
        sa.Column("parent_id", sa.BigInteger),
        sa.Column("other_id", sa.BigInteger),
        sa.Column("strength", sa.Float(53), nullable=False, server_default="0.5"),
        sa.Column("chapter", sa.Integer),
        sa.Column("chapters", sa.Integer),
        sa.Column("erased", sa.Boolean, nullable=False, server_default=sa.false()),
    ):
        op.add_column("dreams", column)
    op.create_index("dreams_by_author", "dreams", ["author_id", "id"])
    op.create_index("dreams_by_parent", "dreams", ["parent_id"])
    _of_dream("states")
    _of_dream("timelapses")
    op.create_table(
        "images",
        sa.Column("id", _DREAM_ID, primary_key=True, autoincrement=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.execute("UPDATE schema_version SET version = 2")
