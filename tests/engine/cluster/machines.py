"""A real Ray cluster on this machine: a head and nodes, each with processes of its own, that a test can kill.

Ray's dashboard and the agents beside each node are left out: nothing of ours asks them, and each of these
Python processes imports for seconds, longer than the 15 that a node has on a busy machine.
"""

import os
import shlex
import shutil
import signal
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MEMORY = 100 * 1024 * 1024  # bytes of each node's object store
# A starved machine answers late, which is not what these tests ask about.
PATIENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_enable_metrics_collection": "0",
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
    "RAY_worker_register_timeout_seconds": "600",
    "RAY_health_check_timeout_ms": "60000",
    "RAY_DEDUP_LOGS": "0",
    "RAY_worker_niceness": "0",  # else actors get what nobody else wants
    "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0",
}
# Ray's program for a node, which gets agents that only wait, and the port that it waits for.
_RAYLET = """\
#!/bin/sh
for one in "$@"; do
  case $one in
    --session_dir=*) session=${{one#*=}} ;;
    --node_id=*) node=${{one#*=}} ;;
  esac
done
echo 1 >"$session/dashboard_agent_listen_port_$node"
exec {raylet} "$@" --dashboard_agent_command={agent} --runtime_env_agent_command={agent}
"""
_AGENT = "#!/bin/sh\nexec cat\n"  # which ends with the node, whatever it is called with


class Machines:
    """Live: makes the head, which dreams nothing; `close` ends all that was started here."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """`environ`: that each machine has, besides ours."""
        self.folder = Path(tempfile.mkdtemp(prefix="r", dir="/tmp"))  # short: sockets' paths have 107 bytes
        self._before = dict(os.environ)
        os.environ.update({key: value for key, value in PATIENT.items() if key not in os.environ})
        os.environ.update(environ)
        os.environ["RAY_TMPDIR"] = str(self.folder)
        (self.folder / "ray").mkdir()
        from ray._private import node, services
        from ray.cluster_utils import Cluster

        raylet, agent = self.folder / "raylet", self.folder / "agent"
        raylet.write_text(_RAYLET.format(raylet=shlex.quote(services.RAYLET_EXECUTABLE), agent=agent))
        agent.write_text(_AGENT)
        for program in (raylet, agent):
            program.chmod(0o755)
        self._undo = services.RAYLET_EXECUTABLE, node.Node.start_api_server
        services.RAYLET_EXECUTABLE = str(raylet)
        node.Node.start_api_server = lambda self, **_: None
        self._cluster = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": 0,
                "no_monitor": True,
                "temp_dir": str(self.folder / "ray"),
                **_bounds(),
            },
        )

    @property
    def address(self) -> str:
        address: str = self._cluster.address
        return address

    @property
    def head(self) -> list[int]:
        """The head's processes."""
        (gcs,) = self._cluster.head_node.all_processes["gcs_server"]
        return [gcs.process.pid, *processes_of(self._cluster.head_node)]

    def add(self, *, cpus: int, **more: Any) -> Any:
        """Another machine."""
        return self._cluster.add_node(num_cpus=cpus, **_bounds(), **more)

    def machine(self, node: str) -> Any:
        """The one that Ray calls so."""
        return next(one for one in self._cluster.worker_nodes if one.node_id == node)

    @property
    def nodes(self) -> list[str]:
        """Of all machines but the head, what Ray calls them."""
        return [one.node_id for one in self._cluster.worker_nodes]

    def lose(self, machine: Any) -> None:
        """Its power fails: every process of it is killed at once."""
        for pid in processes_of(machine):
            kill(pid)
        self._cluster.remove_node(machine, allow_graceful=False)

    def close(self) -> None:
        from ray._private import node, services

        self._cluster.shutdown()
        services.RAYLET_EXECUTABLE, node.Node.start_api_server = self._undo
        os.environ.clear()
        os.environ.update(self._before)
        shutil.rmtree(self.folder, ignore_errors=True)


def _bounds() -> dict[str, Any]:
    """Memory, and ports: those that a node would wait for are chosen here."""
    named = ("metrics_agent_port", "metrics_export_port", "runtime_env_agent_port")
    return {
        "object_store_memory": MEMORY,
        "include_log_monitor": False,
        "include_dashboard": False,
        **dict(zip(named, _free_ports(len(named)), strict=True)),
    }


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def processes_of(machine: Any) -> list[int]:
    """All that run on it, the node's own one first."""
    (raylet,) = machine.all_processes["raylet"]
    return _below(raylet.process.pid)


def _below(pid: int) -> list[int]:
    """This process and all that come of it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(one for child in children for one in _below(int(child)))]


def kill(pid: int) -> None:
    """At once; no fault if it is gone already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
