"""Fetches the files of the large models, once: each mirror in turn, resumed, checked, whole or not at all.

pooch checks the hash of a file and moves it into place; what travels over the network is read here, because
pooch itself neither resumes nor notices a stalled or short answer.
"""

import hashlib
import json
import logging
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import pooch
import requests
from filelock import FileLock, Timeout
from urllib3.exceptions import HTTPError

from engine.errors import DiskError, ModelError, StoppedEarly
from engine.models import contents
from engine.models.catalogue import MIB, RemoteFile, RemoteModel
from engine.proxies import check_proxies
from engine.sentences import Key
from engine.settings import MODEL_MIRRORS, OFFLINE

log = logging.getLogger(__name__)

TRIES = 3  # of each mirror, going on where the one before was cut off; one that brought much does not count
MUCH = MIB  # bytes
PAUSE_S = 1.0  # before the second try, doubled for each one more
STALL_S = 30.0  # seconds without a byte after which a mirror is given up
CHUNK = MIB // 4  # bytes
TOLD_EVERY_S = 0.5
PINS = "sha256.json"  # beside the files: the hash of each as it was fetched or imported
_SCRATCH = ".fetching"  # folder of half files, beside the models'

Proof = Callable[[Path], None]  # loads the model in a folder; raises `ModelError`
Told = Callable[[str, int, int], None]  # file, bytes there, bytes in all (0: unknown); may raise to give up


class FetchError(ModelError):
    """A model could not be fetched."""


class _Unavailable(Exception):
    """A mirror does not have this file at all."""


class _Refused(Exception):
    """A mirror has something else than the file, or cannot send it; the argument says what happened."""


@dataclass(frozen=True)
class Shop:
    """How to fetch: the settings of the network."""

    mirrors: tuple[str, ...] = ()  # addresses tried before the published ones, as ADDRESS/<folder>/<file>
    offline: bool = False
    stall_s: float = STALL_S
    pause_s: float = PAUSE_S

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Shop":
        """From the settings `MODEL_MIRRORS` and `OFFLINE`; a proxy is asked for by requests itself.

        Raises `BadSetting`, also for a proxy that cannot be used.
        """
        check_proxies()
        return cls(MODEL_MIRRORS.read(environ), OFFLINE.read(environ))

    def urls(self, model: RemoteModel, file: RemoteFile) -> tuple[str, ...]:
        """Every address of a file, the first to try first."""
        return tuple(f"{m.rstrip('/')}/{model.folder}/{file.name}" for m in self.mirrors) + file.urls


