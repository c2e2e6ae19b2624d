"""For whoever hosts: ready or why not, numbers for Prometheus, a page with charts, where they are."""

import json
import logging
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.heart import Heart, build_heart
from bot.logs import JsonLines
from bot.settings import Listen, Settings
from bot.web.sites import NO_DISCORD, AddressTaken, Sites
from bot.web.status.measurements import ENGINE_STATES
from engine import Failed, FailureKind
from tests.bot.scripted import ScriptedEngine, until


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'oneiro.db'}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


class Host:
    """A heart with its sites open."""

    def __init__(self, settings: Settings) -> None:
        self.status = f"http://{settings.status_listen}"
        self.wall = f"http://{settings.wall_listen}"
        self.engine = ScriptedEngine()
        self.heart: Heart = build_heart(settings, engines=[self.engine])
        self.sites = Sites(self.heart, settings)

    async def get(self, address: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as session, session.get(address) as answer:
            return answer.status, await answer.text()

    async def metrics(self) -> dict[str, float]:
        _, text = await self.get(f"{self.status}/metrics")
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return {"".join((one.name, *one.labels.values())): one.value for one in samples}


@pytest.fixture
async def host(prepared: Settings) -> AsyncIterator[Host]:
    here = (Listen("127.0.0.1", free_port()), Listen("127.0.0.1", free_port()))
    host = Host(replace(prepared, status_listen=here[0], wall_listen=here[1], wall_url="http://localhost"))
    await host.heart.database.open()
    await host.sites.open()
    try:
        yield host
    finally:
        await host.sites.close()
        await host.heart.end()
        await host.heart.database.close()


async def test_it_is_ready_once_everything_works_and_says_why_not(host: Host) -> None:
    status, why = await host.get(f"{host.status}/healthz")
    assert status == 503 and "starting" in why
    await host.heart.begin()
    assert await host.get(f"{host.status}/healthz") == (200, "ready\n")
    connected = False
    host.sites.watch_discord(lambda: connected, lambda: 0.05)
    assert await host.get(f"{host.status}/healthz") == (503, f"{NO_DISCORD}\n")
    connected = True
    assert (await host.get(f"{host.status}/healthz"))[0] == 200
    await host.heart.database.close()
    status, why = await host.get(f"{host.status}/healthz")
    assert status == 503 and "stopping" in why


async def test_numbers_follow_what_happens(host: Host, a_wish) -> None:  # type: ignore[no-untyped-def]
    await host.heart.begin()
    host.sites.watch_discord(lambda: True, lambda: 0.05)
    before = await host.metrics()
    assert before["oneiro_line_length"] == 0 and before["oneiro_heartbeat_seconds"] == 0.05
    dream = await host.heart.worker.submit(a_wish())
    await host.heart.worker.submit(a_wish())
    await host.engine.dreams(dream.id)
    host.engine.step()
    now = await host.metrics()
    assert now["oneiro_line_length"] == 1
    assert [now[f"oneiro_engines{state}"] for state in ENGINE_STATES] == [1, 0, 0]
    host.engine.finish()
    await until(lambda: bool(host.engine.requests[1:]))
    after = await host.metrics()
    assert after["oneiro_dreams_totaldone"] == 1 and after["oneiro_stored_dreamsdone"] == 1
    assert after["oneiro_dream_seconds_countwaiting"] == 1 and after["oneiro_steps_per_second_count"] == 1
    host.heart.audiences.heard(dream, Failed(str(dream.id), FailureKind.CRASH))
    host.heart.votes.on_change[0](dream, 1)
    last = await host.metrics()
    assert last["oneiro_engine_restarts_total"] == 1 and last["oneiro_vote_changes_total"] == 1
    assert last["oneiro_database_errors"] == 0


async def test_the_status_page_is_read_by_people(host: Host, a_wish) -> None:  # type: ignore[no-untyped-def]
    await host.heart.begin()
    status, text = await host.get(f"{host.status}/status")
    assert status == 200 and "Everything works." in text and text.count("<svg") == 3
    assert "style=" not in text
    assert "<dd>0 / 1</dd>" in text


async def test_nothing_of_it_is_public_unless_it_was_switched_on(host: Host, prepared: Settings) -> None:
    await host.heart.begin()
    for path in ("healthz", "metrics", "status"):
        assert (await host.get(f"{host.wall}/{path}"))[0] == 404
    assert (await host.get(f"{host.wall}/"))[0] == 200
    listen = Listen("127.0.0.1", free_port())
    shown = Sites(
        host.heart, replace(prepared, wall_url="http://localhost", wall_listen=listen, status_on_wall=True)
    )
    await shown.open()
    assert (await host.get(f"http://{listen}/healthz"))[0] == 200
    assert (await host.get(f"http://{listen}/metrics"))[0] == 200
    await shown.close()
    assert not Sites(host.heart, prepared)._made, "all of it is off by default"


async def test_an_address_that_is_taken_is_named_with_its_setting(host: Host, prepared: Settings) -> None:
    taken = Sites(
        host.heart, replace(prepared, status_listen=Listen("127.0.0.1", int(host.status[-5:].strip(":"))))
    )
    with pytest.raises(AddressTaken, match="STATUS_LISTEN"):
        await taken.open()
    await taken.close()


def test_a_log_for_programs_is_one_object_a_line() -> None:
    try:
        raise ValueError("a\nb")
    except ValueError as error:
        record = logging.LogRecord("bot", logging.ERROR, "x.py", 1, "dream %d: è\n", (7,), None)
        record.exc_info = (type(error), error, error.__traceback__)
    told = JsonLines().format(record)
    assert "\n" not in told
    read = json.loads(told)
    assert read["message"] == "dream 7: è\n" and "ValueError" in read["traceback"]


@pytest.mark.parametrize("text", ["localhost:8090", "127.0.0.1:1", "[::1]:8090"])
def test_an_address_is_read_as_it_is_written(text: str) -> None:
    assert str(Settings.read({"STATUS_LISTEN": text}).status_listen) == text
