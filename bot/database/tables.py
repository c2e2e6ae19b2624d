"""All tables. A change needs a step in `bot.database.migrations`; a test compares.

Times are seconds since 1970, UTC; persons, servers (`guild_id`), channels and messages have Discord's ids.
"""

import secrets
from collections.abc import Iterator
from dataclasses import MISSING, fields
from types import NoneType
from typing import Any, get_args

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
    text,
    true,
)
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import TypeEngine

from bot.dreams.dream import What

metadata = MetaData()

# In every database of ours, also in those that were made without Alembic.
schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True))

# SQLite counts up by itself only in a column declared INTEGER.
_Id = BigInteger().with_variant(Integer, "sqlite")


def new_slug() -> str:
    """By which the web names something: 128 bits, so that nobody finds one by trying."""
    return secrets.token_urlsafe(16)


def _dream_id() -> Column[int]:
    """The key of what belongs to a dream, and goes with it."""
    return Column("dream_id", _Id, ForeignKey("dreams.id", ondelete="CASCADE"), primary_key=True)


_USUAL: dict[Any, TypeEngine[Any]] = {str: Text(), int: Integer(), float: Float(53), bool: Boolean()}
_OWN: dict[str, TypeEngine[Any]] = {
    "seed": BigInteger(),
    "model": String(64),
    "preset": String(16),
    "image_id": BigInteger(),  # of `images`
    "begin": String(16),  # an engine.protocol.Begin
    "parent_id": BigInteger(),  # of `dreams`, as `other_id`
    "other_id": BigInteger(),
}


def _what_is_dreamt() -> Iterator[Column[Any]]:
    """A column for each field of `What`, as its type and default say; only the migration is by hand."""
    for field in fields(What):
        kinds = {field.type, *get_args(field.type)}
        kind = _OWN.get(field.name) or next(usual for plain, usual in _USUAL.items() if plain in kinds)
        yield Column(
            field.name, kind, nullable=NoneType in kinds, server_default=_server_default(field.default)
        )


def _server_default(default: object) -> str | ColumnElement[bool] | None:
    if default is None or default is MISSING:
        return None
    if isinstance(default, bool):
        return true() if default else false()
    return str(default)


dreams = Table(
    "dreams",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("origin", BigInteger, nullable=False, unique=True),  # the interaction: stored only once
    *_what_is_dreamt(),
    Column("author_id", BigInteger, nullable=False),
    Column("guild_id", BigInteger),
    Column("channel_id", BigInteger, nullable=False),
    Column("message_id", BigInteger, unique=True),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("rescues", Integer, nullable=False, server_default="0"),
    Column("created_at", Float(53), nullable=False),
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
    Column("chapter", Integer),
    Column("chapters", Integer),
    Column("erased", Boolean, nullable=False, server_default=false()),
    Column("choice_id", BigInteger),  # of `choices`
    Column("candidate", Integer, nullable=False, server_default="0"),
    Column("decision", Text, nullable=False, server_default=""),
    Column("most_steps", Integer),
    Column("most_size", Integer),
    Column("cancelled_by", BigInteger),
    Column("nearest", Text, nullable=False, server_default=""),
    Column("to_tell", Boolean, nullable=False, server_default=false()),  # of before there was an outbox
    Column("gone", String(16), nullable=False, server_default=""),  # a `bot.dreams.dream.Gone`
    Column("slug", String(22), default=new_slug),  # its name in the web; NULL: stored by an older program
    Index("dreams_by_gallery", "gallery_message_id"),
    Index("dreams_by_channel", "guild_id", "channel_id"),
    Index("dreams_by_choice", "choice_id", "candidate"),
    Index("dreams_by_author", "author_id", "id"),
    Index("dreams_by_parent", "parent_id"),
    Index("dreams_by_other", "other_id"),
    Index(
        "dreams_by_image",
        "image_id",
        sqlite_where=text("image_id IS NOT NULL"),
        postgresql_where=text("image_id IS NOT NULL"),
    ),
    Index("dreams_by_slug", "slug", unique=True),
    Index("dreams_by_state", "state", "delivered"),
    Index("dreams_by_time", "created_at"),
    Index("dreams_in_line", "state", "guild_id", "author_id", "parent_id"),
    Index("dreams_by_server", "guild_id", "created_at"),
    Index("dreams_by_start", "started_at"),
    Index(
        "dreams_moved",
        "moved_at",
        sqlite_where=text("moved_at IS NOT NULL"),
        postgresql_where=text("moved_at IS NOT NULL"),
    ),
    Index(
        "dreams_leased",
        "lease_until",
        sqlite_where=text("lease_until IS NOT NULL"),
        postgresql_where=text("lease_until IS NOT NULL"),
    ),
    Index(
        "dreams_not_delivered",
        "id",
        sqlite_where=text("delivered IS 0"),
        postgresql_where=text("delivered IS false"),
    ),
)

