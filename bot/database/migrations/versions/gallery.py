"""Where a dream's picture hangs in a gallery channel."""

import sqlalchemy as sa
from alembic import op

revision = "gallery"
down_revision = "preferences"


def upgrade() -> None:
    op.add_column("dreams", sa.Column("gallery_channel_id", sa.BigInteger))
    op.add_column("dreams", sa.Column("gallery_message_id", sa.BigInteger))
