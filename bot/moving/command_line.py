"""`python -m bot export FILE` and `python -m bot import FILE`: what they take, do and say."""

import argparse
import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from time import monotonic

from tqdm import tqdm

from bot.database.connection import Database, StoreError
from bot.database.tables import dreams
from bot.moving.export_file import BadExport, Contents
from bot.moving.exporting import Progress, export
from bot.moving.importing import import_
from bot.objects.address import opened
from bot.settings import Settings
from bot.stopping import SIGNALS

# Exit codes (sysexits.h).
DONE, BAD_FILE, NO_FILE, NOT_WRITTEN, NO_DATABASE, BROKEN_OFF = 0, 65, 66, 73, 74, 130

_EXPORT = """\
Writes everything that is in the database (the one that DATABASE_URL names) into FILE, as it is at this
moment, with what lies in the object store (OBJECTS_URL). The bot may go on running. Only you can read the
file; it holds people's words and pictures.
"""
_IMPORT = """\
Fills the database that DATABASE_URL names, which must be empty, with an export: all of it, or nothing.
Exports of older versions are brought to this one's form. SQLite's go to PostgreSQL, and the other way round.
No bot may run on the database meanwhile. Dreams that were being dreamt wait in line again.
"""
_HELP = {
    "export": "write everything in the database into a file, also while the bot runs",
    "import": "fill an empty database with an export",
}


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Let a command line take them; without one the bot runs."""
    commands = parser.add_subparsers(dest="command", metavar="export | import", title="back-up and move")
    for name, said in (("export", _EXPORT), ("import", _IMPORT)):
        command = commands.add_parser(name, help=_HELP[name], description=said)
        command.add_argument("file", metavar="FILE", type=Path, help="a zip, whatever its name")
        if name == "export":
            command.add_argument("--force", action="store_true", help="replace FILE if it exists")


def run(given: argparse.Namespace, settings: Settings) -> tuple[str, int]:
    """Do what the command line says. Gives a sentence and an exit code."""
    for number in SIGNALS:  # an interrupted export leaves nothing behind
        signal.signal(number, signal.default_int_handler)
    path: Path = given.file
    begun = monotonic()
    try:
        if given.command == "export":
            contents = asyncio.run(_export(settings, path, replace=given.force))
            size = f"{path.stat().st_size / 2**20:,.1f} MiB"
            return f"Exported {_sum(contents)} to {path}: {size}, {monotonic() - begun:.0f} s.", DONE
        contents = asyncio.run(_import(settings, path))
        return f"Imported {_sum(contents)} from {path}: {monotonic() - begun:.0f} s.", DONE
    except BadExport as error:
        return str(error), BAD_FILE
    except StoreError as error:
        return str(error), NO_DATABASE
    except FileExistsError:
        return f"{path} exists already; --force replaces it.", NOT_WRITTEN
    except OSError as error:
        done, code = ("written", NOT_WRITTEN) if given.command == "export" else ("read", NO_FILE)
        return f"{path} cannot be {done}: {error.strerror}.", code
    except KeyboardInterrupt:
        return f"The {given.command} was broken off; nothing is changed.", BROKEN_OFF


def _sum(contents: Contents) -> str:
    return f"{contents.tables[dreams.name].rows:,} dreams ({contents.rows:,} rows in all)"


async def _export(settings: Settings, path: Path, *, replace: bool) -> Contents:
    async with _closed(settings) as database:
        with _shown("Exporting") as progress:
            objects = opened(settings.objects)
            return await export(database, path, objects=objects, replace=replace, progress=progress)


async def _import(settings: Settings, path: Path) -> Contents:
    async with _closed(settings) as database:
        with _shown("Importing") as progress:
            return await import_(database, path, progress=progress)


@asynccontextmanager
async def _closed(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.database_url)
    try:
        yield database
    finally:
        await database.close()


@contextmanager
def _shown(what: str) -> Iterator[Progress]:
    """A progress bar, where there is a terminal to show it."""
    with tqdm(desc=what, unit=" rows", disable=None, leave=False) as bar:

        def progress(done: int, of: int) -> None:
            bar.total = of
            bar.update(done - bar.n)

        yield progress
