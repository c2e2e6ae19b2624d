"""A proxy on the loopback that connects where it is asked to, by CONNECT and by whole addresses."""

import base64
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass
class ConnectProxy:
    """`asked`: each request's method and target; `credentials`: as "name:password", if it wants them."""

    credentials: str = ""
    leads: dict[str, tuple[str, int]] = field(default_factory=dict)  # host → where it really is
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """Its address without credentials."""
        return f"http://127.0.0.1:{self.port}"


class _Handler(BaseHTTPRequestHandler):
    rbufsize = 0  # what follows the headers is passed on, not read here
    proxy: ConnectProxy

    def do_CONNECT(self) -> None:
        host, _, port = self.path.rpartition(":")
        self._lead(host.strip("[]"), int(port), None)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        passed = {
            name: value for name, value in self.headers.items() if not name.lower().startswith("proxy-")
        }
        if "Upgrade" not in passed:
            passed["Connection"] = "close"
        lines = [f"{self.command} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in passed.items())]
        self._lead(parts.hostname or "", parts.port or 80, "\r\n".join([*lines, "", ""]).encode())

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _lead(self, host: str, port: int, first: bytes | None) -> None:
        self.close_connection = True
        self.proxy.asked.append(f"{self.command} {self.path}")
        wanted = base64.b64encode(self.proxy.credentials.encode()).decode()
        if self.proxy.credentials and self.headers.get("Proxy-Authorization") != f"Basic {wanted}":
            self.send_response(407)
            self.send_header("Proxy-Authenticate", 'Basic realm="proxy"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        try:
            other = socket.create_connection(self.proxy.leads.get(host, (host, port)), 5)
        except OSError:
            self.send_error(502)
            return
        with other:
            if first is None:
                self.send_response_only(200)
                self.end_headers()
            else:
                other.sendall(first)
            _pass_on(self.connection, other)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: pytest shows what failed."""


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    """Until either end has had enough."""
    ends = {one: other, other: one}
    while True:
        for ready in select.select(list(ends), [], [])[0]:
            try:
                data = ready.recv(2**16)
                if not data:
                    return
                ends[ready].sendall(data)
            except OSError:
                return


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is part of the tests."""


@contextmanager
def proxying(credentials: str = "") -> Iterator[ConnectProxy]:
    """A proxy while the context lasts."""
    proxy = ConnectProxy(credentials)
    with _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": proxy})) as server:
        proxy.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()
