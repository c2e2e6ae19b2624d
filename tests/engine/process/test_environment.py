"""The environment of the engine's child: what its libraries need, and no secrets."""

from pathlib import Path

import pytest

from engine.process.environment import for_the_child
from engine.process.host import EngineHost
from engine.settings import environment
from tests.engine.process.test_host import COMMAND

NEEDED = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/home/oneiro",
    "LANG": "it_IT.UTF-8",
    "LC_ALL": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "0",
    "NVIDIA_DRIVER_CAPABILITIES": "compute",
    "LD_LIBRARY_PATH": "/usr/local/cuda/lib64",
    "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True",
    "PYTORCH_ENABLE_MPS_FALLBACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HOME": "/models",
    "HTTPS_PROXY": "http://name:word@proxy:3128",
    "no_proxy": "localhost",
    "SSL_CERT_FILE": "/etc/ours.pem",
    "SystemRoot": "C:\\Windows",
    "DATA_DIR": "data",
    "DREAM_MODEL": "pocket",
    "MODEL_MIRRORS": "https://models.example",
    "TMPDIR": "/tmp",
    "TZ": "Europe/Rome",
}
SECRET = {
    "DISCORD_TOKEN": "t.o.k",
    "DATABASE_URL": "postgres://oneiro:word@host/db",
    "HEROKU_POSTGRESQL_PINK_URL": "postgres://oneiro:word@host/db",
    "PGPASSWORD": "word",
    "PGPASSFILE": "/home/oneiro/.pgpass",
    "AWS_SECRET_ACCESS_KEY": "word",
    "GITHUB_TOKEN": "word",
    "HF_TOKEN": "word",
    "HUGGINGFACE_HUB_TOKEN": "word",
    "RAY_AUTH_TOKEN": "word",
    "SSH_AUTH_SOCK": "/run/agent",
    "SENTRY_DSN": "https://word@sentry.example/1",
    "SOMETHING_NEW": "word",
}


def test_the_child_gets_what_its_libraries_need_and_no_secret() -> None:
    assert for_the_child(NEEDED | SECRET) == NEEDED


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads Linux's /proc")
async def test_a_real_child_s_environment_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ({"OMP_NUM_THREADS": "1"} | SECRET).items():
        monkeypatch.setenv(name, value)
    host = EngineHost(command=COMMAND, start_timeout_s=60)
    try:
        await host.start()
        found = environment_of(host.pid)
    finally:
        await host.close()
    assert found["OMP_NUM_THREADS"] == "1"
    assert not SECRET.keys() & found.keys()
    assert not {"t.o.k", "postgres://oneiro:word@host/db"} & set(found.values())


def test_of_a_settings_file_the_child_gets_what_is_the_engine_s(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DISCORD_TOKEN=t.o.k\nMODEL_MIRRORS=https://models.example\nOFFLINE=1\n")
    given = for_the_child(environment(tmp_path))
    assert given["MODEL_MIRRORS"] == "https://models.example" and given["OFFLINE"] == "1"
    assert "t.o.k" not in given.values()


def environment_of(pid: int | None) -> dict[str, str]:
    raw = Path(f"/proc/{pid}/environ").read_bytes()
    return dict(line.split("=", 1) for line in raw.decode().split("\0") if line)