# Pictures lie in the database (some 50 KB each): a host's disk may be lost at any restart.
pictures = Table(
    "pictures",
    metadata,
    _dream_id(),
    Column("kind", String(8), nullable=False),
    Column("content", LargeBinary, nullable=False),
)

# From where a dream can go on: while it is dreamt the newest of its states, afterwards that of its picture.
states = Table(
    "states",
    metadata,
    _dream_id(),
    Column("content", LargeBinary, nullable=False),  # some 100 KB
)

# How a dream took shape.
timelapses = Table(
    "timelapses",
    metadata,
    _dream_id(),
    Column("content", LargeBinary, nullable=False),  # an animated WebP of some MB
)

# Image prompts, as people attached them; dreams that repeat one another share one.
images = Table(
    "images",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("content", LargeBinary, nullable=False),
)

# One row for each reaction that is a vote; a person who gives several is counted once.
votes = Table(
    "votes",
    metadata,
    _dream_id(),
    Column("person", BigInteger, primary_key=True, autoincrement=False),
    Column("emoji", String(100), primary_key=True),  # as `bot.community.emoji.written`
    # The copy (a message in a hall of fame or a gallery) under which it stands; 0: the dream's own message.
    Column("copy_id", BigInteger, primary_key=True, autoincrement=False, default=0, server_default="0"),
    # A super reaction: somebody may give one beside a plain one with the same emoji.
    Column("burst", Boolean, primary_key=True, default=False, server_default=false()),
    Index("votes_by_person", "person"),
)

# How many people voted for each dream that has votes, with what rankings ask of it. The database keeps it
# itself, as it does `standings`: migrations/versions/tallies.py.
_BEST = ("age", "people", "ended_at", "dream_id")
tallies = Table(
    "tallies",
    metadata,
    _dream_id(),
    Column("people", Integer, nullable=False),
    Column("ranked_in", BigInteger),  # the server in whose rankings it counts
    Column("channel_id", BigInteger, nullable=False),
    Column("author_id", BigInteger, nullable=False),
    Column("words", Text, nullable=False),  # of its prompt the first 300 characters, in small letters
    Column("flagged", Boolean, nullable=False),
    Column("ended_at", Float(53)),
    Column("age", Integer, nullable=False),  # `bot.community.ranking.Period.age`, or younger until it is aged
    Index("tallies_by_server", "ranked_in", *_BEST),
    Index("tallies_by_author", "ranked_in", "author_id", *_BEST),
    Index("tallies_by_words", "ranked_in", "words", *_BEST),
    Index("tallies_by_votes", *_BEST, "ranked_in", "channel_id"),
    Index("tallies_by_time", "age", "ended_at"),
)

# The votes of all dreams of a dreamer, or with a prompt, in a server: by period, in each channel, and (with
# channel 0) in all of them, flagged ones included.
standings = Table(
    "standings",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(8), primary_key=True),  # a `bot.community.ranking.By`
    Column("key", Text, primary_key=True),  # the person's id, or the words as in `tallies`
    Column("period", Integer, primary_key=True, autoincrement=False),  # dreams with this age, or less
    Column("channel_id", BigInteger, primary_key=True, autoincrement=False),
    Column("flagged", Boolean, primary_key=True),
    Column("votes", BigInteger, nullable=False),
    # Minus the dreams with votes: of equals those with fewer come first, in one and the same index.
    Column("fewer", BigInteger, nullable=False),
    Index(
        "standings_by_votes",
        "guild_id",
        "kind",
        "period",
        "votes",
        "fewer",
        "key",
        sqlite_where=text("channel_id = 0"),
        postgresql_where=text("channel_id = 0"),
    ),
    sqlite_with_rowid=False,
)

