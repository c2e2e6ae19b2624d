"""What the models know that is nearest to the words of a dream that hardly shows them."""

import sqlalchemy as sa
from alembic import op

revision = "nearest"
down_revision = "notices"


def upgrade() -> None:
    op.add_column("dreams", sa.Column("nearest", sa.Text, nullable=False, server_default=""))
