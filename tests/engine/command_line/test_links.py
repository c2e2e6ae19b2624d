"""Pictures from files and from the web, with a real local server that misbehaves."""

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from engine.command_line.links import fetched, picture
from engine.errors import BadRequest
from engine.pictures.decoding import MAX_BYTES

PICTURE = b"\x89PNG and so on"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/x.png",
        "file:///etc/passwd",
        "http://",
        "http://[::1/x.png",
        "http://example.org:99999/",
        "gopher://example.org:70/_x",
    ],
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(BadRequest, match="must be a whole one"):
        picture(url)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        try:
            {
                "/picture": lambda: self._send(PICTURE),
                "/odd%20na%C3%AFve?a=1": lambda: self._send(PICTURE),
                "/text": lambda: self._send(PICTURE, kind="text/html"),
                "/missing": lambda: self.send_error(404),
                "/once": lambda: self._redirect("picture"),
                "/loop": lambda: self._redirect("/loop"),
                "/away": lambda: self._redirect("http://127.0.0.2:9/x"),
                "/file": lambda: self._redirect("file:///etc/passwd"),
                "/announced": lambda: self._send(b"", length=50 * 2**20),
                "/endless": self._endless,
                "/short": lambda: self._send(PICTURE, length=len(PICTURE) + 5),
                "/drip": self._drip,
                "/broken": lambda: self.wfile.write(b"nonsense\r\n\r\n"),
            }[self.path]()
        except OSError:
            return  # the client has had enough

    def _send(self, data: bytes, *, kind: str = "image/png", length: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)

    def _redirect(self, target: str) -> None:
        self.send_response(302)
        self.send_header("Location", target)
        self.end_headers()

    def _endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(bytes(1024 * 1024))

    def _drip(self) -> None:
        ended = threading.Event()
        while not ended.wait(0.05):
            self.wfile.write(b"H")

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["/picture", "/text", "/once", "/odd%20naïve?a=1"])
def test_a_picture_is_fetched_whatever_its_type_is_said_to_be(server: str, path: str) -> None:
    assert fetched(server + path) == PICTURE


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/missing", "answered 404 instead"),
        ("/loop", "more than 5 times"),
        ("/away", r"cannot be fetched from 127\.0\.0\.2"),
        ("/file", "must be a whole one"),
        ("/announced", "too large; the limit is 20 MB"),
        ("/endless", "too large; the limit is 20 MB"),
        ("/short", "cannot be fetched"),
        ("/broken", "cannot be fetched"),
    ],
)
def test_a_server_that_misbehaves_is_told_in_one_sentence(server: str, path: str, told: str) -> None:
    with pytest.raises(BadRequest, match=told) as error:
        fetched(server + path)
    assert str(error.value).endswith(".")


def test_a_server_that_sends_a_byte_now_and_then_is_left(server: str) -> None:
    begun = time.monotonic()
    with pytest.raises(BadRequest, match="takes too long"):
        fetched(server + "/drip", limit_s=0.5)
    assert time.monotonic() - begun < 20


def test_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(BadRequest, match="cannot be fetched"):
        fetched(f"http://127.0.0.1:{port}/")


def test_a_name_that_nobody_knows_is_told() -> None:
    with pytest.raises(BadRequest, match=r"There is no nowhere\.invalid on the web"):
        fetched("http://nowhere.invalid/x.png")


def test_a_file_is_read_and_a_bad_one_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(PICTURE)
    assert picture(str(tmp_path / "x.png")) == PICTURE
    with pytest.raises(BadRequest, match=r"missing.png cannot be read: no such file"):
        picture(str(tmp_path / "missing.png"))
    with pytest.raises(BadRequest, match="is a directory"):
        picture(str(tmp_path))
    with (tmp_path / "large").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(BadRequest, match="too large; the limit is 20 MB"):
        picture(str(tmp_path / "large"))
