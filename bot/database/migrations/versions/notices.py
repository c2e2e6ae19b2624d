"""When a dream's author is told that it is over, and of which dreams that is still to be done."""

import sqlalchemy as sa
from alembic import op

revision = "notices"
down_revision = "paces"


def upgrade() -> None:
    op.add_column("preferences", sa.Column("notice", sa.String(16), nullable=False, server_default="waited"))
    op.add_column("dreams", sa.Column("cancelled_by", sa.BigInteger))
    op.add_column("dreams", sa.Column("to_tell", sa.Boolean, nullable=False, server_default=sa.false()))
