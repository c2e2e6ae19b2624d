"""A machine is shared out between engines: each has a GPU or its part of the cores, and memory counts."""

from pathlib import Path

import pytest

from engine.process import free_memory, sharing, threads


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight cores, no quota, memory as nobody tells, no GPU."""
    monkeypatch.setattr(threads, "quota", lambda: None)
    monkeypatch.setattr(threads, "cores", lambda cpus: 8)
    monkeypatch.setattr(free_memory, "found", lambda: None)
    monkeypatch.setattr(sharing, "_names", lambda folder: [])
    monkeypatch.setattr(sharing, "_asked", lambda environ: 0)


def with_gpus(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    files = [f"nvidia{number}" for number in range(count)]
    monkeypatch.setattr(sharing, "_names", lambda folder: ["nvidiactl", "nvidia-uvm", "null", *files])


def test_a_single_engine_has_all_that_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with_gpus(monkeypatch, 4)
    environ = {"PATH": "/bin", "CUDA_VISIBLE_DEVICES": "0,1"}
    assert sharing.shares(environ, 1) == [environ]


@pytest.mark.parametrize(("count", "each"), [(2, "4"), (3, "2"), (8, "1"), (20, "1")])
def test_cores_are_shared_out_and_each_engine_has_one_at_least(count: int, each: str) -> None:
    assert sharing.shares({"PATH": "/bin"}, count) == [{"PATH": "/bin", "OMP_NUM_THREADS": each}] * count


@pytest.mark.parametrize("key", ["OMP_NUM_THREADS", "MKL_NUM_THREADS"])
def test_what_somebody_said_about_threads_holds_for_each_engine(key: str) -> None:
    assert sharing.shares({key: "3"}, 2) == [{key: "3"}] * 2


def test_a_container_s_cpu_time_is_shared_out_although_it_was_written_down_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threads, "quota", lambda: 4.5)
    environ: dict[str, str] = {}
    threads.prepare(environ)
    assert environ["OMP_NUM_THREADS"] == "4"
    assert [share["OMP_NUM_THREADS"] for share in sharing.shares(environ, 2)] == ["2", "2"]


@pytest.mark.parametrize(
    ("visible", "devices"),
    [
        (None, ["0", "1", "0"]),
        ("3,5", ["3", "5", "3"]),
        ("GPU-8932f937, MIG-1b2c", ["GPU-8932f937", "MIG-1b2c", "GPU-8932f937"]),
        ("1", ["1", "1", "1"]),
        ("1,-1,0", ["1", "1", "1"]),
        ("", ["", "", ""]),
        ("-1", ["-1", "-1", "-1"]),
    ],
)
def test_gpus_are_given_out_in_turn(
    monkeypatch: pytest.MonkeyPatch, visible: str | None, devices: list[str]
) -> None:
    with_gpus(monkeypatch, 2)
    environ = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    assert [share["CUDA_VISIBLE_DEVICES"] for share in sharing.shares(environ, 3)] == devices


def test_without_a_gpu_nothing_is_said_of_one() -> None:
    assert all("CUDA_VISIBLE_DEVICES" not in share for share in sharing.shares({}, 2))


@pytest.mark.parametrize(
    ("visible", "there_are", "wanted", "count"),
    [
        (None, 0, None, 1),
        (None, 4, None, 4),
        ("2,3", 4, None, 2),
        ("", 4, None, 1),
        (None, 4, 1, 1),
        (None, 0, 3, 3),
    ],
)
def test_auto_is_one_a_gpu_else_one(
    monkeypatch: pytest.MonkeyPatch, visible: str | None, there_are: int, wanted: int | None, count: int
) -> None:
    with_gpus(monkeypatch, there_are)
    assert sharing.workers(wanted, {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}) == count


@pytest.mark.parametrize(("room", "count"), [(4.0, 4), (2.9, 2), (0.5, 1)])
def test_there_are_no_more_engines_than_memory_has_room_for_and_the_log_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, room: float, count: int
) -> None:
    monkeypatch.setattr(free_memory, "found", lambda: int(room * free_memory.DREAM_BYTES))
    assert sharing.workers(4, {}) == count
    assert ("memory" in caplog.text) is (count < 4)


def test_a_machine_whose_gpus_are_no_files_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    program = tmp_path / "nvidia-smi"
    program.write_text(
        "#!/bin/sh\n"
        "echo 'GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-1)'\n"
        "echo '  MIG 3g.20gb     Device  0: (UUID: MIG-1)'\n"
        "echo 'GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-2)'\n"
    )
    program.chmod(0o755)
    environ = {"PATH": f"{tmp_path}:/bin:/usr/bin"}
    assert sharing.gpus(environ, devices=tmp_path) == ["0", "1"]
    program.write_text("#!/bin/sh\necho 'NVIDIA-SMI has failed' >&2\nexit 9\n")
    assert sharing.gpus(environ, devices=tmp_path) == []
    program.unlink()
    assert sharing.gpus(environ, devices=tmp_path / "none") == []
