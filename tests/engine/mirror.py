"""A web server on the loopback that hands out files, and can misbehave in each way that a mirror can."""

import gzip
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGES = (  # what is sent instead of a file, all of it as if it were the file
    "page",
    "login elsewhere",
    "page of the right length",
    "nothing",
    "words",
    "an error as JSON",
    "a list",
    "a pointer",
    "zeros",
    "compressed",
)
STALL_S = 20.0  # longer than any test's patience


@dataclass
class Mirror:
    """`faults` are used up one a request, by file name; then the file is sent as it is."""

    folder: Path
    faults: dict[str, deque[str]] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)  # where a file is said to be; "": where it is
    asked: list[tuple[str, str]] = field(default_factory=list)  # path, Range header
    closing: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def misbehave(self, name: str, *faults: str) -> None:
        """Meet the next requests for this file with these faults; see `_Handler`."""
        self.faults[name] = deque(faults)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    mirror: Mirror

    def do_GET(self) -> None:
        mirror = self.mirror
        span = self.headers.get("Range", "")
        mirror.asked.append((self.path, span))
        path = mirror.folder / self.path.partition("?")[0].lstrip("/")
        if path.name in mirror.elsewhere:
            place = mirror.elsewhere[path.name] or mirror.url + self.path
            self._send(302, b"", {"Location": place})
            return
        faults = mirror.faults.get(path.name)
        fault = faults.popleft() if faults else ""
        if fault.isdigit() or not path.is_file():
            self._send(int(fault or 404), b"<html>no</html>")
            return
        data = path.read_bytes()
        if fault == "redirect":
            self.send_response(302)
            self.send_header("Location", f"{mirror.url}{self.path}?again")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if fault in PAGES:
            self._page(fault, len(data))
            return
        if fault == "short":
            data = data[:-1]
        if fault == "wrong byte":
            middle = len(data) // 2
            data = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        if fault == "gzip":
            self._send(200, gzip.compress(data), {"Content-Encoding": "gzip"})
            return
        if fault in ("no length", "half without length", "endless"):
            self._unmeasured(data, fault)
            return
        if fault == "odd length":
            self._send(200, data, {"Content-Length": "many"})
            self.close_connection = True
            return
        start = int(span.removeprefix("bytes=").removesuffix("-") or 0) if fault != "ignore range" else 0
        if start and start >= len(data):
            self._send(416, b"")
            return
        self.send_response(206 if start else 200)
        if start and fault == "wrong range":
            start -= 1
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        rest = data[start:]
        if fault in ("cut", "stall"):
            self.wfile.write(rest[: len(rest) // 2])
            self.wfile.flush()
            if fault == "stall":
                mirror.closing.wait(STALL_S)
            self.close_connection = True
            return
        self.wfile.write(rest)

    def _page(self, fault: str, length: int) -> None:
        """What a proxy or a hotel's network sends in place of anything, and answers 200."""
        page = b"<!DOCTYPE html><title>Log in</title><form>Please log in to go on.</form>"
        if fault == "login elsewhere" and not self.path.endswith("?login"):
            self._send(302, b"", {"Location": f"{self.mirror.url}{self.path}?login"})
            return
        bodies = {
            "page": page,
            "login elsewhere": page,
            "page of the right length": page.ljust(length),
            "nothing": b"",
            "words": b"Please log in to go on.",
            "an error as JSON": b'{"error": "rate limited"}',
            "a list": b"[1, 2]",
            "a pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 72\n",
            "zeros": bytes(length),
            "compressed": gzip.compress(b"?" * length),
        }
        self._send(200, bodies[fault])

    def _unmeasured(self, data: bytes, fault: str) -> None:
        """An answer that ends when the connection does."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if fault == "half without length" else data)
        while fault == "endless":
            self.wfile.write(bytes(1024 * 1024))
        self.close_connection = True

    def _send(self, code: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in ({"Content-Length": str(len(body))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: pytest shows what failed."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is part of the tests."""


@contextmanager
def serving(folder: Path) -> Iterator[Mirror]:
    """A mirror of this folder while the context lasts."""
    mirror = Mirror(folder)
    handler = type("Handler", (_Handler,), {"mirror": mirror})
    with _Server(("127.0.0.1", 0), handler) as server:
        mirror.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield mirror
        finally:
            mirror.closing.set()
            server.shutdown()
            thread.join()
