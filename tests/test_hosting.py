"""Dockerfile, compose file and systemd unit: what can be checked where there is no Docker and no systemd.

Not run here: `docker build`, `docker compose up`, `systemctl start`.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from configparser import ConfigParser
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from bot.settings import SETTINGS, Settings

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
KEYS = {setting.key for setting in SETTINGS}


def steps() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, each with what stands behind it."""
    joined = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.M))
    return [(one.split(None, 1)[0], one.split(None, 1)[1]) for one in joined.splitlines() if one.strip()]


def variables() -> dict[str, str]:
    told = [shlex.split(text) for name, text in steps() if name == "ENV"]
    return dict(one.split("=", 1) for line in told for one in line)


def compose() -> dict[str, Any]:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    read: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return read


def test_the_image_runs_as_an_ordinary_user_and_keeps_its_data_in_a_volume() -> None:
    said = dict(steps())
    assert said["USER"] == "oneiro" and said["VOLUME"] == variables()["DATA_DIR"] == "/data"
    assert said["ENTRYPOINT"] == '["oneiro-bot"]', "no shell that would swallow SIGTERM"
    order = [name for name, _ in steps()]
    assert order.index("USER") < order.index("ENTRYPOINT") and "useradd" in DOCKERFILE


def test_what_the_image_sets_are_settings_that_fit() -> None:
    ours = {key: value for key, value in variables().items() if key in KEYS}
    assert set(variables()) - KEYS == {"PATH", "PYTHONUNBUFFERED"}
    assert str(Settings.read(ours).status_listen) in DOCKERFILE.split("HEALTHCHECK")[1]


def test_what_the_image_copies_is_there_and_is_all_that_a_build_reads() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[0] == "*"
    for name, text in steps():
        if name == "COPY" and "--from" not in text:
            for source in text.split()[:-1]:
                assert (ROOT / source).exists() and f"!{source}" in ignored
    for package in ("bot", "engine", "setup.py", "MANIFEST.in", "LICENSE", "README.md"):
        assert f"!{package}" in ignored


def test_each_command_of_the_image_is_one_that_a_shell_can_read() -> None:
    shell = shutil.which("sh")
    assert shell is not None
    for name, text in steps():
        if name == "RUN":
            assert subprocess.run([shell, "-n", "-c", text]).returncode == 0, text


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_tells_ready_from_not_ready(status: int, code: int) -> None:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    check = dict(steps())["HEALTHCHECK"].split("CMD ", 1)[1]
    program = check.split('"-c", "')[1].rsplit('"', 1)[0]
    told = program.replace("127.0.0.1:8091", f"127.0.0.1:{server.server_port}")
    ran = subprocess.run([sys.executable, "-c", told], capture_output=True, timeout=60)
    server.shutdown()
    server.server_close()
    assert ran.returncode == code


def test_the_services_wait_for_each_other_and_keep_what_they_have() -> None:
    bot, database = (compose()["services"][name] for name in ("bot", "database"))
    assert set(bot["environment"]) <= KEYS
    assert bot["depends_on"]["database"]["condition"] == "service_healthy" and database["healthcheck"]
    assert {volume.split(":")[0] for one in (bot, database) for volume in one["volumes"]} == set(
        compose()["volumes"]
    )
    url = bot["environment"]["DATABASE_URL"].replace(
        "${POSTGRES_PASSWORD:?Please write POSTGRES_PASSWORD=… into .env}", "secret"
    )
    pytest.importorskip("asyncpg")
    assert Settings.read({"DATABASE_URL": url}).database_url.endswith("@database/oneiro")
    assert all(port.startswith("127.0.0.1:") for port in bot["ports"]), "nothing is open to the network"


def test_the_unit_starts_the_bot_and_does_not_start_it_again_in_vain() -> None:
    unit = ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # systemd minds the case
    unit.read(ROOT / "bot" / "hosting" / "oneiro.service", encoding="utf-8")
    service = unit["Service"]
    assert service["ExecStart"].endswith("/bin/oneiro-bot") and service["DynamicUser"] == "yes"
    from bot.__main__ import BAD_SETTING, TOKEN_REFUSED

    assert service["RestartPreventExitStatus"].split() == [str(TOKEN_REFUSED), str(BAD_SETTING)]
    assert service["Environment"] == "DATA_DIR=/var/lib/oneiro"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "oneiro.service"
    text = (ROOT / "bot" / "hosting" / "oneiro.service").read_text(encoding="utf-8")
    unit.write_text(text.replace("/opt/oneiro/bin/oneiro-bot", sys.executable))
    ran = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, env=os.environ
    )
    assert "oneiro.service" not in ran.stderr, ran.stderr
