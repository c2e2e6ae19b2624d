"""PostgreSQL: a server that dies, is late, silent, full or refuses us loses nothing and is named."""

import asyncio
import gc
import socket
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, closing

import pytest
from sqlalchemy import insert, text

from bot.database.connection import (
    CONNECTIONS,
    MODERATING,
    Database,
    StoreAway,
    StoreBusy,
    StoreError,
    StoreFull,
    alone,
)
from bot.database.tables import votes
from bot.dreams.dream import DreamState, Picture, Wish
from bot.dreams.store import Store
from bot.settings import Settings
from engine import Finished, Recipe
from tests.bot.postgres import Cluster, NoServer, Pooler
from tests.bot.rig import Rig
from tests.bot.scripted import until

A_WISH = Callable[..., Wish]
RECIPE = Recipe("a house", 7, 100, "pocket", "gan", "clip", "0.1.0")
FINISHED = Finished("1", RECIPE, 31.5, 90, 100, 42.0, False, b"png")
FULL_DISK = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full';
END $$
"""
NO_PICTURE = "CREATE TRIGGER full_disk BEFORE INSERT ON pictures EXECUTE FUNCTION full_disk()"


@pytest.fixture
def on_server(cluster: Cluster, newest: str) -> Iterator[str]:
    """These tests may stop the server."""
    yield newest
    cluster.stop()
    cluster.start()
    cluster.empty(newest)


@pytest.fixture
def database_url(cluster: Cluster, on_server: str) -> str:
    return cluster.url(on_server)


async def trouble(url: str) -> StoreError:
    """What somebody reads who starts the bot with this address."""
    database = Database(Settings.read({"DATABASE_URL": url}).database_url, starting_s=0.0)
    try:
        with pytest.raises(StoreError) as caught:
            await database.open()
    finally:
        await database.close()
    assert "secret" not in str(caught.value)
    return caught.value


async def test_a_server_that_dies_and_comes_back_has_lost_nothing(
    cluster: Cluster, store: Store, a_wish: A_WISH
) -> None:
    dream = await store.add(a_wish())
    cluster.stop()
    for _ in range(3):
        with pytest.raises(StoreAway):
            await store.add(a_wish())
    cluster.start()
    assert await store.waiting() == [dream]
    await store.add(a_wish())


async def test_a_transaction_whose_server_dies_leaves_nothing_behind(
    cluster: Cluster, database: Database, store: Store, a_wish: A_WISH
) -> None:
    dream = await store.add(a_wish())
    with pytest.raises(StoreAway):
        async with database.transaction() as connection:
            await connection.execute(insert(votes).values(dream_id=dream.id, person=1, emoji="⭐"))
            cluster.stop()
            await connection.execute(insert(votes).values(dream_id=dream.id, person=2, emoji="⭐"))
    cluster.start()
    assert await store.count_votes(dream.id) == 0


async def test_connections_that_were_cut_while_they_were_idle_are_not_noticed(
    cluster: Cluster, database: Database, store: Store, a_wish: A_WISH
) -> None:
    await asyncio.gather(*(store.add(a_wish()) for _ in range(5)))
    cluster.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    assert len(await asyncio.gather(*(store.add(a_wish()) for _ in range(5)))) == 5


async def test_a_dream_that_ends_while_the_server_is_away_is_kept_when_it_is_back(
    cluster: Cluster, rig: Rig, a_wish: A_WISH, caplog: pytest.LogCaptureFixture
) -> None:
    await rig.worker.submit(a_wish())
    await rig.worker.submit(a_wish())
    await rig.engine.dreams(1)
    rig.engine.step()
    cluster.stop()
    rig.engine.finish()
    await until(lambda: caplog.text.count("its end cannot be stored yet") >= 2)
    cluster.start()
    assert (await rig.until(1, DreamState.DONE)).score == 31.5
    await rig.engine.dreams(2)
    assert [request.id for request in rig.engine.requests] == ["1", "2"]


async def test_a_server_that_is_late_is_waited_for(
    cluster: Cluster, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    cluster.stop()
    database = Database(settings.database_url)
    opening = asyncio.create_task(database.open())
    await until(lambda: "It is tried again" in caplog.text)
    await asyncio.to_thread(cluster.start)
    await opening
    assert await Store(database, owner="x").waiting() == []
    await database.close()


async def test_an_address_that_does_not_fit_is_told_to_whoever_starts_the_bot(
    cluster: Cluster, on_server: str
) -> None:
    cluster.sql("DROP ROLE IF EXISTS guarded; CREATE ROLE guarded LOGIN PASSWORD 'secret'")
    server = f"127.0.0.1:{cluster.port}"
    assert "name or the password" in str(await trouble(f"postgres://guarded:secrets@{server}/{on_server}"))
    assert "not accept the name" in str(await trouble(f"postgres://stranger:secret@{server}/{on_server}"))
    assert "does not know the database" in str(await trouble(f"postgres://oneiro:secret@{server}/missing"))
    assert "make or change tables" in str(await trouble(f"postgres://guarded:secret@{server}/{on_server}"))
    away = await trouble(f"postgres://oneiro:secret@no.such.host.invalid/{on_server}")
    assert isinstance(away, StoreAway) and "not known" in str(away)
    away = await trouble(cluster.url(on_server) + "?sslmode=require")
    assert isinstance(away, StoreAway) and "SSL" in str(away)


async def test_a_server_that_says_nothing_is_away_before_discord_gives_up() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        started = asyncio.get_running_loop().time()
        away = await trouble(f"postgres://oneiro:secret@127.0.0.1:{silent.getsockname()[1]}/x")
        assert isinstance(away, StoreAway) and "no answer" in str(away)
        assert asyncio.get_running_loop().time() - started < 3.0


async def test_programs_of_the_same_machine_may_use_the_server_s_socket(
    cluster: Cluster, on_server: str
) -> None:
    place = f"host={cluster.socket_folder}&port={cluster.port}&user={cluster.OWNER}"
    database = Database(Settings.read({"DATABASE_URL": f"postgresql:///{on_server}?{place}"}).database_url)
    await database.open()
    assert await Store(database, owner="x").waiting() == []
    await database.close()


async def test_a_crowd_waits_for_a_connection_and_is_told_when_there_is_none(
    database: Database, store: Store, a_wish: A_WISH
) -> None:
    asked = await asyncio.gather(*(store.add(a_wish()) for _ in range(5 * CONNECTIONS)))
    assert len({dream.id for dream in asked}) == 5 * CONNECTIONS
    async with AsyncExitStack() as held:
        for _ in range(CONNECTIONS):
            await held.enter_async_context(database.transaction())
        with pytest.raises(StoreBusy, match="no connection left"):
            await store.waiting()
    assert len(await store.waiting()) == 5 * CONNECTIONS


async def test_a_full_disk_is_named_and_loses_nothing(
    database: Database, store: Store, a_wish: A_WISH
) -> None:
    dream = await store.add(a_wish())
    await store.claim(dream.id, lease_s=30)
    async with database.transaction() as connection:  # the server's own error, without a disk to fill
        await connection.execute(text(FULL_DISK))
        await connection.execute(text(NO_PICTURE))
    with pytest.raises(StoreFull):
        await store.finish(dream.id, DreamState.DONE, finished=FINISHED, picture=Picture(b"x", "png"))
    kept = await store.get(dream.id)
    assert kept is not None and kept.state is DreamState.DREAMING and await store.picture(dream.id) is None
    async with database.transaction() as connection:
        await connection.execute(text("DROP FUNCTION full_disk CASCADE"))


@pytest.fixture
def pooler(cluster: Cluster) -> Iterator[Pooler]:
    try:
        pooler = Pooler(cluster)
    except NoServer as error:
        pytest.skip(str(error))
    yield pooler
    pooler.close()


async def test_behind_a_pooler_nothing_is_expected_of_the_last_transaction(
    cluster: Cluster, pooler: Pooler, on_server: str, a_wish: A_WISH
) -> None:
    address = f"postgres://oneiro@127.0.0.1:{pooler.port}/{on_server}?pgbouncer=true"
    database = Database(Settings.read({"DATABASE_URL": address}).database_url)
    await database.open()
    store = Store(database, owner="x")

    async def patience() -> str | None:
        async with database.transaction() as connection:
            await alone(connection, MODERATING)
            return str(await connection.scalar(text("SHOW lock_timeout")))

    try:
        for _ in range(5):  # its three connections go round among our eight
            await asyncio.gather(*(store.add(a_wish()) for _ in range(12)))
            assert set(await asyncio.gather(*(patience() for _ in range(12)))) == {"2s"}
        assert len(await store.waiting()) == 60
    finally:
        await database.close()


async def test_a_pooler_that_was_not_told_of_is_named(pooler: Pooler, on_server: str, a_wish: A_WISH) -> None:
    address = f"postgres://oneiro@127.0.0.1:{pooler.port}/{on_server}"
    database = Database(Settings.read({"DATABASE_URL": address}).database_url)
    store = Store(database, owner="x")
    try:
        with pytest.raises(StoreError, match="write pgbouncer=true behind the"):
            await database.open()
            for _ in range(5):
                await asyncio.gather(*(store.add(a_wish()) for _ in range(12)))
    finally:
        await database.close()


async def test_whoever_is_cancelled_while_a_connection_begins_leaves_no_complaint_behind(
    prepared: Settings,
) -> None:
    complaints: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
    for tenth in range(20):
        database = Database(prepared.database_url)

        async def ask(database: Database = database) -> None:
            async with database.transaction():
                pass

        asking = [asyncio.create_task(ask()) for _ in range(CONNECTIONS)]
        await asyncio.sleep(tenth / 400)
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        await database.close()
        del asking
        gc.collect()
    assert complaints == []
