"""How the tables came to be, one step after the other (Alembic), and bringing a database to the newest one.

A step is a file in `versions/`, named by what it brings; its `down_revision` names the step before it: one
chain with one end. It spells its tables out and imports none, for those go on changing. What it adds to a
table that exists has a `server_default`: a process of the older program may still be writing. Votes are
counted by triggers (`tallies`), and others note which objects rows referred to (`objects`): they go with a
table that is made anew, so whoever does that makes them again.
"""

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, create_engine, inspect

# What `versions/first.py` stands for, up to itself.
_UNRELEASED = {"first", "language", "moderation", "dream_options", "choices", "community", "preferences"}
_UNRELEASED |= {"gallery", "paces", "notices", "nearest", "panels", "most"}


class _Steps(logging.Filter):
    """Of what Alembic tells, the steps; how it talks to the database it would say again at each look."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno != logging.INFO or record.getMessage().startswith("Running ")


logging.getLogger("alembic.runtime.migration").addFilter(_Steps())


class UnknownTables(Exception):
    """The database was made by a newer version of Oneiro; please update this one."""


class UnreleasedTables(UnknownTables):
    """The database was made before Oneiro's first release and cannot be read; please start with a new one."""


def is_current(connection: Connection) -> bool:
    """Whether the tables are in their newest form. Raises `UnknownTables`."""
    return step_of(connection) == newest_step()


def step_of(connection: Connection) -> str | None:
    """Which step brought the tables to their form; None: there are none. Raises `UnknownTables`."""
    # Asked before the step is: another process that makes the tables just now may come to its end in between.
    has_tables = inspect(connection).has_table("schema_version")
    heads = set(MigrationContext.configure(connection).get_current_heads())
    if heads & _UNRELEASED or (has_tables and not heads):
        raise UnreleasedTables
    if heads - steps():
        raise UnknownTables
    return next(iter(heads), None)


def newest_step() -> str | None:
    """The last step of the chain."""
    return _chain().get_current_head()


def steps() -> set[str]:
    """All steps that this program knows."""
    return {step.revision for step in _chain().walk_revisions()}


def upgrade(connection: Connection, step: str = "head") -> None:
    """Take all steps that are missing (up to this one), within the connection's transaction.

    Raises `UnknownTables`.
    """
    if not is_current(connection):  # else another process was quicker
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, step)


def tables_at(step: str) -> MetaData:
    """The tables as this step left them, as SQLite describes them, with what the steps themselves need."""
    engine = create_engine("sqlite://")
    found = MetaData()
    with engine.begin() as connection:
        upgrade(connection, step)
        found.reflect(connection)
    engine.dispose()
    return found


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def _chain() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
