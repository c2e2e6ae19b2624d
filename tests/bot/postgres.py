"""A throwaway PostgreSQL server for the tests, whoever runs them."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any

STARTING_S = 60.0  # for a machine with other work
# Nothing has to outlive this machine's power, only the server's own end.
_QUICK = ("fsync=off", "full_page_writes=off", "autovacuum=off")
_WHO_MAY_CONNECT = """\
local all all trust
host all guarded 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
"""
# Foreign keys are not minded meanwhile, and ids begin at 1 again.
_EMPTY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
SET session_replication_role = replica;
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename NOT IN ('alembic_version', 'schema_version')
    LOOP EXECUTE 'DELETE FROM ' || quote_ident(name); END LOOP;
    PERFORM setval(sequencename::regclass, 1, false) FROM pg_sequences;
END $$;
"""


class NoServer(Exception):
    """PostgreSQL cannot be started here."""


class Cluster:
    """A server of its own on 127.0.0.1: `start` first, `close` last; between them it may stop and start."""

    OWNER = "oneiro"  # of every database; nobody asks it for a password
    GUARDED = "guarded"  # a role that the server does ask for its password

    def __init__(self) -> None:
        """Raises `NoServer` with the reason."""
        self._programs = _programs()
        self._who = _unprivileged()
        self._folder = Path(tempfile.mkdtemp(prefix="oneiro-pg-"))
        self._data = str(self._folder / "data")
        self._server: subprocess.Popen[bytes] | None = None
        self._names = count(1)
        self.port = 0  # chosen when it starts
        if self._who:
            shutil.chown(self._folder, *self._who.values())
        options = ("--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", f"--username={self.OWNER}")
        try:
            self._run("initdb", *options, self._data)
        except (OSError, subprocess.CalledProcessError) as error:  # e.g. a TMPDIR that is only root's
            shutil.rmtree(self._folder)
            raise NoServer(f"initdb: {getattr(error, 'stderr', b'').decode().strip() or error}") from error
        (self._folder / "data" / "pg_hba.conf").write_text(_WHO_MAY_CONNECT)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self.port = self.port or _free_port()
        place = (f"port={self.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={self._folder}")
        options = [part for option in (*place, *_QUICK) for part in ("-c", option)]
        with (self._folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, *options],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                **self._who,
            )
        deadline = time.monotonic() + STARTING_S
        while not self._answers():
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self._folder / "log").read_text())
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """End the server: SIGQUIT without a word to those who use it, SIGINT in order."""
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait(STARTING_S)
            self._server = None

    def close(self) -> None:
        """Stop it and remove all that it has written."""
        self.stop(signal.SIGINT)
        shutil.rmtree(self._folder)

    def create(self, *, like: str = "") -> str:
        """A new database, empty or like this one, which nobody uses just now; gives its name."""
        name = f"oneiro_{next(self._names)}"
        self.sql(f"CREATE DATABASE {name}" + (f" TEMPLATE {like}" if like else ""))
        return name

    def empty(self, name: str) -> None:
        """Take all rows out of a database, which is much quicker than to make another."""
        self.sql(_EMPTY, name)

    def drop(self, name: str) -> None:
        self.sql(f"DROP DATABASE {name} WITH (FORCE)")

    def url(self, name: str) -> str:
        """The address of a database, as a host gives it to a bot."""
        return f"postgres://{self.OWNER}@127.0.0.1:{self.port}/{name}"

    @property
    def socket_folder(self) -> Path:
        """Where programs of the same machine connect."""
        return self._folder

    def sql(self, text: str, name: str = "postgres") -> None:
        """Do this in a database, else in the server's own."""
        self._run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *self._place, "-d", name, "-c", text)

    @property
    def _place(self) -> tuple[str, ...]:
        return ("-h", str(self._folder), "-p", str(self.port), "-U", self.OWNER)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, *arguments],
            check=True,
            capture_output=True,
            cwd=self._folder,
            **self._who,
        )

    def _answers(self) -> bool:
        try:
            self.sql("")
        except subprocess.CalledProcessError:
            return False
        return True


class Pooler:
    """A PgBouncer on 127.0.0.1 before a cluster, which lends its few connections for a transaction each."""

    def __init__(self, cluster: Cluster) -> None:
        """Starts it. Raises `NoServer` where there is none to start."""
        program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
        if program is None:
            raise NoServer("there is no PgBouncer to start (Debian: apt-get install pgbouncer)")
        self.port = _free_port()
        who = _unprivileged()
        self._folder = Path(tempfile.mkdtemp(prefix="oneiro-pgb-"))
        if who:
            shutil.chown(self._folder, *who.values())
        settings = self._folder / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n* = host=127.0.0.1 port={cluster.port} user={cluster.OWNER}\n"
            f"[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port={self.port}\nunix_socket_dir=\n"
            "auth_type=any\npool_mode=transaction\ndefault_pool_size=3\n"
        )
        with (self._folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [program, settings], stdout=log, stderr=log, cwd=self._folder, **who
            )
        deadline = time.monotonic() + STARTING_S
        while not _listens(self.port):
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self._folder / "log").read_text())
            time.sleep(0.02)

    def close(self) -> None:
        """Stop it and remove all that it has written."""
        self._server.terminate()
        self._server.wait(STARTING_S)
        shutil.rmtree(self._folder)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _programs() -> Path:
    """Where initdb, postgres and psql lie; Debian does not put them on the path."""
    on_path = shutil.which("postgres")
    if on_path:
        return Path(on_path).resolve().parent
    found = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    newest = max(found, key=lambda path: int(path.parts[4]), default=None)
    if newest is None:
        raise NoServer("there is no PostgreSQL server to start (Debian: apt-get install postgresql)")
    return newest.parent


def _unprivileged() -> dict[str, Any]:
    """As whom to run the server: ourselves, but root may not."""
    if os.geteuid() != 0:
        return {}
    from pwd import getpwnam  # not on Windows, where nobody is root

    for name in ("postgres", "nobody"):
        try:
            user = getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid}
    raise NoServer("PostgreSQL does not run as root, and there is no user postgres or nobody")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
