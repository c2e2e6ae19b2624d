"""How the tables came to be, one step after the other (Alembic), and bringing a database to the newest one.

A step is a file in `versions/`, named by what it brings; its `down_revision` names the step before it: one
chain with one end. It spells its tables out and imports none, for those go on changing. What it adds to a
table that exists has a `server_default`: a process of the older program may still be writing.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

FIRST = "first"  # the tables of version 1, which were made without Alembic


class NewerTables(Exception):
    """The database has steps that this program does not know."""


def is_current(connection: Connection) -> bool:
    """Whether the tables are in their newest form. Raises `NewerTables`."""
    steps = _steps()
    heads = set(MigrationContext.configure(connection).get_current_heads())
    if heads - {step.revision for step in steps.walk_revisions()}:
        raise NewerTables
    if not heads and _version(connection) > 1:
        raise NewerTables
    return heads == set(steps.get_heads())


def upgrade(connection: Connection) -> None:
    """Take all steps that are missing, within the connection's transaction. Raises `NewerTables`."""
    if is_current(connection):  # another process was quicker
        return
    config = _config()
    config.attributes["connection"] = connection
    if not MigrationContext.configure(connection).get_current_heads() and _version(connection) == 1:
        command.stamp(config, FIRST)
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def _steps() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _version(connection: Connection) -> int:
    """What the program wrote that made the tables; 0: there are none."""
    if not inspect(connection).has_table("schema_version"):
        return 0
    return connection.scalar(text("SELECT max(version) FROM schema_version")) or 0
