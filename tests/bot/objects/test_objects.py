"""An object store, a folder or a bucket, gives what was put, or says why not; nothing leads out of it."""

import asyncio
import os
import resource
import stat
import sys
import time
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from bot.database.connection import StoreFull
from bot.objects.address import ObjectsAddress, opened
from bot.objects.folder import Folder
from bot.objects.store import ObjectLost, Objects, ObjectsAway
from engine.errors import BadSetting
from tests.bot.s3 import SECRET, S3Server
from tests.bot.scripted import until

CONTENT = bytes(range(256)) * 400
HOSTILE = (
    "",
    "../../../etc/passwd",
    "/etc/passwd",
    "..%2f..%2fsecret",
    "\0" * 64,
    "A" * 64,
    "a" * 63 + "\n",
    "é" * 64,
    f"{'0' * 60}/../",
    "oneiro-store",
)


@pytest.fixture
def objects(objects_address: ObjectsAddress) -> Objects:
    found = opened(objects_address)
    assert found is not None
    return found


async def all_of(objects: Objects, before: float = float("inf")) -> set[str]:
    return {digest async for some in objects.older(before) for digest in some}


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def has_more(folder: Path, than: int) -> bool:
    return len(files(folder)) > than


async def test_what_is_put_is_found_by_its_digest_and_the_same_bytes_are_one_object(objects: Objects) -> None:
    digests = await asyncio.gather(*(objects.put(CONTENT) for _ in range(8)), objects.put(b""))
    assert set(digests) == {sha256(CONTENT).hexdigest(), sha256(b"").hexdigest()}
    assert await objects.get(digests[0]) == CONTENT
    assert await objects.get(digests[-1]) == b""
    assert await all_of(objects) == set(digests)
    await objects.delete([digests[0], "0" * 64])
    assert await all_of(objects) == {digests[-1]}
    with pytest.raises(ObjectLost, match="not there"):
        await objects.get(digests[0])


async def test_what_was_changed_is_not_given(objects: Objects) -> None:
    digest = await objects.put(CONTENT)
    await objects._write(f"{digest[:2]}/{digest}", CONTENT[:-1])
    with pytest.raises(ObjectLost, match="damaged"):
        await objects.get(digest)
    await objects.put(CONTENT)
    assert await objects.get(digest) == CONTENT, "whoever puts it again heals it"


@pytest.mark.parametrize("digest", HOSTILE)
async def test_a_digest_leads_nowhere_else(objects: Objects, tmp_path: Path, digest: str) -> None:
    (tmp_path / "secret").write_text("not yours")
    await objects.set_label("ours")
    with pytest.raises(ObjectLost):
        await objects.get(digest)
    await objects.delete([digest])
    assert (tmp_path / "secret").exists() and await objects.label() == "ours"


async def test_only_objects_are_listed_and_only_old_ones(objects: Objects) -> None:
    digest = await objects.put(CONTENT)
    await objects.set_label("ours")
    for name in (f"00/{digest}", f"{digest[:2]}/{digest}.txt", "ab/readme"):
        await objects._write(name, b"somebody else's")
    assert await all_of(objects, time.time() + 60) == {digest}
    assert await all_of(objects, time.time() - 60) == set()


async def test_a_folder_that_is_not_there_is_empty_until_something_is_put(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "a" / "b")
    assert await all_of(folder) == set() and await folder.label() is None
    digest = await folder.put(CONTENT)
    if os.name == "posix":
        file = tmp_path / "a" / "b" / digest[:2] / digest
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


async def test_a_full_disk_leaves_no_half_of_an_object(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    kept = await folder.put(b"small")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(
        resource.RLIMIT_FSIZE, (5000, hard)
    )  # Python ignores the signal, and hears of an error
    try:
        with pytest.raises(StoreFull):
            await folder.put(CONTENT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert await all_of(folder) == {kept}
    assert files(tmp_path) == {kept}


async def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = Folder(tmp_path / "file")
    for work in (folder.put(CONTENT), folder.get("0" * 64), folder.label(), folder.delete(["0" * 64])):
        with pytest.raises(ObjectsAway, match="file cannot be used"):
            await work


_PUTS = """
import asyncio, os, sys
from pathlib import Path
from bot.objects.folder import Folder
async def work():
    folder = Folder(Path(sys.argv[1]))
    print("begun", flush=True)
    while True:
        await folder.put(os.urandom(2**20))
asyncio.run(work())
"""


async def test_what_a_killed_process_did_not_write_to_its_end_is_no_object_and_goes(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for _ in range(3):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _PUTS, str(tmp_path)), stdout=asyncio.subprocess.PIPE, env=_environment()
        )
        assert process.stdout is not None
        await process.stdout.readline()
        await until(partial(has_more, tmp_path, len(files(tmp_path)) + 2))
        process.kill()
        await process.wait()
    (tmp_path / "ab").mkdir(exist_ok=True)
    (tmp_path / "ab" / ".tmp-0123").write_bytes(b"half")
    digests = await all_of(folder)
    assert digests
    for digest in digests:
        assert len(await folder.get(digest)) == 2**20
    assert files(tmp_path) == digests


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}


async def test_a_bucket_that_is_away_or_not_ours_is_said_soon_and_without_secrets(s3: S3Server) -> None:
    options = s3.address().options
    nowhere = ObjectsAddress(bucket="pictures", options={**options, "endpoint": "http://127.0.0.1:9"})
    for address, match in (
        (nowhere, "AWS_ENDPOINT_URL"),
        (s3.address(secret="wrong"), "AWS_SECRET_ACCESS_KEY"),
    ):
        objects: Any = opened(address)
        began = time.monotonic()
        for work in (objects.put(CONTENT), objects.get("0" * 64), objects.label(), all_of(objects)):
            with pytest.raises(ObjectsAway, match=match) as caught:
                await work
            assert SECRET not in str(caught.value)
        assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("/srv/pictures", ("/srv/pictures", "", "")),
        ("file:///srv/my%20pictures/", ("/srv/my pictures", "", "")),
        ("s3://my-bucket", (None, "my-bucket", "")),
        ("s3://my-bucket/a/b/", (None, "my-bucket", "a/b")),
    ],
)
def test_an_address_is_a_folder_or_a_bucket(url: str, place: tuple[str | None, str, str]) -> None:
    found = ObjectsAddress.read({"OBJECTS_URL": url})
    assert (found.folder and str(found.folder), found.bucket, found.prefix) == place
    assert found and not ObjectsAddress.read({})


@pytest.mark.parametrize(
    "url",
    ["pictures", "./pictures", "http://x/y", "s3://", "s3://A", "s3://my-bucket/../x", "file://", "/a\0b"],
)
def test_what_is_neither_is_told(url: str) -> None:
    with pytest.raises(BadSetting, match="OBJECTS_URL"):
        ObjectsAddress.read({"OBJECTS_URL": url})


def test_half_a_key_and_a_missing_library_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"OBJECTS_URL": "s3://my-bucket", "AWS_SECRET_ACCESS_KEY": "hunter2"}
    with pytest.raises(BadSetting, match="AWS_ACCESS_KEY_ID") as caught:
        ObjectsAddress.read(environ)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(ObjectsAddress.read(environ | {"AWS_ACCESS_KEY_ID": "me"}))
    monkeypatch.setattr("bot.objects.address.find_spec", lambda name: None)
    with pytest.raises(BadSetting, match="pip install obstore"):
        ObjectsAddress.read({"OBJECTS_URL": "s3://my-bucket"})
