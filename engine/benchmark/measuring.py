"""One pair, measured: dreams as users get them, then one by the stopwatch, one counted, and the ceiling."""

import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from tqdm import tqdm

from engine.benchmark.operations import Recorder, ceiling, rate
from engine.benchmark.stopwatch import OPTIMISER, START, TELLING, Stopwatch, Watched
from engine.dreaming.asked import Asked
from engine.dreaming.dreamer import Dreamer
from engine.dreaming.loaded import Loaded
from engine.errors import DreamError
from engine.models import registry
from engine.protocol import DreamRequest, Failed, Finished, Progress

PROMPT = "a bowl of cherries"
COUNTED = 3  # steps of the dream whose second step, which shows nothing, is counted
GIB = 1024**3


@dataclass(frozen=True)
class Plan:
    """What is measured of each pair."""

    rounds: int = 3  # warm dreams
    steps: int | None = None  # of a dream; None: as the preset has it
    preset: str = ""
    recipe: str = ""
    cutouts: int | None = None  # a step; None: the recipe's own
    threads: int = 0  # 0: as torch takes
    device: str | None = None  # None: the best there is

    def request(self, model: str, steps: int | None = None) -> DreamRequest:
        """The dream that is measured, perhaps of other `steps`."""
        changes: dict[str, float | str] = {} if self.cutouts is None else {"cutouts": float(self.cutouts)}
        return DreamRequest(
            "bench", PROMPT, 7, model, steps or self.steps,
            recipe=self.recipe, preset=self.preset, settings=changes,
        )  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """A pair's figures; times in seconds, medians of the warm dreams where nothing else is said."""

    pair: str
    size: int  # side of its pictures, in pixels
    cutouts: int  # views a step
    steps: int  # of a dream
    device: str
    threads: int
    cold_first_s: float  # from the process's start to the first preview
    first_s: float  # from asking to the first preview
    dream_s: float  # from asking to the picture's file
    step_s: float  # a step, looks not counted
    stages_s: dict[str, float] = field(default_factory=dict)  # of one dream, by engine.benchmark.stopwatch
    step_flop: float = 0.0  # of a step without a look
    ceiling_s: float = 0.0  # that the machine takes for its operations one by one
    floor_s: float = 0.0  # that it would take if all its FLOP were of large products of matrices
    peak_bytes: int = 0  # of the process, or on the GPU
    preset: str = ""  # that was asked for
    peer_step_s: float | None = None  # the other program's step, with as many cutouts
    peer_peak_bytes: int = 0


@dataclass(frozen=True)
class _Times:
    first: float
    dream: float
    steps: list[float]  # without looks


def measure(name: str, folder: Path, plan: Plan, begun: float) -> Measured:
    """Measure the pair of this name in this process, which began at `begun` (`time.time()`).

    `folder` holds its models as DATA_DIR does. Raises `DreamError`.
    """
    if plan.threads:
        torch.set_num_threads(plan.threads)
    pair = registry.pair(name, folder)
    dreamer = Dreamer(data_dir=folder, device=plan.device)
    settings = Asked.read(plan.request(name)).settings(pair.model, torch.device(dreamer.device))
    parts = plan.rounds + 3  # a cold dream, a watched one, a counted one
    with tqdm(total=parts, desc=name, unit="part", file=sys.stderr, leave=False) as bar:
        cold, since = _dreamt(dreamer, plan.request(name)), time.time()
        cold_first = since - begun - cold.dream + cold.first
        bar.update()
        warm = []
        for _ in range(plan.rounds):
            warm.append(_dreamt(dreamer, plan.request(name)))
            bar.update()
        loaded = dreamer.load(pair)
        stages = _stages(dreamer, loaded, plan.request(name))
        bar.update()
        most = peak(loaded.device)
        recorder = _counted(dreamer, plan.request(name, COUNTED))
        bar.update()
        bar.total = parts + len(recorder.found)
        least = ceiling(recorder.found, loaded.device, bar.update)
    return Measured(
        pair=name,
        size=loaded.generator.size,
        cutouts=settings.cutouts * settings.accumulate,
        steps=settings.steps,
        device=dreamer.device,
        threads=torch.get_num_threads(),
        cold_first_s=cold_first,
        first_s=statistics.median(one.first for one in warm),
        dream_s=statistics.median(one.dream for one in warm),
        step_s=statistics.median(step for one in warm for step in one.steps),
        stages_s=stages,
        step_flop=recorder.flop,
        ceiling_s=least,
        floor_s=recorder.flop / rate(loaded.device),
        peak_bytes=most,
        preset=plan.preset,
    )


