"""Pictures for the command line: from a file, or from an address on the public web and nowhere else.

Every address that a name resolves to is checked and the connection is made to the checked one, so that a name
cannot lead into a private network, neither at once, nor at a redirect, nor by answering differently later.

Where HTTPS_PROXY or HTTP_PROXY names a proxy, it is the proxy that finds the name and connects, so where a
name leads is decided there. What can be told here is refused here: addresses that are not public, however
they are written, names that only a network itself knows, and names that lead to such an address from here.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable
from urllib.parse import SplitResult, urljoin, urlsplit

from engine import __version__, given_file
from engine.command_line.addresses import Address, public
from engine.errors import BadRequest, BadSetting
from engine.pictures.decoding import MAX_BYTES
from engine.proxies import Proxy, proxy_for

LIMIT_S = 30.0  # for all of it, redirects included
MAX_REDIRECTS = 5
# Names of networks that are not public (RFC 6761, 6762, 8375; ICANN's .internal); onions need another road.
_WITHIN = (".localhost", ".local", ".internal", ".home.arpa", ".lan", ".intranet", ".corp", ".home", ".onion")
_REDIRECTS = (301, 302, 303, 307, 308)


def picture(where: str) -> bytes:
    """The bytes of the file or web address `where`, whatever they are. Raises `BadRequest`."""
    if "://" in where:
        return fetched(where)
    return given_file.read(where, "picture", MAX_BYTES)


def fetched(url: str, allowed: Callable[[Address], bool] = public, *, limit_s: float = LIMIT_S) -> bytes:
    """What the web address `url` answers with, `MAX_BYTES` at most, within `limit_s` seconds.

    `allowed` says to which addresses a connection may be made. Raises `BadRequest` with a sentence.
    """
    deadline = time.monotonic() + limit_s
    for _ in range(MAX_REDIRECTS + 1):
        parts = _checked(url)
        try:
            answer = _get(parts, allowed, deadline)
        except (BadRequest, BadSetting):
            raise
        except TimeoutError as error:
            raise BadRequest(f"{parts.hostname} takes too long to send the picture.") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            if time.monotonic() >= deadline:
                raise BadRequest(f"{parts.hostname} takes too long to send the picture.") from error
            raise BadRequest(f"The picture cannot be fetched from {parts.hostname}.") from error
        if isinstance(answer, bytes):
            return answer
        url = urljoin(url, answer)
    raise BadRequest(f"The address leads from one to the next more than {MAX_REDIRECTS} times.")


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or any(character <= " " or character == "\x7f" for character in url):
        raise BadRequest("A picture's address must be a whole one that begins with https:// or http://.")
    if parts.username is not None or parts.password is not None:
        raise BadRequest("A picture's address must not carry a user name or a password.")
    return parts


def _get(parts: SplitResult, allowed: Callable[[Address], bool], deadline: float) -> bytes | str:
    """The answer's bytes, or the address that it redirects to."""
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    proxy = _proxy(parts)
    if proxy is None:
        plain = _connected(host, port, allowed, deadline)
    else:
        _not_within(host, port, allowed)
        plain = _to_proxy(proxy, deadline)
    # One limit for all that follows: whoever sends a byte now and then would outlive a limit per byte.
    watch = threading.Timer(max(deadline - time.monotonic(), 0), _shut, (plain,))
    watch.daemon = True
    watch.start()
    connection = http.client.HTTPConnection(host, port)
    try:
        path = _quoted((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
        headers = {"User-Agent": f"Oneiro/{__version__}", "Accept": "image/*"}
        if proxy is not None and parts.scheme == "https":
            _tunnel(plain, _authority(host, port), proxy)
        elif proxy is not None:
            path, headers = f"http://{_authority(host, port)}{path}", headers | proxy.authorization
        if parts.scheme == "https":
            connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
        else:
            connection.sock = plain
        connection.request("GET", path, headers=headers)
        with connection.getresponse() as answer:
            if answer.status in _REDIRECTS and (target := answer.getheader("Location")):
                return target
            if answer.status != 200:
                raise BadRequest(f"{host} answered {answer.status} instead of a picture.")
            if int(answer.getheader("Content-Length") or 0) > MAX_BYTES:
                raise _too_long(parts.geturl())
            data = answer.read(MAX_BYTES + 1)
            if answer.length:  # announced, but not sent
                raise http.client.IncompleteRead(data, answer.length)
            return _not_too_long(data, parts.geturl())
    finally:
        watch.cancel()
        connection.close()
        plain.close()


def _connected(host: str, port: int, allowed: Callable[[Address], bool], deadline: float) -> socket.socket:
    """A connection to one of the host's addresses, all of which must be allowed."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise BadRequest(f"There is no {host} on the web, or it cannot be found just now.") from error
    for *_, where in found:
        if not allowed(ipaddress.ip_address(str(where[0]).partition("%")[0])):
            raise _not_public(host)
    last: OSError = ConnectionError()
    for family, kind, protocol, _, where in found:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(remaining)
            connection.connect(where)
            return connection
        except OSError as error:
            connection.close()
            last = error
    raise last


def _proxy(parts: SplitResult) -> Proxy | None:
    proxy = proxy_for(parts.geturl())
    if proxy is not None and proxy.scheme != "http":
        raise BadSetting(
            f"Pictures cannot be fetched through {proxy.address}; the proxy must be one of http://."
        )
    return proxy


def _not_within(host: str, port: int, allowed: Callable[[Address], bool]) -> None:
    """Refuse what a proxy might find within its own network. Raises `BadRequest`."""
    name = host.rstrip(".").lower()
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        found = []  # often only the proxy can find names
        if "." not in name or name.endswith(_WITHIN):
            raise _not_public(host) from None
    if not all(allowed(ipaddress.ip_address(str(where[0]).partition("%")[0])) for *_, where in found):
        raise _not_public(host)


def _to_proxy(proxy: Proxy, deadline: float) -> socket.socket:
    try:
        return socket.create_connection((proxy.host, proxy.port), max(deadline - time.monotonic(), 0.01))
    except OSError as error:
        raise BadRequest(f"The proxy {proxy.address} cannot be reached.") from error


def _tunnel(plain: socket.socket, authority: str, proxy: Proxy) -> None:
    """Let the proxy connect us through (RFC 9110, 9.3.6). Raises `BadRequest` or `OSError`."""
    headers = {"Host": authority} | proxy.authorization
    lines = [
        f"CONNECT {authority} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers.items()),
        "",
        "",
    ]
    plain.sendall("\r\n".join(lines).encode("ascii"))
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):  # byte by byte: what follows belongs to the other end
        byte = plain.recv(1)
        if not byte or len(answer) > 2**16:
            raise ConnectionError("the proxy does not answer")
        answer += byte
    code = answer[:12].rpartition(b" ")[2].decode("ascii", "replace")
    if not code.startswith("2"):
        raise BadRequest(f"The proxy {proxy.address} does not connect to {authority}: it answered {code}.")


def _authority(host: str, port: int) -> str:
    """Host and port as a request line takes them."""
    return f"[{host}]:{port}" if ":" in host else f"{host.encode('idna').decode('ascii')}:{port}"


def _not_public(host: str) -> BadRequest:
    return BadRequest(f"{host} is not on the public web, so I do not fetch pictures from it.")


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # closed already


def _quoted(path: str) -> str:
    """Letters of other scripts as a request line takes them."""
    return "".join(c if c.isascii() else "".join(f"%{byte:02X}" for byte in c.encode()) for c in path)


def _too_long(where: str) -> BadRequest:
    return BadRequest(f"The picture {where} is too large; the limit is {MAX_BYTES // 2**20} MB.")


def _not_too_long(data: bytes, where: str) -> bytes:
    if len(data) > MAX_BYTES:
        raise _too_long(where)
    return data
