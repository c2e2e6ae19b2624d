"""`python -m tests.bot.bench_move`: how long a large database is on its way, and with how much memory.

SQLite → file → PostgreSQL → file → SQLite, by the real command line in processes of their own; afterwards
both SQLite databases are compared row by row, and both files.
"""

import argparse
import asyncio
import hashlib
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import insert

from bot.database.connection import Database
from bot.database.tables import dreams, images, metadata, pictures, states, timelapses, votes
from bot.dreams.dream import DreamState
from bot.moving.export_file import CONTENTS
from bot.settings import Settings
from engine import Recipe
from tests.bot.postgres import Cluster

BATCH = 500


def a_dream(id: int) -> dict[str, Any]:
    """A finished one."""
    prompt = f"a bowl of cherries, number {id}, in the evening light"
    recipe = Recipe(prompt, id, 120, "pocket", "gan", "clip", "0.1.0", {"size": 512, "cutouts": 32})
    return {
        "id": id, "origin": 2**62 + id, "prompt": prompt, "seed": id, "model": "pocket",
        "author_id": 2**60 + id % 997, "guild_id": 2**61 + id % 500, "channel_id": 2**61 + id % 2000,
        "message_id": 2**62 + id, "state": DreamState.DONE, "attempts": 1, "created_at": 1e9 + id * 60.0,
        "started_at": 1e9 + id * 60.0 + 3.3, "ended_at": 1e9 + id * 60.0 + 13.7, "delivered": True,
        "score": 30 + id % 7 / 3, "best_step": 119, "steps_done": 120, "seconds": 9.1,
        "recipe": recipe.to_json(), "steps": None, "image_id": id if id % 50 == 0 else None,
    }  # fmt: skip


async def build(url: str, count: int, *, picture: int, state: int, timelapse: int) -> None:
    """So many finished dreams, each with a picture, three votes, and, of each tenth, state and time-lapse."""
    database = Database(url)
    await database.open()
    chance = random.Random(1)
    for start in range(1, count + 1, BATCH):
        ids = range(start, min(start + BATCH, count + 1))

        def blobs(size: int, every: int, ids: range = ids) -> list[dict[str, Any]]:
            return [{"dream_id": id, "content": chance.randbytes(size)} for id in ids if id % every == 0]

        async with database.transaction() as connection:
            await connection.execute(insert(dreams), [a_dream(id) for id in ids])
            await connection.execute(insert(pictures), [each | {"kind": "png"} for each in blobs(picture, 1)])
            cast = [{"dream_id": id, "person": 2**60 + p, "emoji": "⭐"} for id in ids for p in range(3)]
            await connection.execute(insert(votes), cast)
            prompts = [{"id": each["dream_id"], "content": each["content"]} for each in blobs(picture, 50)]
            for table, rows in (
                (states, blobs(state, 10)),
                (timelapses, blobs(timelapse, 10)),
                (images, prompts),
            ):
                if rows:
                    await connection.execute(insert(table), rows)
    await database.close()


def run(command: str, file: Path, url: str) -> None:
    """One step of the way; says how long it took and its process' peak memory."""
    environ = {**os.environ, "DATABASE_URL": url}
    begun = perf_counter()
    with subprocess.Popen([sys.executable, "-m", "bot", command, str(file)], env=environ) as child:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, child.returncode
    kind = url.partition(":")[0]
    took, cpu = perf_counter() - begun, usage.ru_utime + usage.ru_stime
    say(
        f"{command} {kind:10} {took:7.1f} s, {cpu:6.1f} s of it computing   "
        f"peak {usage.ru_maxrss / 1024:5.0f} MiB"
    )


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 (that is what it is for)


def digest(file: Path) -> dict[str, str]:
    """Of each table in an export."""
    found = {}
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if name != CONTENTS:  # which says when it was made
                with archive.open(name) as member:
                    found[name] = hashlib.file_digest(member, "sha256").hexdigest()  # type: ignore[arg-type]
    return found


def differing(one: Path, other: Path) -> list[str]:
    """The tables that are not equal, row by row, in two SQLite databases."""
    with sqlite3.connect(one) as connection:
        connection.execute("ATTACH ? AS other", (str(other),))
        found = []
        for table in metadata.sorted_tables:
            counts = [
                connection.execute(f"SELECT count(*) FROM {schema}.{table.name}").fetchone()
                for schema in ("main", "other")
            ]
            differs = connection.execute(
                f"SELECT * FROM main.{table.name} EXCEPT SELECT * FROM other.{table.name} LIMIT 1"
            )
            if counts[0] != counts[1] or differs.fetchone():
                found.append(table.name)
    connection.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bot.bench_move", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--dreams", type=int, default=100_000)
    parser.add_argument("--picture", type=int, default=8_000, help="bytes")
    parser.add_argument("--state", type=int, default=8_000, help="bytes, of each tenth dream")
    parser.add_argument("--timelapse", type=int, default=40_000, help="bytes, of each tenth dream")
    given = parser.parse_args()
    cluster = Cluster()
    cluster.start()
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            urls = {"from": f"sqlite:///{folder}/from.db", "to": f"sqlite:///{folder}/to.db"}
            begun = perf_counter()
            sizes = {"picture": given.picture, "state": given.state, "timelapse": given.timelapse}
            url = Settings.read({"DATABASE_URL": urls["from"]}).database_url
            asyncio.run(build(url, given.dreams, **sizes))
            size = (folder / "from.db").stat().st_size / 2**20
            say(f"{given.dreams:,} dreams, {size:,.0f} MiB in SQLite: made in {perf_counter() - begun:.0f} s")
            server = cluster.url(cluster.create())
            first, second = folder / "first.zip", folder / "second.zip"
            run("export", first, urls["from"])
            run("import", first, server)
            run("export", second, server)
            run("import", second, urls["to"])
            assert digest(first) == digest(second), "the exports differ"
            different = differing(folder / "from.db", folder / "to.db")
            assert not different, different
            say(f"every row is equal; {first.stat().st_size / 2**20:,.0f} MiB a file")
    finally:
        cluster.close()


if __name__ == "__main__":
    main()
