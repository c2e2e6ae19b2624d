"""What the command line shows while it dreams, and how a signal stops it. Knows terminals, not models."""

import contextlib
import os
import signal
import sys
import time
from types import FrameType
from typing import Any

from tqdm import tqdm

from engine.protocol import Fetching, Progress

LINE_EVERY_S = 5.0  # between lines of progress where there is no terminal
NARROW = 60  # columns; a bar with all its words needs more

# The console is gone: a terminal that was closed, a connection that broke off.
_GONE = tuple(getattr(signal, name) for name in ("SIGHUP", "SIGBREAK") if hasattr(signal, name))


class Display:
    """Progress on stderr: a bar on a terminal, a line now and then elsewhere, nothing when quiet."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._bar: tqdm[Any] | None = None
        self._fetching = FetchBar()
        self._line_at = 0.0  # monotonic seconds; when the last line was written

    def say(self, sentence: str) -> None:
        """A line of its own, above the bar."""
        if not self._quiet:
            tqdm.write(sentence, file=sys.stderr)

    def fetching(self, event: Fetching) -> None:
        """Show how far a model's file has come."""
        if not self._quiet:
            self._fetching.show(f"{event.model} {event.file}" if event.file else "", event.done, event.total)

    def step(self, progress: Progress) -> None:
        """Show a step."""
        if self._quiet:
            return
        self._fetching.close()
        shown = f"score {progress.score:.1f}, best {progress.best_score:.1f}"
        if progress.seconds_left >= 1:  # unknown at first
            shown += f", {tqdm.format_interval(progress.seconds_left)} left"
        if not draws():
            now = time.monotonic()
            if now - self._line_at >= LINE_EVERY_S or progress.step == progress.steps:
                self._line_at = now
                sys.stderr.write(f"step {progress.step} of {progress.steps}, {shown}\n")
                sys.stderr.flush()
            return
        columns = _columns()
        if self._bar is None:
            self._bar = tqdm(
                total=progress.steps,
                file=sys.stderr,
                dynamic_ncols=columns > 0,
                ncols=None if columns else 80,  # tqdm would show nothing
                nrows=None if columns else 24,
            )
        if 0 < columns < NARROW:  # the window may change its size at any time
            self._bar.bar_format = "{percentage:3.0f}% {n_fmt}/{total_fmt}"
        else:
            self._bar.bar_format = "{percentage:3.0f}%|{bar}| step {n_fmt}/{total_fmt}{postfix}"
        self._bar.set_postfix_str(shown, refresh=False)
        self._bar.update(progress.step - self._bar.n)

    def close(self) -> None:
        """Leave the bars as they stand."""
        self._fetching.close()
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class FetchBar:
    """A progress bar on stderr for files that arrive one after the other."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None
        self._file = ""

    def __enter__(self) -> "FetchBar":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def show(self, file: str, done: int, total: int) -> None:
        """`done` of `total` bytes (0: unknown) of this file are here; "": another process fetches it."""
        if self._bar is None or file != self._file:
            self.close()
            self._file = file
            name = file or "another process fetches this model; waiting"
            self._bar = tqdm(desc=name, unit="B", unit_scale=True, unit_divisor=1024, file=sys.stderr)
        self._bar.total = total or None
        self._bar.update(max(0, done - self._bar.n) if file else 0)

    def close(self) -> None:
        """Leave the bar as it stands."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class FilmBar:
    """A progress bar on stderr for a film that is made; nothing where that is no terminal."""

    def __init__(self) -> None:
        hidden = not draws()
        self._bar: tqdm[Any] = tqdm(desc="film", unit=" frames", file=sys.stderr, disable=hidden, leave=False)

    def __enter__(self) -> "FilmBar":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, done: int, total: int) -> None:
        """`done` of `total` frames are in it; fewer than before: it begins anew, smaller."""
        if done < self._bar.n or total != self._bar.total:
            self._bar.reset(total)
        self._bar.update(done - self._bar.n)


def draws() -> bool:
    """Whether stderr is a terminal on which a line can be drawn anew."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _columns() -> int:
    """Of the terminal behind stderr; 0 where it does not know, as some do."""
    try:
        columns, lines = os.get_terminal_size(sys.stderr.fileno())
    except (OSError, ValueError):
        return 0
    return columns if lines else 0


class Interrupts:
    """Ctrl-C, SIGTERM and SIGHUP, while this context lasts: the first asks the search to stop.

    A second Ctrl-C or SIGTERM aborts; a SIGHUP never does, and none aborts after it, for a terminal that is
    closed sends several at once. Before the search there is nothing to keep: then the first ends the process.
    """

    def __init__(self) -> None:
        self.number: int | None = None  # of the signal that asked to stop
        self._impatient = False  # a person asked already
        self.searching = False  # set by the owner once there is something to keep
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Interrupts":
        for number in (signal.SIGINT, signal.SIGTERM, *_GONE):
            if number in _GONE and signal.getsignal(number) is signal.SIG_IGN:
                continue  # nohup
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def asked(self) -> bool:
        """Whether the search is to stop."""
        return self.number is not None

    @property
    def exit_code(self) -> int:
        """0, or the shell's code for the signal: 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP."""
        return 128 + self.number if self.number is not None else 0

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self.searching:
            _tell("\nStopped while the models were loading; there is no picture to keep.\n")
            os._exit(128 + number)  # an exception in the middle of an import comes out as something else
        gone = number in _GONE
        if self._impatient and not gone:
            self.number = number
            raise KeyboardInterrupt
        first, self._impatient = self.number is None, self._impatient or not gone
        if not first:
            return
        self.number = number
        _tell("\nStopping after this step, and keeping the best picture; once more leaves at once.\n")


def _tell(text: str) -> None:
    """Write to stderr from a signal handler, where Python's buffers may be in use."""
    with contextlib.suppress(OSError):  # nobody reads it any more
        os.write(2, text.encode())


def repaired(argument: str) -> str:
    """An argument as UTF-8, whatever the locale took its bytes for."""
    return os.fsencode(argument).decode("utf-8", "replace")
