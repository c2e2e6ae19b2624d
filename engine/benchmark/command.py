"""The command `python -m engine.bench`: times the pairs of models that are here, each in its own process.

Prints tables, and with --json writes all figures. Exit codes as those of `dream`; 1 also for a goal missed.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from engine.data_dir import data_dir
from engine.errors import BadSetting, DreamError, ModelError
from engine.models import registry
from engine.models.registry import EMBEDDED
from engine.process.streams import unbreakable
from engine.settings import PRESETS, RECIPES, environment

Row = TypeVar("Row")
LARGE_STEPS = 4  # of a large pair's dreams, for one of its usual length takes an hour on a CPU


def run(argv: Sequence[str] | None = None) -> int:
    """Measure as the arguments (default: the program's) say. Returns the exit code."""
    options = parser().parse_args(argv)
    with unbreakable():
        try:
            tables, reached = _measured(options)
            print(tables, end="")
            return 0 if reached else 1
        except (CannotMeasure, DreamError, BadSetting) as error:
            print(f"engine.bench: {error}", file=sys.stderr)
            return 3 if isinstance(error, ModelError) else 2
        except KeyboardInterrupt:
            return 130


class CannotMeasure(Exception):
    """What the command line asks for; the sentence is for whoever typed it."""


def parser() -> argparse.ArgumentParser:
    """The options."""
    names = ", ".join(model.name for model in registry.MODELS)
    result = argparse.ArgumentParser("python -m engine.bench", description=__doc__)
    add = result.add_argument
    add("--pairs", help=f"separated by commas, of {names} (those whose models are here)")
    add("--random", action="store_true", help="random weights of the published layout for large models that "
        "are not here; they are as fast (0.8 GB each, removed afterwards)")  # fmt: skip
    add("--rounds", type=int, default=3, help="warm dreams, whose medians are told (%(default)s)")
    add("--steps", type=int, help=f"steps a dream (the preset's; of large pairs {LARGE_STEPS})")
    add("--preset", default="", choices=PRESETS, help="how long a dream is")
    add("--recipe", default="", choices=RECIPES, help="the recipe (the default one)")
    add("--cutouts", type=int, help="views a step (the recipe's)")
    add("--threads", type=int, default=0, help="CPU threads (as many as torch takes)")
    add("--device", help="cpu, cuda or mps (the best there is)")
    add("--peer", type=Path, metavar="PATH", help="times a checkout of lucidrains/big-sleep, unchanged, "
        "beside the large pairs, with the same generator and as many cutouts a step")  # fmt: skip
    add("--goals", action="store_true", help="tell which goals of time and memory are reached; exit code 1 "
        "if one is missed")  # fmt: skip
    add("--json", type=Path, metavar="FILE", help="write all figures there too")
    return result


def _measured(options: argparse.Namespace) -> tuple[str, bool]:
    """The tables, and whether no goal was missed. Raises `DreamError` or `BadSetting`."""
    from engine.benchmark import goals, measuring, peer  # here: they import torch, which help needs not

    _check(options)
    plan = measuring.Plan(
        options.rounds, options.steps, options.preset, options.recipe, options.cutouts, options.threads,
        options.device,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        rows = []
        for pair in _pairs(options, Path(scratch)):
            its = plan
            if pair.remote and not options.steps and not options.preset:
                its = replace(plan, steps=LARGE_STEPS)
            row = _in_its_own_process(measuring.measure, pair.name, _home(pair), its)
            if options.peer is not None and pair.remote:
                its_own = peer.timed(options.peer, pair, row.cutouts, options.rounds, row.threads, row.device)
                row = replace(row, peer_step_s=its_own.step_s, peer_peak_bytes=its_own.peak_bytes)
            rows.append(row)
    busy = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    if options.json is not None:
        figures = {"load": busy, "pairs": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    about = f"{rows[0].threads} threads on {rows[0].device}; load of the machine at the end: {busy}."
    tables = f"{measuring.table(rows)}\n{about}\n"
    if not options.goals:
        return tables, True
    found = goals.judged(rows)
    return f"{tables}\n{goals.table(found)}", all(goal.reached for goal in found)


def _home(pair: registry.Pair) -> Path:
    """The folder that holds the pair's models as DATA_DIR does; those that are part of Oneiro need none."""
    return pair.generator.parent.parent if pair.remote else data_dir(environment())


def _in_its_own_process(measure: Callable[..., Row], name: str, home: Path, plan: object) -> Row:
    """What `measure` says of a pair whose peak of memory and cold start are its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(measure, name, home, plan, time.time()).result()


def _pairs(options: argparse.Namespace, scratch: Path) -> list[registry.Pair]:
    """Those that are asked for, or are here; with --random those that are not are made in `scratch`."""
    home = data_dir(environment())
    asked = options.pairs.split(",") if options.pairs else [model.name for model in registry.MODELS]
    found = []
    for name in asked:
        pair = registry.pair(name.strip(), home)
        if not pair.present() and options.random:
            pair = registry.pair(pair.name, scratch)
            _write(pair)
        if pair.present():
            found.append(pair)
        elif options.pairs:
            raise ModelError(f"The model {pair.name} is not here; --random times it with random weights.")
    return found


def _write(pair: registry.Pair) -> None:
    from engine.benchmark import random_models  # here: imports torch

    for model, folder in zip(pair.remote, (pair.generator, *pair.perceptors), strict=True):
        if not folder.is_dir():
            print(f"Writing random weights of {model.name} ...", file=sys.stderr)
            random_models.write(model, folder)


def _check(options: argparse.Namespace) -> None:
    for name, low in (("rounds", 1), ("steps", 1), ("cutouts", 1), ("threads", 0)):
        value = getattr(options, name)
        if value is not None and value < low:
            raise CannotMeasure(f"--{name} must be {low} at least.")
    if options.peer is not None and not (options.peer / "big_sleep" / "big_sleep.py").is_file():
        raise CannotMeasure(f"{options.peer} is no checkout of lucidrains/big-sleep.")
    if options.pairs is None and not options.random and not registry.pair(EMBEDDED.name, Path()).present():
        raise ModelError("There are no models here; --random times the large ones with random weights.")
