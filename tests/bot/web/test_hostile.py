"""What is sent to the page by no browser: whatever it is, it is refused in words, and is no fault of ours."""

import asyncio
import gzip
import io
import logging
import re

import pytest
from PIL import Image

from bot.dreams.image_prompts import MAX_BYTES
from tests.bot.scripted import until
from tests.bot.web.conftest import House, Visitor

FORM = b"application/x-www-form-urlencoded"
FILES = b"multipart/form-data; boundary=b"
MANY = "9" * 5000


def part(head: bytes, body: bytes = b"x") -> bytes:
    return b"--b\r\n" + head + b"\r\n\r\n" + body + b"\r\n"


TEXT = b'Content-Disposition: form-data; name="text"'
IMAGE = b'Content-Disposition: form-data; name="image"; filename="x.png"'

BODIES: list[tuple[str, bytes, bytes]] = [  # what it is, its type, the body
    ("no such charset", FORM + b"; charset=nonesuch", b"text=x"),
    ("a charset that is none", FORM + b"; charset=zlib", b"text=x"),
    ("no UTF-8", FORM, b"text=\xff\xfe"),
    ("no UTF-8 as a token", FORM, b"token=\xff\xfe"),
    ("half a pair", FORM, b"text=/%ED%A0%80"),
    ("a null character", FORM, b"text=/%00"),
    ("a million characters", FORM, b"text=" + b"a" * 10**6),
    ("twenty thousand fields", FORM, b"a=&" * 20_000),
    ("no boundary", b"multipart/form-data", b"x"),
    ("a boundary that is too long", b"multipart/form-data; boundary=" + b"x" * 300, b"x"),
    ("another boundary", FILES, b"x"),
    ("nothing", FILES, b""),
    ("no end", FILES, part(TEXT)),
    ("a part without a name", FILES, part(b"") + b"--b--\r\n"),
    ("a header that is none", FILES, part(b"\xff\xfe\x00: x") + b"--b--\r\n"),
    ("a header of 100 KB", FILES, part(b"X: " + b"a" * 100_000) + b"--b--\r\n"),
    ("a form in a form", FILES, part(b"Content-Type: multipart/mixed; boundary=c", b"--c--") + b"--b--\r\n"),
    ("the same part again", FILES, part(TEXT, b"/") * 3 + b"--b--\r\n"),
    ("no picture", FILES, part(TEXT, b"a cat") + part(IMAGE) + b"--b--\r\n"),
    ("a picture that ends too early", FILES, part(IMAGE, b"\x89PNG\r\n\x1a\n") + b"--b--\r\n"),
    ("JSON", b"application/json", b'{"text": "x"}'),
]


class Raw:
    """Asks with bytes that no client would send, as Ada."""

    def __init__(self, house: House, ada: Visitor) -> None:
        self._port = house.server.port
        self._host = f"127.0.0.1:{self._port}".encode()
        self._origin = f"http://127.0.0.1:{self._port}".encode()
        cookie = next(iter(ada.client.cookie_jar))
        self._ours = [f"Cookie: {cookie.key}={cookie.value}".encode(), b"Accept: application/json"]
        self._token = b"X-Token: " + ada.token.encode()

    async def get(self, path: bytes, *headers: bytes, method: bytes = b"GET") -> tuple[int, bytes]:
        head = [method + b" " + path + b" HTTP/1.1", b"Host: " + self._host, b"Connection: close"]
        return await self._asked(b"\r\n".join([*head, *self._ours, *headers, b"", b""]))

    async def post(self, path: bytes, kind: bytes, body: bytes, *headers: bytes) -> tuple[int, bytes]:
        head = [b"POST " + path + b" HTTP/1.1", b"Host: " + self._host, b"Connection: close"]
        head += [b"Origin: " + self._origin, b"Content-Type: " + kind, b"Content-Length: %d" % len(body)]
        if not any(header.startswith(b"X-Token") for header in headers):
            head.append(self._token)
        return await self._asked(b"\r\n".join([*head, *self._ours, *headers, b"", body]))

    async def _asked(self, sent: bytes) -> tuple[int, bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            async with asyncio.timeout(20):
                writer.write(sent)
                found = await reader.read()  # a server that refuses early may close in between
        except ConnectionError:
            found = b""
        finally:
            writer.close()
        head, _, body = found.partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]) if head else 0, body


