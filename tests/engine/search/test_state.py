import json
import struct
from collections.abc import Callable
from dataclasses import asdict, replace
from itertools import islice

import pytest
import torch

from engine.errors import BadRequest
from engine.models.generator import BakedBigGAN
from engine.models.perceptor import Perceptor
from engine.search.latents import Latents
from engine.search.loop import Step, best_latents, dream
from engine.search.objective import Target
from engine.search.recipes import DreamSettings
from engine.search.search import Search
from engine.search.state import MAX_BYTES, State

CPU = torch.device("cpu")
SETTINGS = DreamSettings(steps=12, cutouts=4, ema_decay=0.8, look_every=5)


def search(
    generator: BakedBigGAN,
    perceptor: Perceptor,
    begin: State | Latents | None = None,
    settings: DreamSettings = SETTINGS,
    prompt: str = "a house",
) -> list[Step]:
    target = Target(perceptor.encode_texts([prompt])[0])
    return list(dream(generator, perceptor, Search(([target],), 7, settings, begin), CPU))


def state_after(generator: BakedBigGAN, perceptor: Perceptor, steps: int) -> State:
    target = Target(perceptor.encode_texts(["a house"])[0])
    every = dream(generator, perceptor, Search(([target],), 7, SETTINGS), CPU)
    return list(islice(every, steps))[-1].state()


@pytest.fixture(scope="module")
def state(tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor) -> State:
    return state_after(tiny_generator, tiny_perceptor, 7)


def same(one: State, two: State) -> bool:
    plain = [replace(state, tensors={}) for state in (one, two)]
    return (
        plain[0] == plain[1]
        and one.tensors.keys() == two.tensors.keys()
        and all(torch.equal(one.tensors[name], two.tensors[name]) for name in one.tensors)
    )


@pytest.mark.parametrize("stop", [1, 7, 10, 12])
def test_a_search_that_was_resumed_ends_in_the_same_picture_as_one_that_ran_through(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor, stop: int
) -> None:
    through = search(tiny_generator, tiny_perceptor)[-1]
    saved = state_after(tiny_generator, tiny_perceptor, stop).to_bytes()
    resumed = search(tiny_generator, tiny_perceptor, State.from_bytes(saved))
    assert [step.step for step in resumed] == list(range(stop, SETTINGS.steps + 1))
    end = resumed[-1]
    assert torch.equal(end.best.picture, through.best.picture)
    assert (end.best.score, end.best.step) == (through.best.score, through.best.step)
    assert same(end.state(), through.state())


