"""What a dream may cost at most that names no steps and no size itself."""

import sqlalchemy as sa
from alembic import op

revision = "most"
down_revision = "panels"


def upgrade() -> None:
    op.add_column("dreams", sa.Column("most_steps", sa.Integer))
    op.add_column("dreams", sa.Column("most_size", sa.Integer))
