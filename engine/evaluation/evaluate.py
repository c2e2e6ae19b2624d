"""The command `python -m engine.evaluate`: dreams a list of prompts and lets a judge say if they came true.

The judge is a perceptor that no search uses. Each recipe gets the same number of looks at pictures by the
search's own perceptor. Everything is kept in a folder, one line of `dreams.jsonl` and one picture a dream: an
interrupted evaluation goes on where it stopped. Exit codes as those of `dream`.
"""

import argparse
import io
import json
import logging
import multiprocessing
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from engine import __version__, settings
from engine.data_dir import data_dir
from engine.dreaming.dreamer import Dreamer, best_device
from engine.errors import BadRequest, BadSetting, DreamError, FailureKind, ModelError, explained
from engine.evaluation import contact_sheet, variety, verdict
from engine.evaluation.prompt_list import (
    HUNDRED,
    Listed,
    read,
    some,
)
from engine.evaluation.verdict import Dreamt
from engine.models import (
    folders,
    perceptor,
    registry,
)
from engine.models.registry import CLIPS, EMBEDDED
from engine.process.streams import unbreakable
from engine.protocol import DreamRequest, Failed, Finished
from engine.search.recipes import DreamSettings, settings_for

log = logging.getLogger(__name__)

DREAMS = "dreams.jsonl"
OUT = Path("evaluation")
NEVER_S = 1e9  # between previews that nobody wants
EXIT_CODES = {FailureKind.MODEL: 3, FailureKind.DISK: 4, FailureKind.MEMORY: 5, FailureKind.INTERNAL: 1}


@dataclass(frozen=True)
class Task:
    """One dream to dream."""

    listed: Listed
    recipe: str
    search: DreamSettings
    seed: int
    picture: str  # the file that shall hold it


