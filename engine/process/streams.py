"""stdout and stderr that nobody can break: what nobody can read costs nothing.

A closed pipe, a full disk, a terminal that went away or cannot show a character never reaches whoever prints.
"""

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

STANDARD = (0, 1, 2)  # the descriptors of stdin, stdout, stderr


class _Sink(io.RawIOBase):
    """Bytes for another raw stream. From its first error on, which is remembered, they go nowhere."""

    def __init__(self, raw: Any, error: OSError | None = None) -> None:
        self._raw = raw
        self.error = error

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return int(self._raw.fileno())

    def isatty(self) -> bool:
        try:
            return self.error is None and bool(self._raw.isatty())
        except (OSError, ValueError):
            return False

    def write(self, data: Any) -> int | None:
        if self.error is None:
            try:
                written: int | None = self._raw.write(data)
                return written
            except OSError as error:
                self.error = error
            except ValueError as error:  # closed by somebody else
                self.error = OSError(errno.EBADF, str(error))
        return memoryview(data).nbytes


@contextlib.contextmanager
def unbreakable() -> Iterator[None]:
    """While this lasts, writing to `sys.stdout` and `sys.stderr` raises nothing; both are there."""
    _fill_standard()
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = ours = _careful(sys.stdout), _careful(sys.stderr)
    try:
        yield
    finally:
        for stream in ours:
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        sys.stdout, sys.stderr = before


def claimed_stdout() -> TextIO:
    """stdout, for a picture alone: while `unbreakable` lasts, all that is printed goes to stderr now."""
    stream, sys.stdout = sys.stdout, sys.stderr
    return stream


def deliver(data: bytes, stream: TextIO) -> None:
    """Write these bytes to a stream of `unbreakable`. Raises `OSError` unless all of them were taken."""
    stream.buffer.write(data)
    stream.buffer.flush()
    check(stream)


def check(stream: TextIO) -> None:
    """Raises the first `OSError` that a stream of `unbreakable` has met, if any."""
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    if isinstance(raw, _Sink) and raw.error is not None:
        raise raw.error


def _fill_standard() -> None:
    """Open what the caller has closed: else the next file of ours would get its place, and our words."""
    for number in STANDARD:
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest number that is free


def _careful(stream: TextIO | None) -> TextIO:
    """A stream to the same place that can be written to, come what may; None is one that was closed."""
    if stream is None:
        closed = OSError(errno.EBADF, os.strerror(errno.EBADF))
        return _text(_Sink(None, closed), "utf-8", line_buffering=True)
    binary = getattr(stream, "buffer", None)
    with contextlib.suppress(OSError, ValueError):  # the first write will tell
        stream.flush()
    try:
        stream.fileno()
    except (OSError, ValueError, AttributeError):  # of no file, e.g. a test's
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
        return stream
    raw = getattr(binary, "raw", binary)
    return _text(_Sink(raw), stream.encoding, line_buffering=getattr(stream, "line_buffering", True))


def _text(sink: _Sink, encoding: str, *, line_buffering: bool) -> TextIO:
    """A character that the place does not know is escaped."""
    return io.TextIOWrapper(
        io.BufferedWriter(sink), encoding, errors="backslashreplace", line_buffering=line_buffering
    )