# Dreams that a channel steers, and their votes.
choices = Table(
    "choices",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("origin", BigInteger, nullable=False, unique=True),  # the interaction
    Column("prompt", Text, nullable=False),
    Column("author_id", BigInteger, nullable=False),
    Column("guild_id", BigInteger),
    Column("channel_id", BigInteger, nullable=False),
    Column("message_id", BigInteger, unique=True),
    Column("language", String(8), nullable=False),
    Column("spoiler", Boolean, nullable=False),
    Column("steps", Integer),  # of the dream that goes on
    Column("preset", String(16), nullable=False),  # as `steps`
    Column("size", Integer),  # as `steps`
    Column("state", String(16), nullable=False),
    Column("created_at", Float(53), nullable=False),
    Column("ends_at", Float(53)),
    Column("ended_by", BigInteger),
    Column("decision", Text, nullable=False),
    Column("delivered", Boolean, nullable=False, server_default=false()),
    Index("choices_by_state", "state", "delivered"),
)

# Which dreams hang in their server's hall of fame.
fame = Table(
    "fame",
    metadata,
    _dream_id(),
    Column("guild_id", BigInteger, nullable=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("message_id", BigInteger, unique=True),
    Column("votes", Integer, nullable=False),  # what the message says
    Column("created_at", Float(53), nullable=False),
    Column("removed", Boolean, nullable=False, default=False, server_default=false()),
)

contests = Table(
    "contests",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("guild_id", BigInteger, nullable=False),
    Column("running_in", BigInteger, unique=True),  # the server while it runs: one at a time
    Column("channel_id", BigInteger, nullable=False),
    Column("theme", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("started_by", BigInteger, nullable=False),
    Column("started_at", Float(53), nullable=False),
    Column("ends_at", Float(53), nullable=False),
    Column("winner_id", BigInteger),  # of `dreams`
    Column("winner_votes", BigInteger),
    Column("message_id", BigInteger, unique=True),  # that tells the winner
    Column("told", Boolean, nullable=False, server_default=false()),  # or nobody can be told
    Column("slug", String(22), default=new_slug),  # as a dream's
    Index("contests_by_slug", "slug", unique=True),
)

# What takes part in a contest: one dream a person.
entries = Table(
    "entries",
    metadata,
    Column("contest_id", _Id, ForeignKey("contests.id", ondelete="CASCADE"), primary_key=True),
    Column("person", BigInteger, primary_key=True, autoincrement=False),
    Column("dream_id", _Id, ForeignKey("dreams.id", ondelete="CASCADE"), nullable=False),
    Column("entered_at", Float(53), nullable=False),
    Index("entries_by_dream", "dream_id"),
)

# What people want their dreams to be when they say nothing else; who never said so has no row.
preferences = Table(
    "preferences",
    metadata,
    Column("person", BigInteger, primary_key=True, autoincrement=False),
    Column("preset", String(16), nullable=False, server_default=""),
    Column("size", Integer),
    Column("spoiler", Boolean, nullable=False, server_default=false()),
    Column("language", String(8), nullable=False, server_default=""),
    Column("notice", String(16), nullable=False, server_default="waited"),  # of `bot.dreams.notices.NOTICES`
)

# What people allow the public wall; who never said anything has no row.
privacy = Table(
    "privacy",
    metadata,
    Column("person", BigInteger, primary_key=True, autoincrement=False),
    Column("wall", Boolean, nullable=False),  # their dreams may hang there
    Column("name", String(40), nullable=False),  # under this name, of their own choice; "": nobody's
    Column("page", String(22), unique=True),  # the slug of their own page; NULL: they have no name there
)

# Small pictures for the web, made when somebody first looks.
thumbnails = Table(
    "thumbnails",
    metadata,
    _dream_id(),
    Column("made_from", String(64), nullable=False),  # SHA-256 of the picture
    Column("content", LargeBinary, nullable=False),  # a WebP of some KB
    Column("made_at", Float(53), nullable=False),
    Index("thumbnails_by_time", "made_at"),
)

# To whom which picture was sent.
sendings = Table(
    "sendings",
    metadata,
    Column("person", BigInteger, primary_key=True, autoincrement=False),
    _dream_id(),
    Column("at", Float(53), nullable=False),  # of the last try
    Column("tries", Integer, nullable=False),
    Column("settled", Boolean, nullable=False),  # it arrived, or the person takes no messages
    Index("sendings_by_person", "person", "at"),
)

# Messages that are owed in Discord; see `bot.database.outbox`.
outbox = Table(
    "outbox",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("subject", BigInteger, primary_key=True, autoincrement=False),  # a dream's, a choice's … id
    Column(
        "person", BigInteger, primary_key=True, autoincrement=False
    ),  # whom it is for; 0: its subject says so
    Column("since", Float(53), nullable=False),  # when it was due first
    Column("due_at", Float(53), nullable=False),  # of a row that is in hand: when its lease ends
    Column("tries", Integer, nullable=False),
    Column(
        "begun", Integer, nullable=False, server_default="0"
    ),  # tries, those before it was written anew too
    Column("owner", String(64)),  # the process that has it in hand
    Index("outbox_by_time", "due_at"),
)

# How long dreams took, by machine.
paces = Table(
    "paces",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("machine", String(64), nullable=False),
    Column("model", String(64), nullable=False),
    Column("preset", String(16), nullable=False),
    Column("steps", Integer, nullable=False),
    Column("usual", Boolean, nullable=False),
    Column("lead_s", Float(53), nullable=False),
    Column("step_s", Float(53), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("panels", Integer, nullable=False, server_default="1"),
    Column("load_s", Float(53), nullable=False, server_default="0"),
    Index("paces_by_machine", "machine", "id"),
)

# What the moderators of a server set.
guilds = Table(
    "guilds",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("settings", Text, nullable=False),  # ServerSettings.to_json
    Column("welcomed_at", Float(53)),
)

# Who may not dream in a server.
bans = Table(
    "bans",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("person", BigInteger, primary_key=True, autoincrement=False),
    Column("until", Float(53)),
    Column("reason", Text, nullable=False),
    Column("by", BigInteger, nullable=False),
)

# What moderators did; it only grows.
audit = Table(
    "audit",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("guild_id", BigInteger, nullable=False),
    Column("at", Float(53), nullable=False),
    Column("by", BigInteger, nullable=False),
    Column("what", String(32), nullable=False),
    Column("target", String(64), nullable=False),
    Column("old", Text, nullable=False),
    Column("new", Text, nullable=False),
    Index("audit_by_guild", "guild_id", "id"),
)

# Who reported which dream to the moderators.
reports = Table(
    "reports",
    metadata,
    _dream_id(),
    Column("person", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Float(53), nullable=False),
)

# People of the page, who have no account anywhere else.
people = Table(
    "people",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),  # below Discord's ids: `bot.dreams.local`
    Column("name", String(64), nullable=False),
    Column("folded", String(128), nullable=False, unique=True),  # the name without what the eye overlooks
    Column("digest", String(64), nullable=False, unique=True),  # of the secret in their browser's cookie
    Column("moderates", Boolean, nullable=False, server_default=false()),
    Column("created_at", Float(53), nullable=False),
)

# Who or what is being forgotten, or will be: `bot.keeping.forgetting`. A row stands until that is done.
forgettings = Table(
    "forgettings",
    metadata,
    Column("kind", String(8), primary_key=True),  # a `bot.keeping.forgetting.Kind`
    Column("subject", BigInteger, primary_key=True, autoincrement=False),  # the person or the server
    Column("asked_at", Float(53), nullable=False),
    Column("due_at", Float(53), nullable=False),
    Column("done_at", Float(53)),  # it stands for a moment longer, so that every process hears of it
)

# What only one process does at a time: `bot.keeping.chores`.
chores = Table(
    "chores",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("owner", String(64), nullable=False),  # the process that does it
    Column("until", Float(53), nullable=False),  # it holds it, unless it renews that
)
