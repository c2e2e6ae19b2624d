"""Two things take longer than one, and the first dream waits for the models: both are measured apart."""

import sqlalchemy as sa
from alembic import op

revision = "panels"
down_revision = "nearest"


def upgrade() -> None:
    op.add_column("paces", sa.Column("panels", sa.Integer, nullable=False, server_default="1"))
    op.add_column("paces", sa.Column("load_s", sa.Float(53), nullable=False, server_default="0"))
