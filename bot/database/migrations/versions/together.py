"""Several processes, a million dreams: indexes, and PostgreSQL tells at once what changed."""

import sqlalchemy as sa
from alembic import op

revision = "together"
down_revision = "keeping"

# As of this step; a later one that changes who is told replaces the function.
_TELL = """
CREATE OR REPLACE FUNCTION oneiro_tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_notify('oneiro', TG_TABLE_NAME || ' ' || current_setting('application_name'));
    RETURN NULL;
END $$
"""
_WHEN = {
    "dreams": "INSERT OR UPDATE OF state, cancel_asked, moved_at",
    "choices": "INSERT OR UPDATE OF state, ends_at",
    "audit": "INSERT",
}


def upgrade() -> None:
    op.create_index("dreams_in_line", "dreams", ["state", "guild_id", "author_id", "parent_id"])
    op.create_index("dreams_by_server", "dreams", ["guild_id", "created_at"])
    op.create_index("dreams_by_start", "dreams", ["started_at"])
    op.create_index(
        "dreams_not_delivered",
        "dreams",
        ["id"],
        sqlite_where=sa.text("delivered IS 0"),
        postgresql_where=sa.text("delivered IS false"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_TELL)
        for table, when in _WHEN.items():
            op.execute(
                f"CREATE TRIGGER oneiro_tell AFTER {when} ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION oneiro_tell()"
            )