class Dreaming:
    """A `Dreamer` that counts the pictures its perceptor looks at."""

    def __init__(self, pair: registry.Pair, data_dir: Path, device: str) -> None:
        """Loads the models. Raises `ModelError`."""
        self._dreamer = Dreamer(data_dir=data_dir, device=device, clip=pair.clip)
        self._model = pair.name
        perceive = self._dreamer.load(pair).perceptor
        self._encode = perceive.encode_images
        perceive.encode_images = self._counted  # type: ignore[method-assign]  # of this one, here alone
        self.views = 0

    def _counted(self, images: Tensor) -> Tensor:
        self.views += len(images)
        return self._encode(images)

    def dream(self, task: Task) -> tuple[Dreamt, bytes]:
        """The dream and its picture as JPEG, b"" where it collapsed.

        Raises `DreamError` for what would end every other dream too.
        """
        self.views = 0
        request = DreamRequest(
            "evaluation", task.listed.prompt, task.seed, self._model, task.search.steps, NEVER_S,
            recipe=task.recipe, settings={"candidates": task.search.candidates},
        )  # fmt: skip
        *_, end = self._dreamer.dream(request, bool)
        if isinstance(end, Failed) and end.kind is not FailureKind.COLLAPSE:
            raise _error(end, task.listed.prompt)
        score, seconds, picture = 0.0, 0.0, b""
        if isinstance(end, Finished):
            score, seconds, picture = end.score, end.seconds, _jpeg(end.picture)
        return Dreamt(
            task.recipe, task.listed.prompt, task.listed.group, task.seed, self._model, task.search.steps,
            task.picture, not picture, score, self.views, seconds,
        ), picture  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Evaluate as the arguments (default: the program's) say. Returns the exit code."""
    with unbreakable():
        return _main(argv)


def _main(argv: Sequence[str] | None) -> int:
    parser = argparse.ArgumentParser("python -m engine.evaluate", description=__doc__)
    parser.add_argument(
        "--prompts", type=Path, help="a list, one a line (the hundred of ours, with --variety five)"
    )
    parser.add_argument(
        "--variety", action="store_true", help="how much the dreams of each prompt differ, seed by seed"
    )
    parser.add_argument("--limit", type=int, help="dream only so many of them, evenly spread")
    parser.add_argument(
        "--seeds", type=int, help=f"dreams a prompt and recipe (3, with --variety {variety.SEEDS})"
    )
    parser.add_argument("--model", default="auto", choices=settings.MODELS, help="(%(default)s)")
    parser.add_argument("--clip", default="", help="what a large model's search uses (ViT-B/32)")
    parser.add_argument(
        "--recipes", help=f"separated by commas, of {', '.join(settings.RECIPES)} (the default one)"
    )
    parser.add_argument(
        "--preset", default="", choices=settings.PRESETS, help="how much a dream may take, in every recipe"
    )
    parser.add_argument("--budget", type=int, help="views a dream instead, start and looks included")
    parser.add_argument("--steps", type=int, help="steps a dream instead, which cost each recipe its own")
    parser.add_argument(
        "--judge",
        default="",
        help=f"{EMBEDDED.judge} (for {EMBEDDED.name}), {', '.join(CLIPS)} (for large), or a folder",
    )
    parser.add_argument("--out", type=Path, help=f"folder ({OUT}, with --variety {OUT / 'variety'})")
    parser.add_argument("--jobs", type=int, default=1, help="processes that dream (%(default)s)")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads of each (all)")
    parser.add_argument("--device", help="cpu, cuda or mps (the best there is)")
    options = parser.parse_args(argv)
    options.prompts = options.prompts or (variety.PROMPTS if options.variety else HUNDRED)
    options.out = options.out or (OUT / "variety" if options.variety else OUT)
    if options.seeds is None:
        options.seeds = variety.SEEDS if options.variety else 3
    try:
        evaluate(options, data_dir(settings.environment()))
    except (DreamError, BadSetting) as error:
        return _refused(error.kind if isinstance(error, DreamError) else FailureKind.BAD_REQUEST, str(error))
    except KeyboardInterrupt:
        print(f"Stopped; the same command goes on from {options.out}.", file=sys.stderr)
        return 130
    except Exception as error:
        kind, said = explained(error)
        if kind is FailureKind.INTERNAL:
            log.exception("evaluation failed")
        return _refused(kind, str(said))
    return 0


def evaluate(options: argparse.Namespace, data_dir: Path) -> None:
    """Dream what is missing in `options.out`, judge all of it, write the tables and sheets.

    Raises `BadRequest` or `ModelError` for what cannot be evaluated.
    """
    _check(options)
    listed = read(options.prompts)
    chosen = some(listed, options.limit)
    if options.variety:  # among so few prompts any picture would be right
        known = {one.prompt for one in listed}
        listed = [*listed, *(one for one in read(HUNDRED) if one.prompt not in known)]
    names = _recipe_names(options.recipes)
    if options.threads:
        torch.set_num_threads(options.threads)
    device = options.device or best_device()
    pair = registry.resolve(options.model, data_dir, torch.device(device), options.clip)
    if not pair.present():
        raise ModelError(f"The model {pair.name} is not on this machine; dream models fetch brings it.")
    judge = load_judge(options.judge, pair, data_dir, torch.device(device))

    plans = {name: _plan(options, name, pair) for name in names}
    dreaming = Dreaming(pair, data_dir, device)
    mark = registry.fingerprint(pair)
    options.out.mkdir(parents=True, exist_ok=True)
    tasks = [
        Task(one, recipe, search, seed, _picture(one.prompt, recipe, search, seed, mark))
        for seed in range(1, options.seeds + 1)
        for one in chosen
        for recipe, search in plans.items()
    ]
    kept = {
        d.picture: d
        for d in read_dreams(options.out / DREAMS)
        if d.collapsed or (options.out / d.picture).is_file()
    }
    missing = [task for task in tasks if task.picture not in kept]
    dreams = _dream_all(missing, dreaming, options.jobs, (pair, data_dir, device, options.threads))
    with (options.out / DREAMS).open("a", encoding="utf-8") as file:
        done = len(tasks) - len(missing)
        if file.tell() and not (options.out / DREAMS).read_bytes().endswith(b"\n"):
            file.write("\n")  # the last line was cut
        for dreamt, picture in tqdm(dreams, total=len(tasks), initial=done, unit="dream", file=sys.stderr):
            if picture:
                partial = (options.out / dreamt.picture).with_suffix(".partial")
                partial.write_bytes(picture)
                partial.replace(options.out / dreamt.picture)
            file.write(json.dumps(asdict(dreamt), ensure_ascii=False) + "\n")
            file.flush()
            kept[dreamt.picture] = dreamt
    judged = [kept[task.picture] for task in tasks]
    report(judged, listed, judge, torch.device(device), options.out, options.variety)


def report(
    dreams: Sequence[Dreamt],
    listed: Sequence[Listed],
    judge: perceptor.Perceptor,
    device: torch.device,
    out: Path,
    varied: bool = False,
) -> None:
    """Judge `dreams` among the prompts `listed`; write `results.md`, `verdicts.jsonl`, a sheet a recipe.

    `varied`: also how much each prompt's dreams differ, and `variety-….json` a recipe.
    """
    prompts = [one.prompt for one in listed]
    number = {prompt: i for i, prompt in enumerate(prompts)}
    texts = judge.encode_texts(prompts).cpu()  # [prompts, d]
    features: list[Tensor | None] = []
    small: list[Tensor | None] = []
    for dreamt in tqdm(dreams, desc="judge", unit="picture", file=sys.stderr):
        if dreamt.collapsed:
            features.append(None)
            small.append(None)
            continue
        with Image.open(out / dreamt.picture) as image:
            features.append(verdict.seen(judge, image, device))
            small.append(verdict.small(image))
    said = verdict.verdicts(features, [number[d.prompt] for d in dreams], texts, prompts)
    rows = list(zip(dreams, said, strict=True))
    groups = list(dict.fromkeys(one.group for one in listed if any(one.group == d.group for d in dreams)))
    table = verdict.table(rows, small, groups)
    head = (
        f"{len(dreams)} dreams by {dreams[0].model}, judged by {judge.name} among {len(prompts)} prompts.\n"
    )
    if varied:
        table += _varied(rows, small, judge.name, out)
    (out / "results.md").write_text(f"{head}\n{table}\n{verdict.prompt_table(rows)}", encoding="utf-8")
    lines = [
        {**asdict(dreamt), "judge": round(v.score, 2), "rank": v.rank, "taken_for": v.taken_for}
        for dreamt, v in rows
    ]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (out / "verdicts.jsonl").write_text(text, encoding="utf-8")
    for recipe in dict.fromkeys(d.recipe for d in dreams):
        mine = sorted(
            ((d, v) for d, v in rows if d.recipe == recipe),
            key=lambda row: (number[row[0].prompt], row[0].seed),
        )
        tiles = [(_opened(out, d), d.prompt, v.rank) for d, v in mine]
        seeds = len({d.seed for d, _ in mine})
        contact_sheet.write(out / f"sheet-{recipe}.jpg", tiles, seeds * max(1, 12 // seeds))
    print(head + "\n" + table + f"\nPrompt by prompt: {out / 'results.md'}; pictures: {out}/sheet-*.jpg")


def _varied(
    rows: Sequence[tuple[Dreamt, verdict.Verdict]], small: Sequence[Tensor | None], judge: str, out: Path
) -> str:
    """What `variety` tells of each recipe's dreams; writes it as JSON, too."""
    text = ""
    for recipe in dict.fromkeys(dreamt.recipe for dreamt, _ in rows):
        mine = [i for i, (dreamt, _) in enumerate(rows) if dreamt.recipe == recipe]
        varieties = variety.of([rows[i] for i in mine], [small[i] for i in mine])
        first = rows[mine[0]][0]
        about: dict[str, str | int] = {
            "model": first.model,
            "recipe": recipe,
            "steps": first.steps,
            "judge": judge,
        }
        variety.write(out / f"variety-{recipe}.json", varieties, **about, version=__version__)
        text += f"\n{recipe}:\n\n{variety.table(varieties)}"
    return text


def load_judge(name: str, pair: registry.Pair, data_dir: Path, device: torch.device) -> perceptor.Perceptor:
    """The perceptor that judges `pair`'s dreams: "" is the one that its record names.

    Raises `ModelError` when its files are missing, `BadRequest` when it is the one that searches.
    """
    name = name or pair.model.judge
    folder = registry.judge_folder(name, data_dir)
    if not folders.has_weights(folder):
        way = f"dream models fetch {name} brings it" if name in CLIPS else "it holds no perceptor"
        raise ModelError(f"There is no judge in {folder}; {way}.")
    if folder.resolve() in [path.resolve() for path in pair.perceptors]:
        raise BadRequest("The judge must be another perceptor than the one that searches.")
    return perceptor.load(folder, f"{name} judge" if name == EMBEDDED.judge else name, device)


def read_dreams(path: Path) -> Iterator[Dreamt]:
    """The dreams in a `dreams.jsonl`; lines that are not whole, as a crash leaves them, are passed over."""
    names = {f.name for f in fields(Dreamt)}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            values: Any = json.loads(line)
        except ValueError:
            continue
        if isinstance(values, dict) and set(values) == names:
            yield Dreamt(**values)


def _check(options: argparse.Namespace) -> None:
    for name, low in (("limit", 1), ("seeds", 1), ("steps", 1), ("budget", 1), ("jobs", 1), ("threads", 0)):
        value = getattr(options, name)
        if value is not None and value < low:
            raise BadRequest(f"--{name} must be {low} at least.")
    if options.steps is not None and options.steps > settings.MAX_STEPS:
        raise BadRequest(f"--steps must be {settings.MAX_STEPS} at most.")
    if len([one for one in (options.steps, options.budget, options.preset) if one]) > 1:
        raise BadRequest("Please give one of --preset, --budget and --steps.")


def _recipe_names(text: str | None) -> list[str]:
    names = list(dict.fromkeys(name.strip() for name in (text or settings.RECIPES[0]).split(",")))
    for name in names:
        if name not in settings.RECIPES:
            raise BadRequest(f"{name[:80]!r} is not a recipe; there are {', '.join(settings.RECIPES)}.")
    return names


def _plan(options: argparse.Namespace, recipe: str, pair: registry.Pair) -> DreamSettings:
    """How a recipe searches within what is asked. Raises `BadRequest` for a budget that is too small."""
    search = settings_for(pair.name, recipe, options.preset, None, options.steps)
    if options.budget is not None:
        search = search.within(options.budget)
        if search.evaluations() > 1.1 * options.budget:
            least = search.evaluations()
            raise BadRequest(f"The budget is {options.budget} views, but {recipe} needs {least} at least.")
    return search


def _dream_all(
    tasks: Sequence[Task], dreaming: Dreaming, jobs: int, loading: tuple[registry.Pair, Path, str, int]
) -> Iterator[tuple[Dreamt, bytes]]:
    if jobs == 1 or len(tasks) < 2:
        yield from map(dreaming.dream, tasks)
        return
    with ProcessPoolExecutor(
        min(jobs, len(tasks)),
        multiprocessing.get_context("spawn"),
        _begin,
        loading,
    ) as pool:
        try:
            for future in as_completed([pool.submit(_dream_one, task) for task in tasks]):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


_dreaming: Dreaming | None = None  # a child process's own


def _begin(pair: registry.Pair, data_dir: Path, device: str, threads: int) -> None:
    global _dreaming
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if threads:
        torch.set_num_threads(threads)
    _dreaming = Dreaming(pair, data_dir, device)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)  # it was killed: nobody waits for the dream that is under way


def _dream_one(task: Task) -> tuple[Dreamt, bytes]:
    assert _dreaming is not None
    return _dreaming.dream(task)


def _picture(prompt: str, recipe: str, search: DreamSettings, seed: int, mark: str) -> str:
    """The name of a dream's file: the same for the same prompt, search and models (`mark`) alone."""
    text = json.dumps([prompt, asdict(search), mark, __version__])
    return f"{recipe}-{sha256(text.encode()).hexdigest()[:12]}-{seed}.jpg"


def _opened(out: Path, dreamt: Dreamt) -> Image.Image | None:
    return Image.open(out / dreamt.picture) if not dreamt.collapsed else None


def _jpeg(png: bytes) -> bytes:
    file = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        image.save(file, "JPEG", quality=92)
    return file.getvalue()


def _error(failed: Failed, prompt: str) -> DreamError:
    kinds = {FailureKind.MODEL: ModelError, FailureKind.BAD_REQUEST: BadRequest}
    error = kinds.get(failed.kind, DreamError)(f"{prompt[:80]!r}: {failed.message}")
    error.kind = failed.kind
    return error


def _refused(kind: FailureKind, sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return EXIT_CODES.get(kind, 2)


def run() -> int:
    """As a program: what it logs is told, and what nobody reads costs nothing. Gives the exit code."""
    with unbreakable():
        logging.basicConfig(level=logging.INFO, format="%(message)s")
        return main()


if __name__ == "__main__":
    sys.exit(run())
