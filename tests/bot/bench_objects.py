"""`python -m tests.bot.bench_objects`: what an object store changes, with dreams as large as ours are.

In the database, in a folder, and in a bucket of a real server where SeaweedFS is installed: the size of the
database's file, how long the end of a dream takes, how long pictures take on their way to the page, and how
long what lies in the database is on its way into the store.
"""

import argparse
import asyncio
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

from bot.database.file import file_size
from bot.dreams.dream import DreamState, Picture, Wish
from bot.dreams.local import GUILD_ID
from bot.keeping.objects import ObjectKeeper
from bot.objects.address import ObjectsAddress
from bot.settings import Settings
from engine import Finished, Recipe
from tests.bot.s3 import NoServer, S3Server
from tests.bot.web.conftest import House

PICTURE, STATE, FILM = 100_000, 100_000, 200_000  # bytes: bot/README.md


async def measure(settings: Settings, count: int) -> None:
    """Let so many dreams end, and look at each tenth's picture on the page."""
    house = await House(settings).open()
    await house.heart.object_keeper.close()
    await house.heart.worker.close()  # who ends dreams here is none of its engines
    store, chance = house.heart.store, random.Random(1)
    ends: list[float] = []
    for number in range(1, count + 1):
        dream = await store.add(wish(number))
        await store.claim(dream.id, lease_s=60)
        recipe = Recipe(dream.prompt, number, 120, "pocket", "gan", "clip", "0.1.0")
        end = Finished(
            str(number), recipe, 31.5, 90, 120, 9.0, False, chance.randbytes(PICTURE),
            state=chance.randbytes(STATE), timelapse=chance.randbytes(FILM),
        )  # fmt: skip
        began = perf_counter()
        await store.finish(dream.id, DreamState.DONE, finished=end, picture=Picture(end.picture, "png"))
        ends.append(perf_counter() - began)
        await store.set_delivered(dream.id)
    visitor = await house.visitor("Ada")
    looks: list[float] = []
    for number in range(1, count + 1, 10):
        began = perf_counter()
        async with await visitor.get(f"/dreams/{number}/picture") as answer:
            assert answer.status == 200 and len(await answer.read()) == PICTURE
        looks.append(perf_counter() - began)
    async with house.heart.database.transaction() as connection:
        size = await file_size(connection)
    elsewhere = await house.heart.contents.size()
    say("  database", f"{size.total / 1e6:,.1f} MB, and {elsewhere / 1e6:,.1f} MB in the store")
    say("  end of a dream", milliseconds(ends))
    say("  picture on the page", milliseconds(looks))
    await house.close()


async def move(settings: Settings) -> None:
    """All that lies in the database goes into the store."""
    house = await House(settings).open()
    heart = house.heart
    await heart.object_keeper.close()
    began = perf_counter()
    keeper = ObjectKeeper(database=heart.database, owner="bench", contents=heart.contents)
    await keeper.enforce()
    took_s = perf_counter() - began
    async with heart.database.transaction() as connection:
        size = await file_size(connection)
    moved = await heart.contents.size() / 1e6
    say(
        "  moved out of the database",
        f"{moved:,.0f} MB in {took_s:.1f} s; it has {size.total / 1e6:,.1f} MB left",
    )
    await house.close()


def wish(number: int) -> Wish:
    return Wish(
        prompt=f"a bowl of cherries, number {number}", seed=number, model="pocket", author_id=11,
        guild_id=GUILD_ID, channel_id=2, origin=10**9 + number,
    )  # fmt: skip


def milliseconds(taken: list[float]) -> str:
    late = quantiles(taken, n=100)[-1]
    return f"{median(taken) * 1000:.1f} ms (median), {late * 1000:.1f} ms (99th percentile)"


def say(what: str, told: str) -> None:
    print(f"{what:28}{told}", flush=True)  # noqa: T201


@contextmanager
def server() -> Iterator[S3Server | None]:
    try:
        found = S3Server()
    except NoServer as error:
        say("no bucket", str(error))
        yield None
        return
    try:
        found.start()
        yield found
    finally:
        found.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dreams", type=int, default=1000)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="oneiro-objects-"))
    try:
        with server() as s3:
            places = {"in the database": ObjectsAddress(), "in a folder": ObjectsAddress(folder / "objects")}
            if s3 is not None:
                places["in a bucket"] = s3.address()
            for number, (name, objects) in enumerate(places.items()):
                say(f"{given.dreams:,} dreams, {name}", "")
                (folder / str(number)).mkdir()
                settings = Settings.read({"DATA_DIR": str(folder / str(number))})
                asyncio.run(measure(replace(settings, objects=objects), given.dreams))
            first = Settings.read({"DATA_DIR": str(folder / "0")})
            asyncio.run(move(replace(first, objects=ObjectsAddress(folder / "moved"))))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
