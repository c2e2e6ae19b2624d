"""Tallies: how many people voted for each dream, and how each server's dreamers and prompts stand.

The database keeps them itself, in the transaction that writes the votes, whoever writes. SQLite, where one
writes at a time, counts at each vote. PostgreSQL counts once at a transaction's end, and there one
transaction after the other: so no two wait for each other in turn, whatever they did before.
"""

from collections.abc import Iterator
from time import time

import sqlalchemy as sa
from alembic import op

revision = "tallies"
down_revision = "owed"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_DAY_S = 24 * 3600.0
_BITE = 50_000  # dreams whose votes are counted in one statement
_ONE_BY_ONE = "PERFORM pg_advisory_xact_lock(20214)"  # `bot.database.connection.TALLYING`

# Of a dream `d`: the server in whose rankings it counts.
_RANKED_IN = """CASE WHEN d.state IN ('done', 'cancelled') AND NOT d.erased AND d.gone = ''
    AND d.message_id IS NOT NULL
    AND (d.recipe <> '' OR EXISTS (SELECT 1 FROM pictures WHERE pictures.dream_id = d.id))
    THEN d.guild_id END"""
_FROM_DREAM = {
    "ranked_in": _RANKED_IN,
    "channel_id": "d.channel_id",
    "author_id": "d.author_id",
    "words": "substr(lower(trim(d.prompt)), 1, 300)",  # an index of PostgreSQL's takes some 2,700 bytes
    "flagged": "(d.flagged <> '')",
    "ended_at": "d.ended_at",
}
_COLUMNS = f"dream_id, people, {', '.join(_FROM_DREAM)}, age"
_VALUES = ", ".join(_FROM_DREAM.values())
_READ = (
    *("guild_id", "channel_id", "author_id", "prompt", "ended_at", "flagged"),
    *("state", "erased", "gone", "message_id", "recipe"),
)

_KEYS = "guild_id, kind, key, period, channel_id, flagged"
_PLACES = """
INSERT INTO standings (guild_id, kind, key, period, channel_id, flagged, votes, fewer)
SELECT {row}.ranked_in, k.kind, k.key, p.period, c.channel_id, c.flagged, {sign}{row}.people, -({sign}1)
FROM (SELECT 'dreamer' AS kind, CAST({row}.author_id AS TEXT) AS key
        UNION ALL SELECT 'prompt', {row}.words) AS k,
    (SELECT 0 AS period UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) AS p,
    (SELECT 0 AS channel_id, {false} AS flagged UNION ALL SELECT {row}.channel_id, {row}.flagged) AS c
WHERE p.period >= {row}.age AND {row}.ranked_in IS NOT NULL AND {row}.people > 0
ON CONFLICT (guild_id, kind, key, period, channel_id, flagged) DO UPDATE
    SET votes = standings.votes + excluded.votes, fewer = standings.fewer + excluded.fewer;
"""
_EMPTY = "".join(
    f"""
DELETE FROM standings
WHERE guild_id = OLD.ranked_in AND kind = '{kind}' AND key = {key} AND fewer >= 0;"""
    for kind, key in (("dreamer", "CAST(OLD.author_id AS TEXT)"), ("prompt", "OLD.words"))
)
_MORE = "".join(
    f"""
UPDATE standings SET votes = votes + NEW.people - OLD.people
WHERE guild_id = NEW.ranked_in AND kind = '{kind}' AND key = {key} AND period >= NEW.age
    AND ((channel_id = 0 AND NOT flagged) OR (channel_id = NEW.channel_id AND flagged = NEW.flagged));"""
    for kind, key in (("dreamer", "CAST(NEW.author_id AS TEXT)"), ("prompt", "NEW.words"))
)


