"""The public wall: slugs of dreams and contests, what people allow, thumbnails."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "wall"
down_revision = "people"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    for table in ("dreams", "contests"):
        op.add_column(table, sa.Column("slug", sa.String(22)))
        _name_all(table)
        op.create_index(f"{table}_by_slug", table, ["slug"], unique=True)
    op.create_index("dreams_by_other", "dreams", ["other_id"])
    op.create_table(
        "privacy",
        sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("wall", sa.Boolean, nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("page", sa.String(22), unique=True),
    )
    op.create_table(
        "thumbnails",
        sa.Column("dream_id", _ID, sa.ForeignKey("dreams.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("made_from", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("made_at", sa.Float(53), nullable=False),
    )
    op.create_index("thumbnails_by_time", "thumbnails", ["made_at"])


def _name_all(table: str) -> None:
    """What is stored already gets its slug now."""
    rows = sa.table(table, sa.column("id", _ID), sa.column("slug", sa.String(22)))
    connection = op.get_bind()
    ids = connection.scalars(sa.select(rows.c.id)).all()
    if ids:
        change = sa.update(rows).where(rows.c.id == sa.bindparam("which")).values(slug=sa.bindparam("named"))
        connection.execute(change, [{"which": id, "named": secrets.token_urlsafe(16)} for id in ids])
