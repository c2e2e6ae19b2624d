"""How many threads torch takes and how they wait, decided before its import."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.process import threads


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("membership", "files", "cpus"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/\n", {"cpu.max": "50000\n"}, 0.5),
        ("0::/\n", {}, None),
        ("0::/a/b\n", {"a/cpu.max": "200000 100000\n", "a/b/cpu.max": "max 100000\n"}, 2),
        ("0::/a/b\n", {"a/cpu.max": "200000 100000\n", "a/b/cpu.max": "100000 100000\n"}, 1),
        ("0::/host/path\n", {"cpu.max": "300000 100000\n"}, 3),
        ("0::/../beside\n", {"cpu.max": "300000 100000\n"}, 3),
        (
            "3:cpu,cpuacct:/docker/x\n",
            {"cpu,cpuacct/cpu.cfs_quota_us": "400000\n", "cpu,cpuacct/cpu.cfs_period_us": "100000\n"},
            4,
        ),
        ("3:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        (
            "4:memory:/m\n1:cpu:/in/ner\n0::/\n",
            {
                "cpu/cpu.cfs_quota_us": "-1\n",
                "cpu/in/cpu.cfs_quota_us": "25000\n",
                "cpu/in/cpu.cfs_period_us": "50000\n",
                "cpu/in/ner/cpu.cfs_quota_us": "900000\n",
                "cpu/in/ner/cpu.cfs_period_us": "100000\n",
                "unified/cpu.max": "max 100000\n",
            },
            0.5,
        ),
        ("0::/\n", {"cpu.max": "nonsense\n"}, None),
        ("0::/\n", {"cpu.max": "0 0\n"}, None),
        ("nonsense", {"cpu.max": "100000 100000\n"}, None),
    ],
)
def test_the_least_of_all_quotas_counts_wherever_it_is_set(
    tmp_path: Path, membership: str, files: dict[str, str], cpus: float | None
) -> None:
    root = tree(tmp_path / "cgroup", files)
    root.mkdir(exist_ok=True)
    (tmp_path / "self").write_text(membership)
    assert threads.quota(root, tmp_path / "self") == cpus


def test_elsewhere_than_on_linux_there_is_no_quota(tmp_path: Path) -> None:
    assert threads.quota(tmp_path / "none", tmp_path / "neither") is None


@pytest.mark.parametrize(
    ("quota", "cores", "count"),
    [(None, 4, None), (8.0, 4, None), (4.0, 4, None), (2.5, 4, "2"), (0.3, 4, "1"), (1.0, 1, None)],
)
def test_threads_never_exceed_the_quota_and_an_ordinary_machine_keeps_its_own(
    monkeypatch: pytest.MonkeyPatch, quota: float | None, cores: int, count: str | None
) -> None:
    monkeypatch.setattr(threads, "quota", lambda: quota)
    monkeypatch.setattr(threads, "cores", lambda cpus: cores)
    environ: dict[str, str] = {}
    threads.prepare(environ)
    assert environ.get("OMP_NUM_THREADS") == count


@pytest.mark.parametrize("key", ["OMP_NUM_THREADS", "MKL_NUM_THREADS"])
def test_the_users_own_number_of_threads_wins(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setattr(threads, "quota", lambda: 1.0)
    monkeypatch.setattr(threads, "cores", lambda cpus: 8)
    environ = {key: "6"}
    threads.prepare(environ)
    assert {name: value for name, value in environ.items() if "NUM" in name} == {key: "6"}


@pytest.mark.parametrize(
    ("key", "value"), [("GOMP_SPINCOUNT", "5"), ("OMP_WAIT_POLICY", "ACTIVE"), ("KMP_BLOCKTIME", "infinite")]
)
def test_the_users_own_way_of_waiting_wins(key: str, value: str) -> None:
    environ = {key: value}
    threads.prepare(environ)
    assert {name: environ[name] for name in threads.WAITING_DECIDED if name in environ} == {key: value}


def test_two_threads_of_one_core_are_one(tmp_path: Path) -> None:
    siblings = {0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"}
    tree(tmp_path, {f"cpu{n}/topology/thread_siblings_list": f"{text}\n" for n, text in siblings.items()})
    assert threads.cores(range(4), tmp_path) == 2
    assert threads.cores([0, 2], tmp_path) == 1
    assert threads.cores([5, 6, 7], tmp_path) == 3, "where nothing is known, each counts"


@pytest.mark.parametrize(
    "module",
    ["engine", "engine.__main__", "engine.process.child", "engine.evaluate", "engine.training.__main__"],
)
def test_every_program_decides_before_torch_is_imported(module: str) -> None:
    code = f"""
import os, sys
class Spy:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            print(os.environ.get("GOMP_SPINCOUNT"))
            os._exit(0)
sys.meta_path.insert(0, Spy())
import {module}
import torch
"""
    environ = {name: value for name, value in os.environ.items() if name not in threads.WAITING_DECIDED}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=100
    )
    assert ran.stdout == "1000\n"