def test_a_search_with_everything_on_is_resumed_exactly_too(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    settings = replace(
        SETTINGS,
        augment="smooth",
        filter="triangle",
        schedule="cosine",
        guard="on",
        max_classes=3,
        accumulate=2,
    )
    every = search(tiny_generator, tiny_perceptor, settings=settings)
    target = Target(tiny_perceptor.encode_texts(["a house"])[0])
    some = islice(dream(tiny_generator, tiny_perceptor, Search(([target],), 7, settings), CPU), 6)
    state = State.from_bytes(list(some)[-1].state().to_bytes())
    resumed = search(tiny_generator, tiny_perceptor, state, settings)
    assert torch.equal(resumed[-1].best.picture, every[-1].best.picture)
    assert same(resumed[-1].state(), every[-1].state())


def test_a_state_whose_settings_no_search_has_is_refused(tiny_generator: BakedBigGAN, state: State) -> None:
    for value in ("many", -1, None, [1]):
        changed = replace(state, settings=state.settings | {"max_classes": value})
        with pytest.raises(BadRequest, match="max_classes must be"):
            best_latents(changed, tiny_generator)


def test_a_state_travels_as_bytes_and_comes_back_the_same(state: State) -> None:
    told = replace(state, model="ab12", prompt='a "house" 🏠', seed=7)
    assert same(State.from_bytes(told.to_bytes()), told)
    assert told.to_bytes() == State.from_bytes(told.to_bytes()).to_bytes()


def test_taking_a_state_changes_nothing_and_later_steps_do_not_change_it(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    target = Target(tiny_perceptor.encode_texts(["a house"])[0])
    watched = []
    for step in dream(tiny_generator, tiny_perceptor, Search(([target],), 7, SETTINGS), CPU):
        watched.append(step.state())
    assert same(watched[6], state_after(tiny_generator, tiny_perceptor, 7))
    unwatched = search(tiny_generator, tiny_perceptor)[-1].state()
    assert same(watched[-1], unwatched)


@pytest.mark.parametrize(("rows", "z_dim", "classes", "d"), [(13, 64, 850, 256), (16, 128, 1000, 512)])
def test_a_state_of_the_largest_models_stays_well_under_a_megabyte(
    state: State, rows: int, z_dim: int, classes: int, d: int
) -> None:
    shapes = {"z": (rows, z_dim), "class_logits": (rows, classes)}
    tensors = {
        f"{prefix}.{name}": torch.randn(shape)
        for prefix in ("latents", "average", "best", "first", "second")
        for name, shape in shapes.items()
    }
    large = replace(
        state, tensors=tensors | {"rng": state.tensors["rng"], "target": torch.randn(d)}, prompt="x" * 2000
    )
    assert len(large.to_bytes()) < 500_000


def relabelled(data: bytes, change: Callable[[dict], object]) -> bytes:
    """The file with its own header, the part that is ours, changed."""
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    ours = json.loads(header["__metadata__"]["oneiro-state"])
    change(ours)
    header["__metadata__"]["oneiro-state"] = json.dumps(ours)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


@pytest.mark.parametrize(
    "change",
    [
        lambda ours: ours.pop("step"),
        lambda ours: ours.update(step="7"),
        lambda ours: ours.update(step=0),
        lambda ours: ours.update(best_step=99),
        lambda ours: ours.update(best_score=float("nan")),
        lambda ours: ours.update(average_weight=0.0),
        lambda ours: ours.update(settings=[]),
        lambda ours: ours.update(numbers={"a": "b"}),
        lambda ours: ours.update(surprise=1),
        lambda ours: ours.update(tensors={}),
        lambda ours: ours.clear(),
    ],
)
def test_a_header_that_no_search_wrote_is_refused(state: State, change: Callable[[dict], object]) -> None:
    with pytest.raises(BadRequest, match="not a dream's state"):
        State.from_bytes(relabelled(state.to_bytes(), change))


def test_a_state_of_another_version_says_so(state: State) -> None:
    with pytest.raises(BadRequest, match="another version"):
        State.from_bytes(relabelled(state.to_bytes(), lambda ours: ours.update(format=99)))


@pytest.mark.parametrize(
    "tensors",
    [
        {"rng": None},
        {"target": None},
        {"rng": torch.zeros(5056)},
        {"latents.z": torch.full((6, 16), float("nan"))},
        {"latents.z": torch.full((6, 16), float("inf"))},
        {"second.z": torch.full((6, 16), 1e30)},
        {"latents.z": torch.zeros(6, 16, dtype=torch.float64)},
    ],
)
def test_tensors_that_no_search_saved_are_refused(
    state: State, tensors: dict[str, torch.Tensor | None]
) -> None:
    changed = {name: value for name, value in (state.tensors | tensors).items() if value is not None}
    with pytest.raises(BadRequest, match="not a dream's state"):
        State.from_bytes(replace(state, tensors=changed).to_bytes())


def test_whatever_is_cut_off_or_flipped_is_refused_or_harmless(state: State) -> None:
    data = state.to_bytes()
    for length in (0, 1, 7, 8, 9, 100, len(data) // 2, len(data) - 1):
        with pytest.raises(BadRequest):
            State.from_bytes(data[:length])
    for hostile in (
        b"\x80\x05cos\nsystem\n",  # a pickle
        struct.pack("<Q", 2**63) + data[8:],  # a length beyond all memory
        struct.pack("<Q", 2**40) + b"{}",
        struct.pack("<Q", 100_000) + b"[" * 100_000,  # endless nesting
        b"\xff" * 1000,
        bytes(MAX_BYTES + 1),
    ):
        with pytest.raises(BadRequest):
            State.from_bytes(hostile)
    rng = torch.Generator().manual_seed(0)
    for at in torch.randint(len(data), (200,), generator=rng).tolist():
        flipped = data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]
        try:
            State.from_bytes(flipped)
        except BadRequest:
            continue


@pytest.mark.parametrize(
    "tensors",
    [
        {"latents.z": torch.zeros(9, 16)},
        {"latents.class_logits": torch.zeros(6, 1000)},
        {"best.z": None},
        {"second.surprise": torch.zeros(1)},
    ],
)
def test_a_state_of_other_shapes_is_not_resumed(
    tiny_generator: BakedBigGAN,
    tiny_perceptor: Perceptor,
    state: State,
    tensors: dict[str, torch.Tensor | None],
) -> None:
    changed = {name: value for name, value in (state.tensors | tensors).items() if value is not None}
    with pytest.raises(BadRequest, match="another model"):
        search(tiny_generator, tiny_perceptor, replace(state, tensors=changed))


def test_random_numbers_that_are_none_are_refused(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor, state: State
) -> None:
    for rng in (torch.zeros(16, dtype=torch.uint8), torch.full((5056,), 255, dtype=torch.uint8)):
        with pytest.raises(BadRequest, match="not a dream's state"):
            search(tiny_generator, tiny_perceptor, replace(state, tensors=state.tensors | {"rng": rng}))


def test_another_search_than_the_saved_one_is_not_a_resumption(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor, state: State
) -> None:
    with pytest.raises(BadRequest, match="other words"):
        search(tiny_generator, tiny_perceptor, state, prompt="a tree")
    with pytest.raises(BadRequest, match="other settings"):
        search(tiny_generator, tiny_perceptor, state, replace(SETTINGS, cutouts=5))
    assert state.settings == asdict(SETTINGS)
