"""The tables of the first release."""

import sqlalchemy as sa
from alembic import op

revision = "showings"  # the last of the steps from before the first release, in whose place this one stands
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _dream_id() -> sa.Column[int]:
    return sa.Column("dream_id", _ID, sa.ForeignKey("dreams.id", ondelete="CASCADE"), primary_key=True)


def upgrade() -> None:
    version = op.create_table("schema_version", sa.Column("version", sa.Integer, primary_key=True))
    op.bulk_insert(version, [{"version": 2}])
    op.create_table(
        "dreams",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("origin", sa.BigInteger, nullable=False, unique=True),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("steps", sa.Integer),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("author_id", sa.BigInteger, nullable=False),
        sa.Column("guild_id", sa.BigInteger),
        sa.Column("channel_id", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.BigInteger, unique=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("started_at", sa.Float(53)),
        sa.Column("ended_at", sa.Float(53)),
        sa.Column("owner", sa.String(64)),
        sa.Column("lease_until", sa.Float(53)),
        sa.Column("cancel_asked", sa.Boolean, nullable=False),
        sa.Column("delivered", sa.Boolean, nullable=False),
        sa.Column("failure", sa.String(32)),
        sa.Column("failure_detail", sa.Text, nullable=False),
        sa.Column("notice", sa.Text, nullable=False),
        sa.Column("score", sa.Float(53)),
        sa.Column("best_step", sa.Integer),
        sa.Column("steps_done", sa.Integer),
        sa.Column("seconds", sa.Float(53)),
        sa.Column("recipe", sa.Text, nullable=False),
        sa.Column("language", sa.String(8), nullable=False, server_default="en"),
        sa.Column("moved_at", sa.Float(53)),
        sa.Column("flagged", sa.String(64), nullable=False, server_default=""),
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
        sa.Column("choice_id", sa.BigInteger),
        sa.Column("candidate", sa.Integer, nullable=False, server_default="0"),
        sa.Column("decision", sa.Text, nullable=False, server_default=""),
        sa.Column("gallery_channel_id", sa.BigInteger),
        sa.Column("gallery_message_id", sa.BigInteger),
        sa.Column("cancelled_by", sa.BigInteger),
        sa.Column("to_tell", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("nearest", sa.Text, nullable=False, server_default=""),
        sa.Column("most_steps", sa.Integer),
        sa.Column("most_size", sa.Integer),
        sa.Column("gone", sa.String(16), nullable=False, server_default=""),
    )
    op.create_index("dreams_by_state", "dreams", ["state", "delivered"])
    op.create_index("dreams_by_time", "dreams", ["created_at"])
    op.create_index("dreams_by_author", "dreams", ["author_id", "id"])
    op.create_index("dreams_by_parent", "dreams", ["parent_id"])
    op.create_index("dreams_by_choice", "dreams", ["choice_id", "candidate"])
    op.create_index("dreams_by_gallery", "dreams", ["gallery_message_id"])
    op.create_index("dreams_by_channel", "dreams", ["guild_id", "channel_id"])
    op.create_table(
        "pictures",
        _dream_id(),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "votes",  # PostgreSQL calls its constraints votes_anew_… where that last step made it
        _dream_id(),
        sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("emoji", sa.String(100), primary_key=True),
        sa.Column("copy_id", sa.BigInteger, primary_key=True, autoincrement=False, server_default="0"),
        sa.Column("burst", sa.Boolean, primary_key=True, server_default=sa.false()),
    )
    op.create_table(
        "guilds",
        sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("welcomed_at", sa.Float(53)),
    )
    op.create_table(
        "bans",
        sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("until", sa.Float(53)),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("by", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("guild_id", sa.BigInteger, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("by", sa.BigInteger, nullable=False),
        sa.Column("what", sa.String(32), nullable=False),
        sa.Column("target", sa.String(64), nullable=False),
        sa.Column("old", sa.Text, nullable=False),
        sa.Column("new", sa.Text, nullable=False),
    )
    op.create_index("audit_by_guild", "audit", ["guild_id", "id"])
    op.create_table(
        "reports",
        _dream_id(),
        sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Float(53), nullable=False),
    )
    op.create_table(
        "images",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "states",
        _dream_id(),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "timelapses",
        _dream_id(),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "choices",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("origin", sa.BigInteger, nullable=False, unique=True),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("author_id", sa.BigInteger, nullable=False),
        sa.Column("guild_id", sa.BigInteger),
        sa.Column("channel_id", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.BigInteger, unique=True),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("spoiler", sa.Boolean, nullable=False),
        sa.Column("steps", sa.Integer),
        sa.Column("preset", sa.String(16), nullable=False),
        sa.Column("size", sa.Integer),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("ends_at", sa.Float(53)),
        sa.Column("ended_by", sa.BigInteger),
        sa.Column("decision", sa.Text, nullable=False),
        sa.Column("delivered", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.create_index("choices_by_state", "choices", ["state", "delivered"])
    op.create_table(
        "fame",
        _dream_id(),
        sa.Column("guild_id", sa.BigInteger, nullable=False),
        sa.Column("channel_id", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.BigInteger, unique=True),
        sa.Column("votes", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("removed", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "contests",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("guild_id", sa.BigInteger, nullable=False),
        sa.Column("running_in", sa.BigInteger, unique=True),
        sa.Column("channel_id", sa.BigInteger, nullable=False),
        sa.Column("theme", sa.Text, nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("started_by", sa.BigInteger, nullable=False),
        sa.Column("started_at", sa.Float(53), nullable=False),
        sa.Column("ends_at", sa.Float(53), nullable=False),
        sa.Column("winner_id", sa.BigInteger),
        sa.Column("winner_votes", sa.BigInteger),
        sa.Column("message_id", sa.BigInteger, unique=True),
        sa.Column("told", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "entries",
        sa.Column("contest_id", _ID, sa.ForeignKey("contests.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("dream_id", _ID, sa.ForeignKey("dreams.id", ondelete="CASCADE"), nullable=False),
        sa.Column("entered_at", sa.Float(53), nullable=False),
    )
    op.create_index("entries_by_dream", "entries", ["dream_id"])
    op.create_table(
        "preferences",
        sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("preset", sa.String(16), nullable=False, server_default=""),
        sa.Column("size", sa.Integer),
        sa.Column("spoiler", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("language", sa.String(8), nullable=False, server_default=""),
        sa.Column("notice", sa.String(16), nullable=False, server_default="waited"),
    )
    op.create_table(
        "paces",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("machine", sa.String(64), nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("preset", sa.String(16), nullable=False),
        sa.Column("steps", sa.Integer, nullable=False),
        sa.Column("usual", sa.Boolean, nullable=False),
        sa.Column("lead_s", sa.Float(53), nullable=False),
        sa.Column("step_s", sa.Float(53), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("panels", sa.Integer, nullable=False, server_default="1"),
        sa.Column("load_s", sa.Float(53), nullable=False, server_default="0"),
    )
    op.create_index("paces_by_machine", "paces", ["machine", "id"])
    op.create_table(
        "sendings",
        sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False),
        _dream_id(),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("settled", sa.Boolean, nullable=False),
    )
    op.create_index("sendings_by_person", "sendings", ["person", "at"])
