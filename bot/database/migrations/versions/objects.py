"""The object store: where the bytes of rows lie, and which objects rows referred to that are deleted.

Rows stay as they are: their bytes may be very many, and lie where they lie until they are moved.
"""

import sqlalchemy as sa
from alembic import op

revision = "objects"
down_revision = "begun"

_KEYS = {"pictures": "dream_id", "states": "dream_id", "timelapses": "dream_id", "images": "id"}


def upgrade() -> None:
    op.create_table(
        "unreferenced",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("since", sa.Float(53)),
        sa.Column("deleted_at", sa.Float(53)),
    )
    op.create_table(
        "object_store",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("label", sa.String(32), nullable=False),
    )
    is_server = op.get_bind().dialect.name == "postgresql"
    if is_server:
        op.execute(_FUNCTION)
    for table, key in _KEYS.items():
        op.add_column(table, sa.Column("digest", sa.String(64)))
        op.add_column(table, sa.Column("size", sa.BigInteger))
        op.create_index(f"{table}_by_digest", table, ["digest", key, "size"])
        for name, event, condition in _FIRES:
            made = _ON_SERVER if is_server else _IN_FILE
            op.execute(made.format(table=table, name=name, event=event, condition=condition))


# Also when a row goes with its dream, or another one takes its place.
_FIRES = (
    ("deleted", "DELETE", "OLD.digest IS NOT NULL"),
    (
        "replaced",
        "UPDATE OF digest",
        "OLD.digest IS NOT NULL AND (NEW.digest IS NULL OR NEW.digest <> OLD.digest)",
    ),
)
_IN_FILE = """
CREATE TRIGGER unreferenced_{table}_{name} AFTER {event} ON {table} WHEN {condition} BEGIN
    INSERT INTO unreferenced (digest) SELECT OLD.digest
    WHERE NOT EXISTS (SELECT 1 FROM unreferenced WHERE digest = OLD.digest);
END
"""
_FUNCTION = """
CREATE OR REPLACE FUNCTION oneiro_unreferenced() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO unreferenced (digest) VALUES (OLD.digest) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$
"""
_ON_SERVER = """
CREATE TRIGGER unreferenced_{name} AFTER {event} ON {table} FOR EACH ROW WHEN ({condition})
EXECUTE FUNCTION oneiro_unreferenced()
"""
