"""What the command line shows while it dreams, and how a signal stops it. Knows terminals, not models."""

import os
import signal
import sys
import time
from types import FrameType
from typing import Any

from tqdm import tqdm

from engine.protocol import Fetching, Progress

LINE_EVERY_S = 5.0  # between lines of progress where there is no terminal


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
        if not sys.stderr.isatty():
            now = time.monotonic()
            if now - self._line_at >= LINE_EVERY_S or progress.step == progress.steps:
                self._line_at = now
                sys.stderr.write(f"step {progress.step} of {progress.steps}, {shown}\n")
                sys.stderr.flush()
            return
        if self._bar is None:
            sized = all(os.get_terminal_size(sys.stderr.fileno()))  # some say 0 × 0: tqdm would show nothing
            self._bar = tqdm(
                total=progress.steps,
                file=sys.stderr,
                dynamic_ncols=sized,
                ncols=None if sized else 80,
                nrows=None if sized else 24,
                bar_format="{percentage:3.0f}%|{bar}| step {n_fmt}/{total_fmt}{postfix}",
            )
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
        self._bar: tqdm[Any] = tqdm(desc="film", unit=" frames", file=sys.stderr, disable=None, leave=False)

    def __enter__(self) -> "FilmBar":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, done: int, total: int) -> None:
        """`done` of `total` frames are in it; fewer than before: it begins anew, smaller."""
        if done < self._bar.n or total != self._bar.total:
            self._bar.reset(total)
        self._bar.update(done - self._bar.n)


class Interrupts:
    """Ctrl-C and SIGTERM, while this context lasts: the first asks the search to stop, the second aborts.

    Before the search there is nothing to keep: then the first ends the process at once.
    """

    def __init__(self) -> None:
        self.number: int | None = None  # of the signal that asked to stop
        self.searching = False  # set by the owner once there is something to keep
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Interrupts":
        for number in (signal.SIGINT, signal.SIGTERM):
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
        """0, or the shell's code for the signal: 130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + self.number if self.number is not None else 0

    def _handle(self, number: int, frame: FrameType | None) -> None:
        first, self.number = self.number is None, number
        if not self.searching:
            _tell("\nStopped while the models were loading; there is no picture to keep.\n")
            os._exit(128 + number)  # an exception in the middle of an import comes out as something else
        if not first:
            raise KeyboardInterrupt
        _tell("\nStopping after this step, and keeping the best picture; once more leaves at once.\n")


def _tell(text: str) -> None:
    """Write to stderr from a signal handler, where Python's buffers may be in use."""
    os.write(2, text.encode())


def use_any_terminal() -> None:
    """Let a character that the terminal cannot show be escaped instead of being an error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def repaired(argument: str) -> str:
    """An argument as UTF-8, whatever the locale took its bytes for."""
    return os.fsencode(argument).decode("utf-8", "replace")