def upgrade() -> None:
    op.create_table(
        "tallies",
        sa.Column("dream_id", _ID, sa.ForeignKey("dreams.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("people", sa.Integer, nullable=False),
        sa.Column("ranked_in", sa.BigInteger),
        sa.Column("channel_id", sa.BigInteger, nullable=False),
        sa.Column("author_id", sa.BigInteger, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("flagged", sa.Boolean, nullable=False),
        sa.Column("ended_at", sa.Float(53)),
        sa.Column("age", sa.Integer, nullable=False),
    )
    op.create_table(
        "standings",
        sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(8), primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("period", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("channel_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("flagged", sa.Boolean, primary_key=True),
        sa.Column("votes", sa.BigInteger, nullable=False),
        sa.Column("fewer", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    fill(op.get_bind())
    best = ["age", "people", "ended_at", "dream_id"]
    op.create_index("tallies_by_server", "tallies", ["ranked_in", *best])
    op.create_index("tallies_by_author", "tallies", ["ranked_in", "author_id", *best])
    op.create_index("tallies_by_words", "tallies", ["ranked_in", "words", *best])
    op.create_index("tallies_by_votes", "tallies", [*best, "ranked_in", "channel_id"])
    op.create_index("tallies_by_time", "tallies", ["age", "ended_at"])
    total = sa.text("channel_id = 0")
    op.create_index(
        "standings_by_votes",
        "standings",
        ["guild_id", "kind", "period", "votes", "fewer", "key"],
        sqlite_where=total,
        postgresql_where=total,
    )
    moved = sa.text("moved_at IS NOT NULL")
    op.create_index("dreams_moved", "dreams", ["moved_at"], sqlite_where=moved, postgresql_where=moved)
    leased = sa.text("lease_until IS NOT NULL")
    op.create_index("dreams_leased", "dreams", ["lease_until"], sqlite_where=leased, postgresql_where=leased)
    for statement in triggers(op.get_bind()):
        op.execute(statement)


def fill(connection: sa.Connection) -> None:
    """Count everything anew, where no trigger does.

    Bite by bite, for a server's answer to one statement is waited for a minute at most.
    """
    connection.exec_driver_sql("DELETE FROM standings")
    connection.exec_driver_sql("DELETE FROM tallies")
    now = time()
    first = "SELECT min(dream_id) FROM votes WHERE dream_id >= {}".format
    start = connection.exec_driver_sql(first(0)).scalar()
    while start is not None:
        connection.exec_driver_sql(
            f"""
            INSERT INTO tallies ({_COLUMNS})
            SELECT v.dream_id, v.people, {_VALUES}, CASE WHEN d.ended_at < {now - 30 * _DAY_S} THEN 3
                WHEN d.ended_at < {now - 7 * _DAY_S} THEN 2
                WHEN d.ended_at < {now - _DAY_S} THEN 1 ELSE 0 END
            FROM (SELECT dream_id, count(DISTINCT person) AS people FROM votes
                WHERE dream_id >= {start} AND dream_id < {start + _BITE} GROUP BY dream_id) AS v
            JOIN dreams AS d ON d.id = v.dream_id"""
        )
        start = connection.exec_driver_sql(first(start + _BITE)).scalar()
    false = "false" if connection.dialect.name == "postgresql" else "0"
    places = (("t.channel_id", "t.flagged"), ("0", false))
    for kind, key in (("dreamer", "CAST(t.author_id AS TEXT)"), ("prompt", "t.words")):
        for channel, flagged in places:
            for period in range(4):
                connection.exec_driver_sql(
                    f"""
                    INSERT INTO standings ({_KEYS}, votes, fewer)
                    SELECT t.ranked_in, '{kind}', {key} AS key, {period}, {channel} AS channel_id,
                        {flagged} AS flagged, sum(t.people), -count(*)
                    FROM tallies AS t WHERE t.ranked_in IS NOT NULL AND t.age <= {period}
                    GROUP BY 1, 3, 5, 6"""
                )


def triggers(connection: sa.Connection) -> Iterator[str]:
    """What makes them, and their functions."""
    return _of_postgresql() if connection.dialect.name == "postgresql" else _of_sqlite()


def _places(row: str, sign: str = "", *, false: str) -> str:
    return _PLACES.format(row=row, sign=sign, false=false)


def _standings(same: str, false: str) -> Iterator[tuple[str, str, str, str]]:
    """Of each trigger on a tally its name, when it fires, on which condition, and what it does."""
    columns = ("ranked_in", "channel_id", "author_id", "words", "flagged", "age")
    stays = " AND ".join(f"OLD.{name} {same} NEW.{name}" for name in columns)
    stays = f"(OLD.people > 0 AND NEW.people > 0 AND {stays})"
    less = _places("OLD", "-", false=false)
    more = _places("NEW", false=false)
    yield "standings_begun", "INSERT", "NEW.people > 0", more
    yield "standings_voted", "UPDATE OF people", f"{stays} AND OLD.people <> NEW.people", _MORE
    yield "standings_moved", "UPDATE", f"NOT {stays}", less + more + _EMPTY
    yield "standings_ended", "DELETE", "OLD.people > 0", less + _EMPTY


def _of_sqlite() -> Iterator[str]:
    votes_of_one = "SELECT count(*) FROM votes WHERE dream_id = {row}.dream_id AND person = {row}.person"
    changed = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in _READ)
    news = ", ".join(f"{name} = {value}" for name, value in _FROM_DREAM.items()).replace("d.", "NEW.")
    bodies = {
        "tallies_voted AFTER INSERT ON votes": f"""
            INSERT INTO tallies ({_COLUMNS}) SELECT d.id, 0, {_VALUES}, 0 FROM dreams AS d
            WHERE d.id = NEW.dream_id AND NOT EXISTS (SELECT 1 FROM tallies WHERE dream_id = NEW.dream_id);
            UPDATE tallies SET people = people + 1
            WHERE dream_id = NEW.dream_id AND ({votes_of_one.format(row="NEW")}) = 1;""",
        "tallies_taken_back AFTER DELETE ON votes": f"""
            UPDATE tallies SET people = people - 1
            WHERE dream_id = OLD.dream_id AND ({votes_of_one.format(row="OLD")}) = 0;
            DELETE FROM tallies WHERE dream_id = OLD.dream_id AND people <= 0;""",
        f"tallies_changed AFTER UPDATE OF {', '.join(_READ)} ON dreams WHEN {changed}": f"""
            UPDATE tallies SET {news} WHERE dream_id = NEW.id;""",
    }
    for event, row in (("INSERT", "NEW"), ("DELETE", "OLD")):
        bodies[f"tallies_picture_{event.lower()} AFTER {event} ON pictures"] = f"""
            UPDATE tallies SET ranked_in = (SELECT {_RANKED_IN} FROM dreams AS d WHERE d.id = {row}.dream_id)
            WHERE dream_id = {row}.dream_id;"""
    for name, event, condition, body in _standings("IS", "0"):
        bodies[f"{name} AFTER {event} ON tallies WHEN {condition}"] = body
    for head, body in bodies.items():
        yield f"CREATE TRIGGER {head} BEGIN {body} END"


def _of_postgresql() -> Iterator[str]:
    changes = ", ".join(f"{name} = excluded.{name}" for name in ("people", *_FROM_DREAM))
    yield f"""
        CREATE OR REPLACE FUNCTION oneiro_tally() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE which bigint; BEGIN
            IF TG_TABLE_NAME = 'dreams' THEN which := NEW.id;
            ELSIF TG_OP = 'DELETE' THEN which := OLD.dream_id;
            ELSE which := NEW.dream_id;
            END IF;
            {_ONE_BY_ONE};
            IF EXISTS (SELECT 1 FROM tallies WHERE dream_id = which) THEN
                -- Counted by this very transaction, in whose end nothing changes any more.
                IF EXISTS (SELECT 1 FROM tallies
                    WHERE dream_id = which AND xmin::text = (txid_current() % 4294967296)::text)
                THEN RETURN NULL; END IF;
            ELSIF TG_TABLE_NAME <> 'votes' OR TG_OP = 'DELETE' THEN RETURN NULL;
            END IF;
            DELETE FROM tallies
                WHERE dream_id = which AND NOT EXISTS (SELECT 1 FROM votes WHERE dream_id = which);
            INSERT INTO tallies ({_COLUMNS})
                SELECT d.id, v.people, {_VALUES}, 0
                FROM dreams AS d,
                    (SELECT count(DISTINCT person) AS people FROM votes WHERE dream_id = which) AS v
                WHERE d.id = which AND v.people > 0
                ON CONFLICT (dream_id) DO UPDATE SET {changes};
            RETURN NULL;
        END $$"""
    changed = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in _READ)
    watched = {
        "tallies_voted": ("INSERT OR DELETE ON votes", ""),
        "tallies_picture": ("INSERT OR DELETE ON pictures", ""),
        "tallies_changed": (f"UPDATE OF {', '.join(_READ)} ON dreams", f"WHEN ({changed})"),
    }
    for name, (event, condition) in watched.items():
        yield (
            f"CREATE CONSTRAINT TRIGGER {name} AFTER {event} DEFERRABLE INITIALLY DEFERRED "
            f"FOR EACH ROW {condition} EXECUTE FUNCTION oneiro_tally()"
        )
    for name, event, condition, body in _standings("IS NOT DISTINCT FROM", "false"):
        yield (
            f"CREATE OR REPLACE FUNCTION oneiro_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"{_ONE_BY_ONE}; {body} RETURN NULL; END $$"
        )
        yield (
            f"CREATE TRIGGER {name} AFTER {event} ON tallies FOR EACH ROW WHEN ({condition}) "
            f"EXECUTE FUNCTION oneiro_{name}()"
        )
