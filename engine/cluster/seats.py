"""Where the cluster's engines shall be: so many seats on each node as there is room for. Knows no Ray."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Self

from engine.cluster.needs import Needs


@dataclass(frozen=True, slots=True)
class Node:
    """What a machine gives to Ray."""

    id: str
    gpus: float = 0.0
    cpus: float = 0.0

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """From one of the tables that `ray.nodes()` gives."""
        resources = told["Resources"]
        return cls(told["NodeID"], resources.get("GPU", 0.0), resources.get("CPU", 0.0))


@dataclass(frozen=True, slots=True, order=True)
class Seat:
    """Room for one engine on a node."""

    number: int  # among the node's seats, from 0 on
    node: str
    gpus: float
    cpus: int  # that Ray sets aside; 0 beside a GPU
    threads: int  # that its engine computes with


def seats(
    nodes: Iterable[Node],
    needs: Needs,
    *,
    has_gpus: bool,
    taken: Collection[Seat] = (),
    resting: Collection[Seat] = (),
) -> set[Seat]:
    """All the seats, or `needs.most` of them: first those that are taken, then others spread over the nodes,
    and last those that rest, since nobody came to sit there.

    `has_gpus`: the cluster has or had GPUs, so that a node without any is not one to dream on, unless the
    needs say so.
    """
    gpus = needs.gpus if needs.gpus is not None else float(has_gpus)
    found = [
        seat for node in nodes for seat in (_with_gpus(node, gpus) if gpus else _without(node, needs.cpus))
    ]
    kept = sorted(found, key=lambda seat: (seat not in taken, seat in resting, seat))
    return set(islice(kept, needs.most))


def _with_gpus(node: Node, gpus: float) -> list[Seat]:
    count = int(node.gpus / gpus + 1e-9)
    threads = max(1, int(node.cpus) // max(1, count))
    return [Seat(number, node.id, gpus, 0, threads) for number in range(count)]


def _without(node: Node, cpus: int | None) -> list[Seat]:
    each = int(node.cpus) if cpus is None else cpus
    count = int(node.cpus) // each if each else 0
    return [Seat(number, node.id, 0.0, each, each) for number in range(count)]