def fetch(
    model: RemoteModel, models: Path, shop: Shop, told: Told, proof: Proof | None = None, doubt: bool = False
) -> Path:
    """Make `models`/`model.folder` hold every file of the model; returns that folder.

    A file that is there stays, unless one can see that it is another thing (`engine.models.contents`), or
    unless `doubt`, which asks of each what `engine.models.installed.verify` asks, says that it is damaged.
    `proof` says whether weights that came fit. A second process that wants the same waits for the first.
    Raises `FetchError` that says what each mirror did and which file to put where by hand, or `DiskError`.
    """
    folder = models / model.folder
    lock = FileLock(models / f".{model.folder}.lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                lock.acquire(timeout=1)
                break
            except Timeout:
                told("", 0, 0)  # another process fetches it; whoever listens may give up
        try:
            for choice in _wanting(model, folder, proof, doubt):
                _fetch_one_of(choice, model, folder, shop, told, proof)
            shutil.rmtree(models / _SCRATCH / folder.name, ignore_errors=True)
        finally:
            lock.release()
    except OSError as error:
        reason = str(error.strerror or error)
        raise DiskError(Key.MODEL_NOT_KEPT, model=model.name, folder=str(folder), reason=reason) from error
    return folder


def fault(file: RemoteFile, path: Path) -> str:
    """What is wrong with a file that is there, as the end of a sentence that begins with its name; or "".

    Its content, the published checksum, the one that was remembered when it came. Raises `OSError`.
    """
    wrong = contents.objection(path, file.keys)
    if wrong:
        return wrong
    known = pins(path.parent).get(file.name)
    if file.sha256 is None and known is None:
        return ""
    digest = sha256_of(path)
    if file.sha256 is not None and digest != file.sha256:
        return f"is damaged or another file: its SHA-256 is {digest} instead of {file.sha256}"
    if file.sha256 is None and known is not None and digest != known.sha256:
        return "has changed since it came here"
    return ""


def chosen(choice: Sequence[RemoteFile], folder: Path) -> RemoteFile | None:
    """Which file of a choice is here, unread: of two weights the one that `engine.models.files` reads."""
    found = [file for file in choice if (folder / file.name).is_file()]
    return min(found, key=lambda file: file.name != contents.SAFETENSORS, default=None)


def _wanting(
    model: RemoteModel, folder: Path, proof: Proof | None, doubt: bool
) -> list[tuple[RemoteFile, ...]]:
    """The choices of which no file is here that will do."""
    found = [(choice, chosen(choice, folder)) for choice in model.files]
    wanting = [
        choice
        for choice, file in found
        if file is None
        or (fault(file, folder / file.name) if doubt else contents.objection(folder / file.name, file.keys))
    ]
    if doubt and proof is not None and not wanting:
        try:
            proof(folder)
        except ModelError as error:
            log.warning("%s", error)
            wanting = [choice for choice, file in found if file is not None and file.sha256 is None]
            if not wanting:
                raise
    return wanting


@dataclass(frozen=True)
class Arrived:
    """How far a file has come."""

    file: str  # "": another process fetches this model, and we wait for it
    done: int  # bytes
    total: int  # bytes; 0: unknown


def steps(
    model: RemoteModel,
    models: Path,
    shop: Shop,
    should_stop: Callable[[], bool],
    proof: Proof | None = None,
    doubt: bool = False,
) -> Iterator[Arrived]:
    """`fetch` as an iterator that tells about twice a second how far it is.

    `should_stop` is asked as often; then raises `StoppedEarly`. Raises what `fetch` raises.
    """
    news: list[Arrived] = []
    given_up = threading.Event()

    def told(file: str, done: int, total: int) -> None:
        if given_up.is_set():
            raise StoppedEarly
        news[:] = [Arrived(file, done, total)]

    with ThreadPoolExecutor(1, thread_name_prefix="fetch") as pool:
        fetching = pool.submit(fetch, model, models, shop, told, proof, doubt)
        try:
            while not fetching.done():
                wait([fetching], timeout=TOLD_EVERY_S)
                if should_stop():
                    raise StoppedEarly
                if news:
                    yield news.pop()
        finally:
            given_up.set()  # its next chunk ends the thread, or a mirror's stall does
        fetching.result()


def _fetch_one_of(
    choice: Sequence[RemoteFile],
    model: RemoteModel,
    folder: Path,
    shop: Shop,
    told: Told,
    proof: Proof | None,
) -> None:
    faults: list[str] = []
    if shop.offline:
        faults.append("fetching is switched off by OFFLINE")
    else:
        for file in choice:
            for url in shop.urls(model, file):
                try:
                    path = _fetch_file(url, file, model, folder, shop, told)
                    if proof is not None and file in model.weights:
                        _prove(path, file, folder, proof)
                    _place(path, folder / file.name)
                    for other in choice:
                        if other is not file:  # it was not here, or no good; two would be one too many
                            (folder / other.name).unlink(missing_ok=True)
                    return
                except _Unavailable:
                    faults.append(f"{_host(url)} does not have {file.name}")
                except _Refused as error:
                    faults.append(f"{_host(url)} {error}")
                    log.warning("%s %s", _host(url), error)
    raise FetchError(by_hand(model, folder, "; ".join(dict.fromkeys(faults))))


def _prove(path: Path, file: RemoteFile, folder: Path, proof: Proof) -> None:
    """Load weights that came with the files that are here, before they get their name. Raises `_Refused`."""
    with TemporaryDirectory(dir=path.parent, ignore_cleanup_errors=True) as whole:
        for other in (contents.CONFIG, *contents.TOKENIZER):
            if (folder / other).is_file():
                shutil.copyfile(folder / other, Path(whole) / other)
        staged = path.replace(Path(whole) / file.name)
        try:
            proof(Path(whole))
        except ModelError as error:
            log.info("%s", error)
            raise _Refused(f"sent a {file.name} that does not fit the rest of this model") from error
        staged.replace(path)


def by_hand(model: RemoteModel, folder: Path, why: str) -> str:
    """What to do when a model cannot be fetched, in a sentence or three."""
    names = [" or ".join(file.name for file in choice) for choice in model.files]
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    source = model.weights[0].urls[0]
    return (
        f"The model {model.name} could not be fetched: {why}. "
        f"You can put its files into {folder} yourself: {listed}, e.g. from {source}. "
        "The embedded model needs no files: pocket."
    )


def _fetch_file(url: str, file: RemoteFile, model: RemoteModel, folder: Path, shop: Shop, told: Told) -> Path:
    """One file from one mirror, by pooch, looked at and checked. Raises `_Refused` or `_Unavailable`."""
    scratch = folder.parent / _SCRATCH / folder.name
    scratch.mkdir(parents=True, exist_ok=True)
    part = scratch / f"{file.name}.part"
    if file.sha256 is None:
        part.unlink(missing_ok=True)  # nothing would notice that its first half is of another version
    while True:
        download = _Download(file, _most(file, model), part, shop, told)
        (scratch / file.name).unlink(missing_ok=True)  # of a process that ended: pooch would believe it
        try:
            pooch.get_logger().setLevel("ERROR")
            path = Path(
                pooch.retrieve(
                    url,
                    known_hash=file.sha256 and f"sha256:{file.sha256}",
                    fname=file.name,
                    path=scratch,
                    downloader=download,
                )
            )
        except ValueError as error:  # pooch's, for a wrong hash; it has removed the file
            if download.inherited:
                continue  # the half that was here may have been another file's; now there is none
            raise _Refused(f"sent a {file.name} with another checksum") from error
        return path


def _most(file: RemoteFile, model: RemoteModel) -> int:
    """Bytes above which this cannot be the file, however much a mirror sends."""
    if file.size is not None:
        return file.size
    return 2 * model.megabytes * MIB + 64 * MIB if file in model.weights else contents.MAX_SMALL


def _place(path: Path, target: Path) -> None:
    digest = sha256_of(path)
    size = path.stat().st_size
    path.chmod(0o644)
    path.replace(target)
    pin(target.parent, target.name, digest, size)


class _Download:
    """A downloader for pooch: `(url, output_file, pooch)` leaves the whole file at `output_file`."""

    def __init__(self, file: RemoteFile, most: int, part: Path, shop: Shop, told: Told) -> None:
        self._file, self._most, self._part, self._shop, self._told = file, most, part, shop, told
        self.inherited = self._here() > 0  # whether it goes on with what is not this mirror's

    def __call__(self, url: str, output_file: str, _pooch: Any, check_only: bool = False) -> None:
        tries = 0
        while True:
            before = self._here()
            try:
                self._read(url, before)
                break
            except (requests.RequestException, HTTPError, ValueError) as error:
                # The latter two are what requests lets through of an address that it cannot read.
                tries = 0 if self._here() - before >= MUCH else tries + 1
                if tries == TRIES:
                    raise _Refused(_words(error)) from error
            time.sleep(self._shop.pause_s * 2**tries)
        if not self.inherited:  # else the checksum, which is known then, tells
            wrong = contents.objection(self._part, self._file.keys, self._file.name)
            if wrong:
                self._part.unlink()
                raise _Refused(f"sent a {self._file.name} that {wrong}")
        self._part.replace(output_file)

    def _here(self) -> int:
        return self._part.stat().st_size if self._part.is_file() else 0

    def _again(self, why: str) -> requests.ConnectionError:
        """Forget what is here; the next try begins anew."""
        self._part.unlink(missing_ok=True)
        self.inherited = False
        return requests.ConnectionError(why)

    def _read(self, url: str, before: int) -> None:
        """Append what is missing to the half file. Raises `requests.RequestException` when it is cut off."""
        asked = {"Range": f"bytes={before}-"} if before else {}
        asked["Accept-Encoding"] = "identity"  # so that lengths are those of the file
        with requests.get(url, stream=True, timeout=self._shop.stall_s, headers=asked) as answer:
            if urlsplit(url).scheme == "https" != urlsplit(answer.url).scheme:
                raise _Refused("redirects to an address that is not encrypted")
            if answer.status_code in (404, 410):
                raise _Unavailable
            if answer.status_code == 416:  # there is nothing after what we have: either all, or too much
                raise self._again("has less than we had")
            answer.raise_for_status()
            if answer.status_code not in (200, 206):
                raise _Refused(f"answered {answer.status_code}")
            span = _Span.of(answer, before)
            if span is None:
                raise self._again("sent another part than was asked for")
            if self._file.size is not None and span.total not in (0, self._file.size):
                raise _Refused(f"has a file of {span.total} bytes instead of {self._file.size}")
            if span.total > self._most:
                raise _Refused(f"has a {self._file.name} of {span.total // MIB} MB, which is too large")
            _room_for(self._part.parent, span.total - span.first)
            done = self._keep(answer, span)
        if span.total and done < span.total:
            raise requests.exceptions.ChunkedEncodingError  # go on from there
        if self._file.size is not None and done != self._file.size:
            raise self._again(f"sent {done} bytes instead of {self._file.size}")

    def _keep(self, answer: requests.Response, span: "_Span") -> int:
        """Write what comes behind what is here; gives the bytes that are here then."""
        done, total = span.first, self._file.size or span.total
        if not done:
            self.inherited = False
        self._told(self._file.name, done, total)
        with self._part.open("r+b" if done else "wb") as half:
            half.seek(done)
            for chunk in answer.iter_content(CHUNK):
                half.write(chunk)
                done += len(chunk)
                if done > self._most:
                    self._part.unlink()  # before the folder's lock is let go; nobody shall go on with it
                    raise _Refused(f"sent a {self._file.name} without an end")
                self._told(self._file.name, done, total)
            half.flush()
            os.fsync(half.fileno())
        return done


@dataclass(frozen=True)
class _Span:
    """Which part of a file an answer brings."""

    first: int  # bytes before it
    total: int  # bytes of the whole file; 0: unknown

    @classmethod
    def of(cls, answer: requests.Response, before: int) -> "_Span | None":
        """What the answer says, asked for what follows the first `before` bytes; None for another part."""
        encoded = answer.headers.get("Content-Encoding", "identity").lower() not in ("", "identity")
        if answer.status_code == 200:  # the whole file, whatever was asked for
            return cls(0, 0 if encoded else _whole(answer.headers.get("Content-Length")))
        said = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
        if encoded or said is None or int(said["first"]) != before:
            return None
        return cls(before, _whole(said["total"]))


_CONTENT_RANGE = re.compile(r"bytes (?P<first>\d{1,18})-\d{1,18}/(?P<total>\d{1,18}|\*)")


def _whole(text: str | None) -> int:
    """A number of bytes in a header; 0 for none, or for what is no number."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else 0


def _room_for(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise DiskError(Key.MODEL_DISK, needed=size // MIB, folder=str(folder.parent), free=free // MIB)


def _words(error: Exception) -> str:
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"answered {error.response.status_code}"
    if isinstance(error, requests.TooManyRedirects):
        return "redirects without an end"
    if isinstance(error, ValueError) or not isinstance(error, requests.RequestException):
        return "is or redirects to an address that cannot be fetched"
    if isinstance(error, requests.Timeout):
        return "stopped sending"
    if isinstance(error, requests.exceptions.ProxyError):
        return "cannot be reached through the proxy"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "broke off"
    return (
        "cannot be reached"
        if isinstance(error, requests.ConnectionError) and not error.args
        else _short(error)
    )


def _short(error: requests.RequestException) -> str:
    text = str(error)
    return text if len(text) < 60 and not text.startswith("HTTP") else "cannot be reached"


def _host(url: str) -> str:
    """The address's host and port; a name and a password before them are nobody's business."""
    return urlsplit(url).netloc.rpartition("@")[2]


# ------------------------------------------------------------------------------------------------- pins


@dataclass(frozen=True)
class Pin:
    """What a file was when it came."""

    sha256: str
    size: int  # bytes


def pins(folder: Path) -> dict[str, Pin]:
    """The pins of a model's folder, by file; empty where there are none or they cannot be read."""
    try:
        values = json.loads((folder / PINS).read_text(encoding="utf-8"))
        return {name: Pin(str(value["sha256"]), int(value["size"])) for name, value in values.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in hex. Raises `OSError`."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pin(folder: Path, name: str, sha256: str, size: int) -> None:
    """Remember a file's hash, so that `verify` notices any change from now on."""
    kept = pins(folder) | {name: Pin(sha256, size)}
    fresh = folder / f".{PINS}.{os.getpid()}"
    text = json.dumps({key: asdict(value) for key, value in sorted(kept.items())}, indent=2)
    fresh.write_text(text + "\n", encoding="utf-8")
    fresh.replace(folder / PINS)
