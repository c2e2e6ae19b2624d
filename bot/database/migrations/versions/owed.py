"""What is owed is told at once: PostgreSQL names the outbox to other processes too."""

from alembic import op

revision = "owed"
down_revision = "together"


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute(
        "CREATE TRIGGER oneiro_tell AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION oneiro_tell()"
    )
    # Of a process that stops: what it had in hand is due sooner than its lease would end.
    op.execute(
        "CREATE TRIGGER oneiro_tell_sooner AFTER UPDATE OF owner ON outbox FOR EACH ROW "
        "WHEN (NEW.owner IS NULL AND NEW.due_at < OLD.due_at) EXECUTE FUNCTION oneiro_tell()"
    )
