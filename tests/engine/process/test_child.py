"""The engine's child process, spoken to over its real pipes; its dreams are scripted."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import engine
from engine import protocol
from engine.errors import FailureKind
from engine.process import child as worker_module
from engine.protocol import DreamRequest, Event, Failed, Finished, Message, Progress, Ready, Started, Stop
from tests.engine.processes import wait_until

COMMAND = (sys.executable, str(Path(__file__).with_name("scripted_child.py")))
EXIT_S = 20


class Worker:
    """A worker process and its pipes, blocking."""

    def __init__(self, *arguments: str, folder: Path | None = None) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
        )
        assert self.process.stdin and self.process.stdout and self.process.stderr
        self.stdin, self.stdout, self.stderr = self.process.stdin, self.process.stdout, self.process.stderr

    def send(self, *messages: Message) -> None:
        self.stdin.write(b"".join(map(protocol.encode, messages)))
        self.stdin.flush()

    def read(self) -> Message:
        def read_exactly(size: int) -> bytes:
            data = self.stdout.read(size)
            if len(data) < size:
                raise EOFError
            return data

        return protocol.read(read_exactly)

    def events(self, id: str) -> list[Event]:
        """All events up to the end of the next dream, which must be this one."""
        events: list[Event] = []
        while not events or not isinstance(events[-1], Finished | Failed):
            message = self.read()
            assert isinstance(message, Started | Progress | Finished | Failed)
            assert message.id == id
            events.append(message)
        return events

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.stdin, self.stdout, self.stderr):
            with contextlib.suppress(BrokenPipeError):
                stream.close()


@pytest.fixture
def worker() -> Iterator[Worker]:
    with Worker() as worker:
        assert worker.read() == Ready(engine.__version__, "cpu")
        yield worker


def test_a_dream_is_started_progresses_and_is_finished(worker: Worker) -> None:
    worker.send(DreamRequest("a", "cherries", 7, steps=4))
    started, *progress, finished = worker.events("a")
    assert isinstance(started, Started)
    assert [event.step for event in progress if isinstance(event, Progress)] == [1, 2, 3, 4]
    assert isinstance(finished, Finished)
    assert (finished.picture, finished.stopped, finished.recipe.seed) == (b"final picture", False, 7)


def test_requests_are_dreamt_one_after_the_other(worker: Worker) -> None:
    worker.send(DreamRequest("a", "cherries", 1), DreamRequest("b", "a house", 2))
    assert isinstance(worker.events("a")[-1], Finished)
    assert isinstance(worker.events("b")[-1], Finished)


def test_stop_ends_the_running_dream_with_its_best_picture_and_spares_the_next(worker: Worker) -> None:
    worker.send(DreamRequest("a", "endless", 1, steps=5000), DreamRequest("b", "a house", 2))
    assert isinstance(worker.read(), Started)
    worker.send(Stop("a"))
    finished = worker.events("a")[-1]
    assert isinstance(finished, Finished)
    assert finished.stopped
    last = worker.events("b")[-1]
    assert isinstance(last, Finished)
    assert not last.stopped


def test_stop_reaches_a_dream_that_still_waits_in_the_queue(worker: Worker) -> None:
    worker.send(
        DreamRequest("a", "endless", 1, steps=5000), DreamRequest("b", "endless", 2, steps=5000), Stop("b")
    )
    assert isinstance(worker.read(), Started)
    worker.send(Stop("a"))
    worker.events("a")
    finished = worker.events("b")[-1]
    assert isinstance(finished, Finished)
    assert (finished.stopped, finished.steps_done) == (True, 1)


def test_a_stop_does_not_outlive_its_dream(worker: Worker) -> None:
    worker.send(Stop("a"), Stop("unknown"))
    for _ in range(2):  # the id is used again, as when a dream is resumed
        worker.send(DreamRequest("a", "cherries", 1))
        finished = worker.events("a")[-1]
        assert isinstance(finished, Finished)
        assert not finished.stopped
        worker.send(Stop("a"))


def test_what_a_library_prints_or_reads_does_not_touch_the_frames(worker: Worker) -> None:
    worker.send(DreamRequest("a", "print", 1), DreamRequest("b", "a house", 2))
    assert isinstance(worker.events("a")[-1], Finished)
    assert isinstance(worker.events("b")[-1], Finished)
    worker.stdin.close()
    worker.process.wait(EXIT_S)
    said = worker.stderr.read().decode()
    assert "printed by a library" in said
    assert "written by native code" in said


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("raise", FailureKind.INTERNAL),
        ("raise-later", FailureKind.INTERNAL),
        ("nothing", FailureKind.INTERNAL),
        ("memory", FailureKind.MEMORY),
        ("cuda-memory", FailureKind.MEMORY),
        ("disk", FailureKind.DISK),
        ("model", FailureKind.MODEL),
        ("refused", FailureKind.BAD_REQUEST),
    ],
)
def test_a_dream_that_fails_says_so_once_and_the_next_one_runs(
    worker: Worker, prompt: str, kind: FailureKind
) -> None:
    worker.send(DreamRequest("a", prompt, 1), DreamRequest("b", "a house", 2))
    failed = worker.events("a")[-1]
    assert isinstance(failed, Failed)
    assert failed.kind is kind
    assert str(failed.message).endswith(".")
    assert "Traceback" not in str(failed.message)
    assert isinstance(worker.events("b")[-1], Finished)


def test_a_fault_of_ours_leaves_its_traceback_on_stderr(worker: Worker) -> None:
    worker.send(DreamRequest("dream-17", "raise", 1))
    worker.events("dream-17")
    worker.stdin.close()
    worker.process.wait(EXIT_S)
    said = worker.stderr.read().decode()
    assert "dream-17" in said
    assert "RuntimeError: a fault of ours" in said


def test_a_second_end_of_a_dream_is_not_sent(worker: Worker) -> None:
    worker.send(DreamRequest("a", "twice", 1), DreamRequest("b", "a house", 2))
    assert isinstance(worker.events("a")[-1], Finished)
    assert isinstance(worker.read(), Started)


def test_the_end_of_its_stdin_stops_the_dream_and_ends_the_worker(worker: Worker) -> None:
    worker.send(DreamRequest("a", "endless", 1, steps=5000), DreamRequest("b", "a house", 2))
    assert isinstance(worker.read(), Started)
    worker.stdin.close()
    finished = worker.events("a")[-1]
    assert isinstance(finished, Finished)
    assert finished.stopped
    with pytest.raises(EOFError):  # what still waited is not begun
        worker.read()
    assert worker.process.wait(EXIT_S) == 0
    assert worker.stderr.read() == b""


def test_a_worker_that_nobody_reads_any_more_ends_quietly(worker: Worker) -> None:
    worker.send(DreamRequest("a", "endless", 1, steps=5000))
    assert isinstance(worker.read(), Started)
    worker.stdout.close()
    assert worker.process.wait(EXIT_S) == 0
    assert worker.stderr.read() == b""


def test_a_broken_frame_from_the_parent_ends_the_worker(worker: Worker) -> None:
    worker.stdin.write(b"GET / HTTP/1.1\r\n\r\n")
    worker.stdin.flush()
    assert worker.process.wait(EXIT_S) == 0
    assert "BrokenFrame" in worker.stderr.read().decode()


def test_interrupt_is_the_parents_affair_and_terminate_ends_the_worker(worker: Worker) -> None:
    worker.process.send_signal(signal.SIGINT)
    worker.send(DreamRequest("a", "cherries", 1))
    assert isinstance(worker.events("a")[-1], Finished)
    worker.process.send_signal(signal.SIGTERM)
    wait_until(lambda: worker.process.poll() is not None)
    assert worker.process.returncode == -signal.SIGTERM


def test_a_step_that_never_returns_does_not_outlive_the_parent() -> None:
    with Worker("impatient") as worker:
        assert isinstance(worker.read(), Ready)
        worker.send(DreamRequest("a", "hang", 1))
        assert isinstance(worker.read(), Started)
        worker.stdin.close()
        assert worker.process.wait(EXIT_S) == 0


def test_a_start_that_fails_is_told_to_the_parent_in_the_place_of_ready(tmp_path: Path) -> None:
    with Worker("poor", str(tmp_path / "none")) as worker:
        failed = worker.read()
        assert isinstance(failed, Failed)
        assert (failed.id, failed.kind) == (worker_module.NO_DREAM, FailureKind.MEMORY)
        assert str(failed.message) == "A dream needs about 588 MB of memory, but only 12 MB are free."
        assert worker.process.wait(EXIT_S) == worker_module.EXIT_NO_START
        assert "Traceback" not in worker.stderr.read().decode()


def test_a_settings_file_beside_it_which_holds_the_token_is_not_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"DISCORD_TOKEN=t.o.k\nDATA_DIR=\xff\xfe\n")
    with Worker(folder=tmp_path) as worker:
        assert worker.read() == Ready(engine.__version__, "cpu")