def _dreamt(dreamer: Dreamer, request: DreamRequest) -> _Times:
    begun = before = time.perf_counter()
    first: float | None = None
    steps: list[float] = []
    for event in dreamer.dream(request, bool):
        now = time.perf_counter()
        _check(event)
        if isinstance(event, Progress):
            if first is None:
                first = now - begun
            elif event.picture is None:
                steps.append(now - before)
            before = now
    assert first is not None  # the contract of `Dreamer.dream`
    return _Times(first, time.perf_counter() - begun, steps or [time.perf_counter() - begun - first])


def _check(event: object) -> None:
    if isinstance(event, Failed):
        raise DreamError(event.message)


def _stages(dreamer: Dreamer, loaded: Loaded, request: DreamRequest) -> dict[str, float]:
    """Seconds by stage of one dream."""
    clock = Stopwatch(loaded.device)
    watched = Watched(loaded, clock.lap)
    try:
        for event in dreamer.dream(request, bool):
            _check(event)
            if isinstance(event, Progress):
                clock.lap(OPTIMISER if event.picture is None else TELLING)
            else:
                clock.lap(TELLING if isinstance(event, Finished) else START)
    finally:
        watched.release()
    return {stage: round(seconds, 6) for stage, seconds in clock.seconds.items()}


def _counted(dreamer: Dreamer, request: DreamRequest) -> Recorder:
    """What the second step of a dream computes."""
    with Recorder() as recorder:
        for event in dreamer.dream(request, bool):
            _check(event)
            if isinstance(event, Progress):
                recorder.on = event.step == 1
    return recorder


def peak(device: torch.device) -> int:
    """The most memory so far: of the GPU, else of this process; 0 where nobody tells."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource  # not on Windows
    except ImportError:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def table(rows: list[Measured]) -> str:
    """The figures as two Markdown tables: of dreams, and of where their time goes."""
    head = [
        "pair", "px", "cutouts", "steps/s", "first preview s (cold)", "dream s (steps)", "TFLOP a step",
        "ceiling's steps/s", "× ceiling", "peak GiB",
    ]  # fmt: skip
    peers = any(row.peer_step_s is not None for row in rows)
    head += ["peer's steps/s", "× peer"] if peers else []
    body = [_row(row, peers) for row in rows]
    stages = list(dict.fromkeys(stage for row in rows for stage in row.stages_s))
    shares = [["% of the dream", *stages]]
    for row in rows:
        whole = sum(row.stages_s.values()) or 1.0
        shares.append([row.pair, *(f"{100 * row.stages_s.get(stage, 0) / whole:.0f}" for stage in stages)])
    return _markdown([head, *body]) + "\n" + _markdown(shares)


def _row(row: Measured, peers: bool) -> list[str]:
    cells = [
        row.pair,
        str(row.size),
        str(row.cutouts),
        f"{1 / row.step_s:.2f}",
        f"{row.first_s:.2f} ({row.cold_first_s:.2f})",
        f"{row.dream_s:.2f} ({row.steps})",
        f"{row.step_flop / 1e12:.4f}",
        f"{1 / row.ceiling_s:.2f}" if row.ceiling_s else "",
        f"{row.step_s / row.ceiling_s:.2f}" if row.ceiling_s else "",
        f"{row.peak_bytes / GIB:.2f}",
    ]
    if not peers:
        return cells
    if row.peer_step_s is None:
        return [*cells, "", ""]
    return [*cells, f"{1 / row.peer_step_s:.3f}", f"{row.peer_step_s / row.step_s:.2f}"]


def _markdown(lines: list[list[str]]) -> str:
    head, *rest = lines
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, rule, *rest))
