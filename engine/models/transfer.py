"""One file from one address: resumed where it was cut off, and no answer believed that cannot be the file.

By requests. What huggingface_hub has for it is no public function, hears of a stop or of too many bytes only
through a bar of tqdm's, gives up at a 500, and keeps a file that is a byte short where no size is known.
"""

import os
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from engine.errors import DiskError
from engine.models.catalogue import MIB, RemoteFile
from engine.sentences import Key

TRIES = 3  # going on where the one before was cut off; one that brought much does not count
MUCH = MIB  # bytes
CHUNK = MIB // 4  # bytes
_CONTENT_RANGE = re.compile(r"bytes (?P<first>\d{1,18})-\d{1,18}/(?P<total>\d{1,18}|\*)")

Told = Callable[[str, int, int], None]  # file, bytes there, bytes in all (0: unknown); may raise to give up


class Unavailable(Exception):
    """A mirror does not have this file at all."""


class Refused(Exception):
    """A mirror has something else than the file, or cannot send it; the argument says what happened."""


class _BrokenOff(Exception):
    """Another try may bring the file; the argument says what happened."""


@dataclass
class Transfer:
    """How a file comes, and into which half file."""

    file: RemoteFile
    part: Path
    most: int  # bytes above which this cannot be the file, however much is sent
    told: Told
    stall_s: float  # seconds without a byte after which an answer is given up
    pause_s: float  # before the second try, doubled for each one more
    inherited: bool = False  # whether some of it was there before, perhaps another mirror's or version's

    def receive(self, url: str) -> None:
        """Let the half file be whole. Raises `Unavailable`, `Refused`, `DiskError`, or what `told` raises."""
        self.inherited = self._here() > 0
        tries = 0
        while True:
            before = self._here()
            try:
                self._go_on(url, before)
                return
            except (_BrokenOff, requests.RequestException, HTTPError, ValueError) as error:
                # The latter two are what requests lets through of an address that it cannot read.
                tries = 0 if self._here() - before >= MUCH else tries + 1
                if tries == TRIES:
                    raise Refused(_words(error)) from error
            time.sleep(self.pause_s * 2**tries)

    def _here(self) -> int:
        return self.part.stat().st_size if self.part.is_file() else 0

    def _anew(self, why: str) -> _BrokenOff:
        """Forget what is here; the next try begins at the beginning."""
        self.part.unlink(missing_ok=True)
        self.inherited = False
        return _BrokenOff(why)

    def _go_on(self, url: str, before: int) -> None:
        """Append what is missing. Raises what `receive` catches when it is cut off."""
        asked = {"Range": f"bytes={before}-"} if before else {}
        asked["Accept-Encoding"] = "identity"  # so that lengths are those of the file
        with requests.get(url, stream=True, timeout=self.stall_s, headers=asked) as answer:
            if urlsplit(url).scheme == "https" != urlsplit(answer.url).scheme:
                raise Refused("redirects to an address that is not encrypted")
            if answer.status_code in (404, 410):
                raise Unavailable
            if answer.status_code == 416:  # there is nothing after what we have: either all, or too much
                raise self._anew("has less than we had")
            answer.raise_for_status()
            first, total = self._span(answer, before)
            room_for(self.part.parent, total - first)
            done = self._keep(answer, first, self.file.size or total)
        if total and done < total:
            raise _BrokenOff("broke off")
        if self.file.size is not None and done != self.file.size:
            raise self._anew(f"sent {done} bytes instead of {self.file.size}")

    def _span(self, answer: requests.Response, before: int) -> tuple[int, int]:
        """Where what an answer brings begins, and the bytes of the whole file (0: unknown)."""
        encoded = answer.headers.get("Content-Encoding", "identity").lower() not in ("", "identity")
        if answer.status_code == 200:  # the whole file, whatever was asked for
            first, total = 0, 0 if encoded else _whole(answer.headers.get("Content-Length"))
        elif answer.status_code == 206:
            said = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
            if encoded or said is None or int(said["first"]) != before:
                raise self._anew("sent another part than was asked for")
            first, total = before, _whole(said["total"])
        else:
            raise Refused(f"answered {answer.status_code}")
        if self.file.size is not None and total not in (0, self.file.size):
            raise Refused(f"has a file of {total} bytes instead of {self.file.size}")
        if total > self.most:
            raise Refused(f"has a {self.file.name} of {total // MIB} MB, which is too large")
        return first, total

    def _keep(self, answer: requests.Response, done: int, total: int) -> int:
        """Write what an answer brings behind the first `done` bytes; returns how many there are then."""
        if not done:
            self.inherited = False
        self.told(self.file.name, done, total)
        with self.part.open("r+b" if done else "wb") as half:
            half.seek(done)
            for chunk in answer.iter_content(CHUNK):
                half.write(chunk)
                done += len(chunk)
                if done > self.most:
                    self.part.unlink()  # before the folder's lock is let go; nobody shall go on with it
                    raise Refused(f"sent a {self.file.name} without an end")
                self.told(self.file.name, done, total)
            half.flush()
            os.fsync(half.fileno())
        return done


def _whole(text: str | None) -> int:
    """A number of bytes in a header; 0 for none, or for what is no number."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else 0


def room_for(folder: Path, size: int) -> None:
    """Raises `DiskError` when so many bytes more do not fit."""
    free = shutil.disk_usage(folder).free
    if size > free:
        raise DiskError(Key.MODEL_DISK, needed=size // MIB, folder=str(folder.parent), free=free // MIB)


def _words(error: Exception) -> str:
    match error:
        case _BrokenOff():
            return str(error)
        case requests.HTTPError(response=requests.Response(status_code=code)):
            return f"answered {code}"
        case requests.TooManyRedirects():
            return "redirects without an end"
        case requests.Timeout():
            return "stopped sending"
        case requests.exceptions.ProxyError():
            return "cannot be reached through the proxy"
        case requests.exceptions.ChunkedEncodingError():
            return "broke off"
        case requests.RequestException() if not isinstance(error, ValueError):
            return "cannot be reached"
    return "is or redirects to an address that cannot be fetched"
