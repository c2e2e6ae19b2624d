"""How many engines are where."""

import pytest

from engine.cluster.needs import Needs
from engine.cluster.seats import Node, Seat, seats

A, B = Node("a", gpus=2, cpus=8), Node("b", gpus=1, cpus=8)
PLAIN = Node("c", cpus=4)


def places(*nodes: Node, has_gpus: bool = True, **needs: object) -> list[tuple[str, int]]:
    found = seats(nodes, Needs(**needs), has_gpus=has_gpus)  # type: ignore[arg-type]
    return sorted((seat.node, seat.number) for seat in found)


def test_each_gpu_has_an_engine_and_a_share_of_the_cores() -> None:
    assert places(A, B, PLAIN) == [("a", 0), ("a", 1), ("b", 0)]
    assert {seat.threads for seat in seats([A], Needs(), has_gpus=True)} == {4}


@pytest.mark.parametrize(("gpus", "count"), [(0.5, 4), (2, 1), (3, 0), (0.1, 20), (0.3, 6)])
def test_engines_share_a_gpu_or_take_several(gpus: float, count: int) -> None:
    assert len(places(A, gpus=gpus)) == count


def test_without_any_gpu_each_node_has_one_engine_with_all_its_cores() -> None:
    assert places(PLAIN, Node("d", cpus=2), has_gpus=False) == [("c", 0), ("d", 0)]
    (seat,) = seats([PLAIN], Needs(), has_gpus=False)
    assert (seat.cpus, seat.threads, seat.gpus) == (4, 4, 0)


def test_cores_are_shared_out_where_somebody_says_how_many_an_engine_takes() -> None:
    assert len(places(PLAIN, has_gpus=False, cpus=3)) == 1
    assert len(places(PLAIN, has_gpus=False, cpus=1)) == 4
    assert len(places(A, gpus=0, cpus=4)) == 2, "GPUs are left alone"


def test_a_node_that_gives_nothing_has_no_engine() -> None:
    assert places(Node("head"), has_gpus=False) == places(Node("head"), PLAIN) == []


def test_when_the_last_gpu_is_lost_nobody_dreams_on_cores_instead() -> None:
    assert places(PLAIN, has_gpus=True) == []


def test_of_more_than_are_wanted_those_stay_that_are_taken_and_others_spread_over_the_nodes() -> None:
    assert places(A, B, most=2) == [("a", 0), ("b", 0)]
    taken = {Seat(1, "a", 1.0, 0, 4)}
    found = seats([A, B], Needs(most=2), has_gpus=True, taken=taken)
    assert taken < found and len(found) == 2
    assert places(A, B, most=9) == places(A, B)


def test_where_nobody_came_to_sit_others_are_asked_first() -> None:
    resting = {Seat(0, "a", 1.0, 0, 4)}
    (seat,) = seats([A, B], Needs(most=1), has_gpus=True, resting=resting)
    assert (seat.node, seat.number) == ("b", 0)
    assert resting < seats([A, B], Needs(), has_gpus=True, resting=resting)


def test_a_node_is_read_from_what_ray_tells() -> None:
    told = {"NodeID": "x", "Alive": True, "Resources": {"CPU": 4.0, "memory": 1.0, "node:10.0.0.5": 1.0}}
    assert Node.of(told) == Node("x", gpus=0, cpus=4)
