"""How fast /dream is answered while the engine works, and what the processes weigh.

`python -m tests.bot.latency`; not a test: it prints figures. The bot is the real process,
with the real engine and the embedded models.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

from tests.bot.bot_process import BotProcess, memory, some_model
from tests.discord_server import DiscordServer

LONG = 2000  # steps of the dream that keeps the engine busy


async def measure(count: int) -> str:
    """The figures of `count` answers, as a few lines of text."""
    with tempfile.TemporaryDirectory() as folder:
        async with DiscordServer(heartbeat_interval_s=1.0) as server:
            model = some_model(Path(folder) / "data")
            settings = {"WAITING_IN_ALL": str(count + 1), "DREAM_MODEL": model}
            async with BotProcess(Path(folder), **server.environment(), **settings) as bot:
                await server.wait(lambda: "dream" in server.commands(), "/dream", timeout_s=60)
                await server.wait(lambda: server.gateway.online, "a connection")
                ada = server.person("Ada")
                first = await server.slash(ada, server.channel, "dream", prompt="a lighthouse", steps=LONG)
                await server.wait(
                    lambda: any(m.attachments for m in server.messages()), "a frame", timeout_s=300
                )
                latencies = []
                for number in range(count):
                    person = server.person(f"Person {number}")
                    answer = await server.slash(person, server.channel, "dream", prompt=f"{number} cherries")
                    latencies.append(answer.latency_s)
                assert bot.engine_pid is not None
                weights = [memory(bot.pid), memory(bot.engine_pid)]
                gap_s = server.gateway.longest_gap_s()
    lines = [
        f"models: {model}",
        f"first answer, while the engine loads: {first.latency_s * 1000:.0f} ms",
        f"{count} answers while the engine works: median {statistics.median(latencies) * 1000:.0f} ms, "
        f"worst {max(latencies) * 1000:.0f} ms",
        f"longest time between heartbeats (interval 1 s): {gap_s:.2f} s",
    ]
    for name, (now, peak) in zip(("bot", "engine"), weights, strict=True):
        lines.append(f"memory of the {name}: {now:.0f} MiB, at its peak {peak:.0f} MiB")
    return "\n".join(lines + [f"problem: {problem}" for problem in server.problems])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50, help="how many answers to measure (default: 50)")
    sys.stdout.write(asyncio.run(measure(parser.parse_args().count)) + "\n")
