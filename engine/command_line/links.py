"""Pictures for the command line: from a file, or from whatever web address its user names.

The bot fetches no address that people name: this room is closed to it.
"""

from concurrent.futures import Future
from socket import gaierror
from threading import Thread
from urllib.parse import urlsplit

from engine import __version__, given_file
from engine.errors import BadRequest
from engine.pictures.decoding import MAX_BYTES
from engine.proxies import check_proxies, proxy_for

LIMIT_S = 30.0  # for all of it, redirects included
MAX_REDIRECTS = 5
_HEADERS = {"User-Agent": f"Oneiro/{__version__}", "Accept": "image/*", "Accept-Encoding": "identity"}


def picture(where: str) -> bytes:
    """The bytes of the file or web address `where`, whatever they are. Raises `BadRequest`."""
    if "://" in where:
        return fetched(where)
    return given_file.read(where, "picture", MAX_BYTES)


def fetched(url: str, *, limit_s: float = LIMIT_S) -> bytes:
    """What the web address `url` answers with, `MAX_BYTES` at most, within `limit_s` seconds.

    Raises `BadRequest` with a sentence, `BadSetting` for a proxy that cannot be used.
    """
    check_proxies()
    answer: Future[bytes] = Future()
    # Aside: requests limits each wait for a byte, and whoever sends one now and then would outlive that.
    Thread(target=_fetch, args=(url, answer), daemon=True).start()
    try:
        return answer.result(limit_s)
    except TimeoutError as error:
        raise BadRequest(f"{_host(url)} takes too long to send the picture.") from error


def _fetch(url: str, answer: "Future[bytes]") -> None:
    try:
        answer.set_result(_get(url))
    except Exception as error:  # noqa: BLE001 - it is raised where the answer is waited for
        answer.set_exception(error)


def _get(url: str) -> bytes:
    import requests  # here, not for every command: it takes its time
    from urllib3.exceptions import HTTPError

    at = url  # where redirects have led
    try:
        with requests.Session() as session:
            session.max_redirects = MAX_REDIRECTS
            with session.get(url, stream=True, timeout=LIMIT_S, headers=_HEADERS) as answer:
                at = answer.url
                if answer.status_code != 200:
                    raise BadRequest(f"{_host(at)} answered {answer.status_code} instead of a picture.")
                announced = answer.raw.length_remaining or 0
                data: bytes = b"" if announced > MAX_BYTES else answer.raw.read(MAX_BYTES + 1)
                if len(data) < announced <= MAX_BYTES:
                    raise requests.ConnectionError("it broke off")
    except ValueError as error:  # whatever requests says of an address that it cannot read
        raise BadRequest(
            "A picture's address must be a whole one that begins with https:// or http://."
        ) from error
    except requests.TooManyRedirects as error:
        raise BadRequest(
            f"The address leads from one to the next more than {MAX_REDIRECTS} times."
        ) from error
    except requests.exceptions.ProxyError as error:
        raise BadRequest(_proxy_failed(at, _root(error))) from error
    except (requests.RequestException, HTTPError) as error:
        asked = getattr(error, "request", None)
        host = _host(asked.url if asked else at)
        if isinstance(_root(error), gaierror):
            raise BadRequest(f"There is no {host} on the web, or it cannot be found just now.") from error
        raise BadRequest(f"The picture cannot be fetched from {host}.") from error
    if max(announced, len(data)) > MAX_BYTES:
        raise BadRequest(f"The picture {url} is too large; the limit is {MAX_BYTES // 2**20} MB.")
    return data


def _proxy_failed(url: str, cause: BaseException) -> str:
    proxy = proxy_for(url)
    address = proxy.address if proxy else ""
    code = next((word for word in str(cause).split() if word.isdigit()), "")
    if type(cause) is not OSError or not code:  # of such it makes the answer to a CONNECT
        return f"The proxy {address} cannot be reached."
    return f"The proxy {address} does not connect to {_host(url)}:443: it answered {code}."


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _root(error: BaseException) -> BaseException:
    """What it began with: requests and urllib3 wrap it several times."""
    while before := error.__cause__ or error.__context__:
        error = before
    return error
