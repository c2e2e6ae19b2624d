"""The tables of dreams and votes. A change needs a step in `bot.database.migrations`; a test compares.

Other modules declare tables of their own on the same `metadata`.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
)

metadata = MetaData()

# What programs without migrations look at, so that they refuse tables that they do not know.
schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True))

# SQLite counts up by itself only in a column declared INTEGER.
DreamId = BigInteger().with_variant(Integer, "sqlite")

dreams = Table(
    "dreams",
    metadata,
    Column("id", DreamId, primary_key=True, autoincrement=True),
    Column("origin", BigInteger, nullable=False, unique=True),  # the interaction: stored only once
    Column("prompt", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("steps", Integer),
    Column("model", String(64), nullable=False),
    Column("author_id", BigInteger, nullable=False),
    Column("guild_id", BigInteger),
    Column("channel_id", BigInteger, nullable=False),
    Column("message_id", BigInteger, unique=True),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("created_at", Float(53), nullable=False),  # seconds since 1970, UTC, here and below
    Column("started_at", Float(53)),
    Column("ended_at", Float(53)),
    Column("owner", String(64)),  # the process that dreams it
    Column("lease_until", Float(53)),
    Column("cancel_asked", Boolean, nullable=False, default=False),
    Column("delivered", Boolean, nullable=False, default=False),
    Column("failure", String(32)),  # an engine.FailureKind
    Column("failure_detail", Text, nullable=False, default=""),
    Column("notice", Text, nullable=False, default=""),
    Column("score", Float(53)),
    Column("best_step", Integer),
    Column("steps_done", Integer),
    Column("seconds", Float(53)),
    Column("recipe", Text, nullable=False, default=""),
    Column("language", String(8), nullable=False, server_default="en"),  # of its message
    Column("moved_at", Float(53)),  # a moderator moved it to the front of its server's line
    Column("flagged", String(64), nullable=False, default="", server_default=""),  # by the safety check
    Column("gallery_channel_id", BigInteger),
    Column("gallery_message_id", BigInteger),
    Column("avoid", Text, nullable=False, server_default=""),
    Column("size", Integer),
    Column("preset", String(16), nullable=False, server_default=""),
    Column("spoiler", Boolean, nullable=False, server_default=false()),
    Column("image_id", BigInteger),  # of `images`
    Column("begin", String(16), nullable=False, server_default="new"),  # an engine.protocol.Begin
    Column("parent_id", BigInteger),  # of `dreams`, as `other_id`
    Column("other_id", BigInteger),
    Column("strength", Float(53), nullable=False, server_default="0.5"),
    Column("chapter", Integer),
    Column("chapters", Integer),
    Column("erased", Boolean, nullable=False, server_default=false()),
    Column("choice_id", BigInteger),  # of `bot.community.choices.choices`
    Column("candidate", Integer, nullable=False, server_default="0"),
    Column("decision", Text, nullable=False, server_default=""),
    Column("most_steps", Integer),
    Column("most_size", Integer),
    Column("cancelled_by", BigInteger),
    Column("nearest", Text, nullable=False, server_default=""),
    Column("to_tell", Boolean, nullable=False, server_default=false()),
    Column("gone", String(16), nullable=False, server_default=""),  # a `bot.dreams.dream.Gone`
    Index("dreams_by_gallery", "gallery_message_id"),
    Index("dreams_by_channel", "guild_id", "channel_id"),
    Index("dreams_by_choice", "choice_id", "candidate"),
    Index("dreams_by_author", "author_id", "id"),
    Index("dreams_by_parent", "parent_id"),
    Index("dreams_by_state", "state", "delivered"),
    Index("dreams_by_time", "created_at"),
)

# Pictures lie in the database (some 50 KB each): a host's disk may be lost at any restart.
pictures = Table(
    "pictures",
    metadata,
    Column("dream_id", DreamId, ForeignKey("dreams.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("content", LargeBinary, nullable=False),
)

# From where a dream can go on: while it is dreamt the newest of its states, afterwards that of its picture.
states = Table(
    "states",
    metadata,
    Column("dream_id", DreamId, ForeignKey("dreams.id", ondelete="CASCADE"), primary_key=True),
    Column("content", LargeBinary, nullable=False),  # some 100 KB
)

# How a dream took shape.
timelapses = Table(
    "timelapses",
    metadata,
    Column("dream_id", DreamId, ForeignKey("dreams.id", ondelete="CASCADE"), primary_key=True),
    Column(
        "content", LargeBinary, nullable=False
    ),  # an animated WebP, up to `bot.queue.worker.TIMELAPSE_BYTES`
)

# Image prompts, as people attached them; dreams that repeat one another share one.
images = Table(
    "images",
    metadata,
    Column("id", DreamId, primary_key=True, autoincrement=True),
    Column("content", LargeBinary, nullable=False),
)

# One row for each reaction that is a vote; a person who gives several is counted once.
votes = Table(
    "votes",
    metadata,
    Column("dream_id", DreamId, ForeignKey("dreams.id", ondelete="CASCADE"), primary_key=True),
    Column("person", BigInteger, primary_key=True, autoincrement=False),
    Column("emoji", String(100), primary_key=True),  # as `bot.community.emoji.written`
    # The copy (a message in a hall of fame or a gallery) under which it stands; 0: the dream's own message.
    Column("copy_id", BigInteger, primary_key=True, autoincrement=False, default=0, server_default="0"),
    # A super reaction: somebody may give one beside a plain one with the same emoji.
    Column("burst", Boolean, primary_key=True, default=False, server_default=false()),
)