@pytest.fixture
async def raw(house: House) -> Raw:
    return Raw(house, await house.visitor("Ada"))


def faults(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_body_that_is_none_is_refused(
    house: House, raw: Raw, caplog: pytest.LogCaptureFixture
) -> None:
    for what, kind, body in BODIES:
        status, _ = await raw.post(b"/say", kind, body)
        assert 400 <= status < 500 or (status == 0 and len(body) > 65536), (what, status)
    assert await house.dreams() == []
    assert faults(caplog) == []


async def test_a_packed_body_is_bounded_by_what_comes_out_of_it(
    house: House, raw: Raw, caplog: pytest.LogCaptureFixture
) -> None:
    bomb = gzip.compress(b"text=" + b"a" * 50_000_000)
    assert len(bomb) < 64 * 1024, "small enough to be read"
    status, _ = await raw.post(b"/say", FORM, bomb, b"Content-Encoding: gzip")
    assert status == 413
    assert (await raw.post(b"/say", FORM, b"no gzip", b"Content-Encoding: gzip"))[0] == 400
    assert faults(caplog) == []


async def test_no_more_than_one_picture_is_read_of_a_body_without_an_end(house: House, raw: Raw) -> None:
    """Without a length, and with part after part, the sum counts."""
    read = 0
    reader, writer = await asyncio.open_connection("127.0.0.1", house.server.port)
    head = [b"POST /say HTTP/1.1", b"Host: " + raw._host, b"Origin: " + raw._origin, raw._token]
    head += [*raw._ours, b"Content-Type: " + FILES, b"Transfer-Encoding: chunked", b"", b""]
    writer.write(b"\r\n".join(head))
    try:
        async with asyncio.timeout(30):
            while not reader._buffer:  # type: ignore[attr-defined]  # until there is an answer
                chunk = part(IMAGE, b"\0" * 500_000)
                writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                await writer.drain()
                read += len(chunk)
                await asyncio.sleep(0)
    except ConnectionError:
        pass
    finally:
        writer.close()
    assert read < 2 * MAX_BYTES, "it was refused before"
    assert await house.dreams() == []


async def test_a_picture_that_unpacks_to_gigabytes_is_refused(house: House) -> None:
    ada = await house.visitor("Ada")
    file = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(file, "PNG")  # 900 million pixels in some 100 KB
    assert len(file.getvalue()) < 1_000_000
    assert await ada.say("a cat", file.getvalue())
    assert await house.dreams() == []


ADDRESSES = [
    f"/dreams/{MANY}/picture",
    f"/dreams/{2**63}/picture",
    f"/dreams/1/frame/{MANY}",
    "/dreams/%D9%A1/picture",
    "/dreams/%00/picture",
    f"/cards?before={MANY}",
    "/cards?before=%D9%A1",
    "/cards?before=%00",
    "/moderator/%FF",
    "/moderator/%C3%A9%00",
    "/static/%00/page.css",
    "/static/x/..%2F..%2Fapp.py",
    "/static/x/%2E%2E",
    "//etc/passwd",
    "/%FF%00",
    "/a" * 3000,
]


async def test_an_address_that_is_none_leads_nowhere(raw: Raw, caplog: pytest.LogCaptureFixture) -> None:
    for address in ADDRESSES:
        status, _ = await raw.get(address.encode())
        assert status in (400, 404), (address[:40], status)
    assert faults(caplog) == []


WRITES = [
    (f"/dreams/{MANY}/votes", "emoji=x&on=1"),
    (f"/dreams/{MANY}/recipe", ""),
    (f"/choices/{MANY}/votes", "number=1&on=1"),
    (f"/choices/{2**63}/decide", ""),
    ("/choices/%D9%A1/decide", ""),
    ("/dreams/1/__init__", ""),
    ("/moderator/%FF", ""),
    ("/moderate/nonesuch", ""),
]


async def test_a_write_to_nothing_changes_nothing(raw: Raw, caplog: pytest.LogCaptureFixture) -> None:
    for address, body in WRITES:
        status, _ = await raw.post(address.encode(), FORM, body.encode())
        assert 400 <= status < 500, (address[:40], status)
    assert faults(caplog) == []


async def test_null_characters_are_kept_nowhere(
    house: House, raw: Raw, caplog: pytest.LogCaptureFixture
) -> None:
    """PostgreSQL takes none; whoever sends one gets the rest."""
    await house.visitor("Bo")
    assert (await raw.post(b"/say", FORM, b"text=a%00+cat"))[0] == 200
    assert (await house.dream(1)).prompt == "a cat"
    await house.finish(1)
    for path, body in (
        (b"/dreams/1/votes", b"emoji=%00&on=1"),
        (b"/dreams/1/votes", b"emoji=%00&on=0"),
        (b"/dreams/1/edit", b"prompt=a%00+dog&avoid=%00"),
        (b"/moderate/ban", b"person=2&reason=%00bad&hours=1"),
        (b"/moderate/words", b"words=fog%00"),
        (b"/moderate/contest", b"theme=%00autumn&days=1"),
    ):
        status, answer = await raw.post(path, FORM, body)
        assert status < 500, (path, answer)
    assert (await raw.get(b"/suggest?text=%00"))[0] == 404
    assert faults(caplog) == []


async def test_a_token_of_nobody_s_is_refused(
    house: House, raw: Raw, caplog: pytest.LogCaptureFixture
) -> None:
    for header in (b"X-Token: \xff\xfe", b"X-Token: ", b"X-Token: " + b"0" * 64):
        assert (await raw.post(b"/say", FORM, b"text=x", header))[0] == 403, header
    assert await house.dreams() == []
    assert faults(caplog) == []


async def test_odd_headers_are_no_fault_of_ours(
    house: House, raw: Raw, caplog: pytest.LogCaptureFixture
) -> None:
    odd = [
        b"X-Once: \xff\xfe",
        b"Accept-Language: \xff;q=nan, it;q=1e999, en;q=-inf",
        b'Cookie: a="\\; =;;; oneiro=\xff',
        b"Last-Event-ID: \xff'; DROP TABLE dreams",
        b'If-None-Match: W/"\xff, *, "',
        b"X-Forwarded-For: \xff, ::::",
        b"Content-Length: 0",
        b"Expect: nonesuch",
        b"Upgrade: websocket",
        b"Range: bytes=-1-5,\xff",
    ]
    for header in odd:
        assert (await raw.get(b"/", header))[0] < 500, header
        if not header.startswith(b"Content-Length"):
            assert (await raw.post(b"/say", FORM, b"text=/help", header))[0] < 500, header
    for method in (b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE", b"PATCH", b"FOO"):
        status, body = await raw.get(b"/events", method=method)
        assert 400 <= status < 500, (method, status)
        assert method != b"HEAD" or body == b""
    assert (await raw.get(b"/", b"X-Big: " + b"a" * 70_000))[0] == 400
    assert faults(caplog) == []
    await until(lambda: _nobody_watches(house))


async def test_what_is_no_http_fills_no_log(house: House, caplog: pytest.LogCaptureFixture) -> None:
    for sent in (
        b"\x16\x03\x01\x02\0\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: \0\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", house.server.port)
        writer.write(sent)
        assert b" 400 " in await reader.readline()
        writer.close()
    assert faults(caplog) == []


async def _nobody_watches(house: House) -> bool:
    return not house.room.live.watching


async def test_words_that_turn_or_hide_are_shown_as_text(house: House) -> None:
    """Right-to-left marks, towers of marks, hundreds of emoji, templates: in prompts and in names."""
    ada = await house.visitor("Ada")
    for text in ("\u202egnp.exe \u2066x", "z" + "\u0300" * 300, "🦊" * 400, "<b>{{ 7*7 }}</b>"):
        assert await ada.say(text)
    html = await ada.html()
    assert "&lt;b&gt;{{ 7*7 }}&lt;/b&gt;" in html and "<b>" not in html
    shown = re.sub(r'data-prompt="[^"]*"', "", html)  # which a form takes again, as it was typed
    assert not any(mark in shown for mark in ("\u202e", "\u2066", "\u0300" * 9, "🦊" * 99))
    for name in ("\u202e", "\0", "🦊" * 40, "a" * 10**5, "\u200b"):
        eve = await house.visitor()
        await eve.html()
        async with await eve.post("/name", {"name": name}) as answer:
            assert answer.status in (413, 422), name
    mallory = await house.visitor("<i>\u202eMallory")
    assert "<i>" not in await mallory.html() and "\u202e" not in re.sub(
        r'data-prompt="[^"]*"', "", await mallory.html()
    )
