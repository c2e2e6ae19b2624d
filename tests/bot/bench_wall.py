"""How quickly a wall of 10,000 dreams answers: `python -m tests.bot.bench_wall`. No test: times are no proof.

Serves the real application over the real store and asks it, one request after the other. Prints the median
and the 99th percentile of each page.
"""

import argparse
import asyncio
import io
import random
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import aiohttp
from aiohttp import web
from PIL import Image
from sqlalchemy import insert, select

from bot.database.tables import dreams, pictures, votes
from bot.dreams.dream import DreamState
from bot.dreams.local import CHANNEL_ID, GUILD_ID
from bot.heart import Heart, build_heart
from bot.settings import Settings
from bot.web.guards.rates import Rate
from bot.web.wall.application import wall_application
from engine import Recipe
from tests.bot.scripted import ScriptedEngine

URL = "http://127.0.0.1"
WORDS = [
    "red",
    "blue",
    "green",
    "house",
    "sea",
    "tree",
    "fox",
    "castle",
    "moon",
    "boat",
    "hill",
    "river",
    "snow",
    "fire",
    "bird",
]
UNLIMITED = Rate(1e9, 1e9)


async def fill(heart: Heart, count: int, chance: random.Random) -> None:
    """So many dreams of a hundred channels and people, with a picture and some votes each."""
    files = []
    for _ in range(8):
        file = io.BytesIO()
        noise = Image.effect_noise((128, 128), 40).convert("RGB")
        noise.resize((512, 512), Image.Resampling.NEAREST).save(file, "PNG")  # some 30 KB
        files.append(file.getvalue())
    rows = []
    for id in range(1, count + 1):
        prompt = " ".join(chance.sample(WORDS, 4))
        recipe = Recipe(prompt, id, 120, "pocket", "gan", "clip", "0.1.0", {"size": 512, "cutouts": 32})
        rows.append(
            {
                "id": id, "origin": id, "prompt": prompt, "seed": id, "model": "pocket", "author_id": id % 97,
                "guild_id": GUILD_ID, "channel_id": CHANNEL_ID - id % 100, "message_id": id, "attempts": 1,
                "state": DreamState.DONE, "created_at": id * 60.0, "started_at": id * 60.0,
                "ended_at": id * 60.0 + 9, "delivered": True, "score": 30.0, "recipe": recipe.to_json(),
                "steps": None, "begin": "vary" if id % 5 == 0 else "new",
                "parent_id": id - 1 if id % 5 == 0 else None,
            }
        )  # fmt: skip
    ballots = {(id, chance.randrange(500)) for id in range(1, count + 1) for _ in range(chance.randrange(6))}
    async with heart.database.transaction() as connection:
        for start in range(0, count, 1000):
            part = rows[start : start + 1000]
            await connection.execute(insert(dreams), part)
            shots = [{"dream_id": r["id"], "kind": "png", "content": files[r["id"] % 8]} for r in part]
            await connection.execute(insert(pictures), shots)
        cast = [{"dream_id": id, "person": person + 1000, "emoji": "⭐"} for id, person in ballots]
        await connection.execute(insert(votes), cast)


async def measured(session: aiohttp.ClientSession, addresses: list[str]) -> list[float]:
    """Milliseconds of each answer."""
    found = []
    for address in addresses:
        started = perf_counter()
        async with session.get(address) as answer:
            await answer.read()
            assert answer.status == 200, (address, answer.status)
        found.append(1000 * (perf_counter() - started))
    return found


def say(name: str, times: list[float]) -> None:
    ordered = sorted(times)
    late = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(  # noqa: T201 (that is what it is for)
        f"{name:28} median {statistics.median(ordered):7.1f} ms   99th percentile {late:7.1f} ms", flush=True
    )


async def run(count: int, asked: int, folder: Path) -> None:
    chance = random.Random(1)
    settings = Settings.read({"DATA_DIR": str(folder), "WALL_URL": URL})
    heart = build_heart(settings, engines=[ScriptedEngine()])
    await heart.database.open()
    await heart.moderation.start()
    await heart.moderation.change(GUILD_ID, by=1, change=lambda old: replace(old, wall=True))
    await fill(heart, count, chance)
    runner = web.AppRunner(wall_application(heart, url=URL, reads=UNLIMITED), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with heart.database.transaction() as connection:
        slugs = list(await connection.scalars(select(dreams.c.slug)))
    chosen = [chance.choice(slugs) for _ in range(asked)]
    async with aiohttp.ClientSession() as session:
        pages = {
            "newest": ["/"] * asked,
            "further on": [f"/?after={slug}" for slug in chosen],
            "a word": [f"/?words={chance.choice(WORDS)}" for _ in chosen],
            "words that nobody used": [f"/?words=nonesuch{i}" for i in range(asked)],
            "best of all time": ["/best/ever"] * asked,
            "a dream": [f"/d/{slug}" for slug in chosen],
            "feed": ["/feed.atom"] * asked,
            "thumbnail, made first": [f"/t/{slug}.webp" for slug in dict.fromkeys(chosen)],
            "thumbnail, kept": [f"/t/{slug}.webp" for slug in chosen],
            "newest, thumbnails kept": ["/"] * asked,
        }
        await measured(session, ["/" if not base else f"{base}/"])  # templates are read
        for name, paths in pages.items():
            say(name, await measured(session, [base + path for path in paths]))
    await runner.cleanup()
    await heart.wall.close()
    await heart.database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure a large public wall.")
    parser.add_argument("--dreams", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=300, help="of each kind")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(given.dreams, given.requests, Path(folder)))


if __name__ == "__main__":
    main()
