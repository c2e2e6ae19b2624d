"""The command `python -m engine.evaluate`: do dreams come true? Dreams a list of prompts and lets a judge say.

The judge is a perceptor that no search uses. Each recipe gets the same number of looks at pictures by the
search's own perceptor. Everything is kept in a folder, one line of `dreams.jsonl` and one picture a dream: an
interrupted evaluation goes on where it stopped. Exit codes as those of `dream`.
"""

import argparse
import io
import json
import logging
import multiprocessing
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from engine import contact_sheet, files, perceptor, settings, verdict, weights
from engine.dreamer import Dreamer, best_device
from engine.errors import BadRequest, BadSetting, DreamError, FailureKind, ModelError, sentence_for
from engine.prompt_list import HUNDRED, Listed, read, some
from engine.protocol import DreamRequest, Failed, Finished, Started
from engine.verdict import Dreamt

log = logging.getLogger(__name__)

DREAMS = "dreams.jsonl"
PROBES = (10, 30)  # steps of two short dreams; what they take tells what any number of steps takes
NEVER_S = 1e9  # between previews that nobody wants
EXIT_CODES = {FailureKind.MODEL: 3, FailureKind.DISK: 4, FailureKind.MEMORY: 5, FailureKind.INTERNAL: 1}
JUDGES = {  # --judge's names, beside a folder of any perceptor
    "ViT-B/32": "clip-vit-base-patch32",
    "ViT-B/16": "clip-vit-base-patch16",
    "ViT-L/14": "clip-vit-large-patch14",
}


@dataclass(frozen=True)
class Task:
    """One dream to dream."""

    listed: Listed
    recipe: str
    steps: int | None
    seed: int


class Dreaming:
    """A `Dreamer` that counts the pictures its perceptor looks at."""

    def __init__(self, model: str, data_dir: Path, device: str | None) -> None:
        """Loads the models. Raises `ModelError`."""
        self._dreamer = Dreamer(data_dir=data_dir, device=device)
        self._model = model
        perceive = self._dreamer.load(model).perceptor
        self._encode = perceive.encode_images
        perceive.encode_images = self._counted  # type: ignore[method-assign]  # of this one, here alone
        self.views = 0
        self.mark = weights.fingerprint(weights.resolve(model, data_dir, self._dreamer.device))[:12]

    def _counted(self, images: Tensor) -> Tensor:
        self.views += len(images)
        return self._encode(images)

    def dream(self, task: Task) -> tuple[Dreamt, bytes]:
        """The dream, its `picture` not yet named, and the picture as JPEG; b"" where it collapsed.

        Raises `DreamError` for what would end every other dream too.
        """
        self.views = 0
        started, *_, end = self._dreamer.dream(self._request(task), lambda: False)
        if isinstance(end, Failed) and end.kind is not FailureKind.COLLAPSE:
            raise _error(end, task.listed.prompt)
        assert isinstance(started, Started)
        done = isinstance(end, Finished)
        return Dreamt(
            task.recipe, task.listed.prompt, task.listed.group, task.seed, started.model, self.mark,
            task.steps or started.steps, "", end.score if done else 0.0, self.views, end.seconds if done else 0.0,
        ), _jpeg(end.picture) if done else b""  # fmt: skip

    def cost(self, recipe: str, prompt: str) -> tuple[float, float, int]:
        """Views at the start, views a step, and the recipe's own number of steps."""
        taken = []
        for steps in PROBES:
            dreamt, _ = self.dream(Task(Listed(prompt, ""), recipe, steps, 1))
            taken.append(dreamt.views)
        a_step = (taken[1] - taken[0]) / (PROBES[1] - PROBES[0])
        usual = 0
        for event in self._dreamer.dream(self._request(Task(Listed(prompt, ""), recipe, None, 1)), lambda: True):
            if isinstance(event, Started):
                usual = event.steps
        return max(0.0, taken[0] - PROBES[0] * a_step), a_step, usual

    def _request(self, task: Task) -> DreamRequest:
        return DreamRequest(
            f"{task.recipe}-{task.seed}", task.listed.prompt, task.seed, self._model, task.steps, NEVER_S,
            recipe=task.recipe,
        )  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Evaluate as the arguments (default: the program's) say. Returns the exit code."""
    parser = argparse.ArgumentParser("python -m engine.evaluate", description=__doc__)
    parser.add_argument("--prompts", type=Path, default=HUNDRED, help="a list, one a line (the hundred of ours)")
    parser.add_argument("--limit", type=int, help="dream only so many of them, evenly spread")
    parser.add_argument("--seeds", type=int, default=3, help="dreams a prompt and recipe (%(default)s)")
    parser.add_argument("--model", default="auto", choices=settings.MODELS, help="(%(default)s)")
    parser.add_argument("--recipes", help=f"separated by commas, of {', '.join(recipes())} (the default one)")
    parser.add_argument("--steps", type=int, help="steps a dream, for every recipe (what suits each)")
    parser.add_argument(
        "--budget", type=int,
        help="views by the perceptor a dream, start and looks included (several recipes: what the first takes)",
    )  # fmt: skip
    parser.add_argument(
        "--judge", default="", help=f"{', '.join(JUDGES)}, or a perceptor's folder (pocket: the embedded one)"
    )
    parser.add_argument("--out", type=Path, default=Path("evaluation"), help="folder (%(default)s)")
    parser.add_argument("--jobs", type=int, default=1, help="processes that dream (%(default)s)")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads of each (all)")
    parser.add_argument("--device", help="cpu, cuda or mps (the best there is)")
    options = parser.parse_args(argv)
    try:
        evaluate(options, settings.DATA_DIR.read(settings.environment()))
    except (DreamError, BadSetting) as error:
        return _refused(error.kind if isinstance(error, DreamError) else FailureKind.BAD_REQUEST, str(error))
    except KeyboardInterrupt:
        print(f"Stopped; the same command goes on from {options.out}.", file=sys.stderr)
        return 130
    except Exception as error:
        kind, sentence = sentence_for(error)
        if kind is FailureKind.INTERNAL:
            log.exception("evaluation failed")
        return _refused(kind, sentence)
    return 0


def evaluate(options: argparse.Namespace, data_dir: Path) -> None:
    """Dream what is missing in `options.out`, judge all of it, write the tables and sheets.

    Raises `BadRequest` or `ModelError` for what cannot be evaluated.
    """
    _check(options)
    listed = read(options.prompts)
    chosen = some(listed, options.limit)
    names = _recipe_names(options.recipes)
    if options.threads:
        torch.set_num_threads(options.threads)
    device = options.device or best_device()
    pair = weights.resolve(options.model, data_dir, device)
    judge = load_judge(options.judge, pair, data_dir, torch.device(device))
    options.out.mkdir(parents=True, exist_ok=True)

    dreaming = Dreaming(options.model, data_dir, device)
    steps = _steps(options, names, dreaming, chosen[0].prompt)
    tasks = [
        Task(one, recipe, steps[recipe], seed)
        for seed in range(1, options.seeds + 1)
        for one in chosen
        for recipe in names
    ]
    kept = {_key(d): d for d in read_dreams(options.out / DREAMS) if (options.out / d.picture).exists()}
    wanted = [_name(task, dreaming.mark) for task in tasks]
    missing = [task for task, name in zip(tasks, wanted, strict=True) if name not in kept]
    dreams = _dream_all(missing, dreaming, options, data_dir)
    with (options.out / DREAMS).open("a", encoding="utf-8") as file:
        bar = tqdm(dreams, total=len(tasks), initial=len(tasks) - len(missing), unit="dream", file=sys.stderr)
        for task, dreamt, picture in bar:
            name = _name(task, dreaming.mark)
            entry = Dreamt(**{**asdict(dreamt), "picture": name if picture else ""})
            if picture:
                partial = (options.out / name).with_suffix(".partial")
                partial.write_bytes(picture)
                partial.replace(options.out / name)
            file.write(json.dumps(asdict(entry), ensure_ascii=False) + "\n")
            file.flush()
            kept[name] = entry
    report([kept[name] for name in wanted], listed, judge, torch.device(device), options.out)


def report(
    dreams: Sequence[Dreamt], listed: Sequence[Listed], judge: perceptor.Perceptor, device: torch.device, out: Path
) -> None:
    """Judge `dreams` among the prompts `listed`; write `results.md`, `verdicts.jsonl` and a sheet a recipe."""
    prompts = [one.prompt for one in listed]
    number = {prompt: i for i, prompt in enumerate(prompts)}
    texts = judge.encode_texts(prompts).cpu()  # [prompts, d]
    features: list[Tensor | None] = []
    small: list[Tensor | None] = []
    for dreamt in tqdm(dreams, desc="judge", unit="picture", file=sys.stderr):
        if not dreamt.picture:
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
    head = f"{len(dreams)} dreams by {dreams[0].model}, judged by {judge.name} among {len(prompts)} prompts.\n"
    (out / "results.md").write_text(f"{head}\n{table}\n{verdict.prompt_table(rows)}", encoding="utf-8")
    lines = [
        {**asdict(dreamt), "judge": round(v.score, 2), "rank": v.rank, "taken_for": v.taken_for}
        for dreamt, v in rows
    ]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (out / "verdicts.jsonl").write_text(text, encoding="utf-8")
    for recipe in dict.fromkeys(d.recipe for d in dreams):
        mine = sorted(
            ((d, v) for d, v in rows if d.recipe == recipe), key=lambda row: (number[row[0].prompt], row[0].seed)
        )
        tiles = [(_opened(out, d), d.prompt, v.rank) for d, v in mine]
        seeds = len({d.seed for d, _ in mine})
        contact_sheet.write(out / f"sheet-{recipe}.jpg", tiles, seeds * max(1, 12 // seeds))
    print(head + "\n" + table + f"\nPrompt by prompt: {out / 'results.md'}; pictures: {out}/sheet-*.jpg")


def recipes() -> tuple[str, ...]:
    """The names of the searches that a request can ask for, the default one first."""
    return settings.RECIPES


def load_judge(
    name: str, pair: weights.Pair, data_dir: Path, device: torch.device
) -> perceptor.Perceptor:
    """The perceptor that judges `pair`'s dreams: "" is the embedded judge for pocket, else ViT-L/14.

    Raises `ModelError` when its files are missing, `BadRequest` when it is the one that searches.
    """
    if not name:
        name = "pocket" if pair.name == "pocket" else "ViT-L/14"
    folder = Path(name)
    if name == "pocket":
        folder = weights.POCKET / "judge"
    elif name in JUDGES:
        folder = data_dir / "models" / JUDGES[name]
    if not files.has_weights(folder):
        raise ModelError(
            f"There is no judge in {folder}: it must hold a perceptor's files. "
            f"--judge takes its folder, pocket, or one of {', '.join(JUDGES)} in {data_dir / 'models'}."
        )
    if folder.resolve() == pair.perceptor.resolve():
        raise BadRequest("The judge must be another perceptor than the one that searches.")
    return perceptor.load(folder, f"{name} judge" if name == "pocket" else name, device)


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
    if options.steps is not None and options.budget is not None:
        raise BadRequest("Please give --steps or --budget, not both.")


def _recipe_names(text: str | None) -> list[str]:
    names = list(dict.fromkeys(name.strip() for name in (text or recipes()[0]).split(",")))
    for name in names:
        if name not in recipes():
            raise BadRequest(f"{name[:80]!r} is not a recipe; there are {', '.join(recipes())}.")
    return names


def _steps(
    options: argparse.Namespace, names: Sequence[str], dreaming: Dreaming, prompt: str
) -> dict[str, int | None]:
    """Steps of each recipe; None where it may take its own number. Raises `BadRequest` for a small budget."""
    if options.steps is not None or (options.budget is None and len(names) == 1):
        return dict.fromkeys(names, options.steps)
    costs = {name: dreaming.cost(name, prompt) for name in names}
    begin, a_step, usual = costs[names[0]]
    budget = options.budget or round(begin + usual * a_step)
    result: dict[str, int | None] = {}
    for name, (begin, a_step, _) in costs.items():
        result[name] = min(settings.MAX_STEPS, round((budget - begin) / a_step))
        if result[name] < 1:  # type: ignore[operator]
            raise BadRequest(f"The recipe {name} takes {begin:.0f} views before its first step: more than {budget}.")
        log.info("%s: %d views at the start, %.1f a step, %d steps", name, begin, a_step, result[name])
    return result


def _dream_all(
    tasks: Sequence[Task], dreaming: Dreaming, options: argparse.Namespace, data_dir: Path
) -> Iterable[tuple[Task, Dreamt, bytes]]:
    if options.jobs == 1 or len(tasks) < 2:
        for task in tasks:
            yield task, *dreaming.dream(task)
        return
    with ProcessPoolExecutor(
        min(options.jobs, len(tasks)),
        multiprocessing.get_context("spawn"),
        _begin,
        (options.model, data_dir, options.device, options.threads),
    ) as pool:
        running = {pool.submit(_dream_one, task): task for task in tasks}
        try:
            for future in as_completed(running):
                yield running[future], *future.result()
        finally:
            pool.shutdown(cancel_futures=True)


_dreaming: Dreaming | None = None  # a child process's own


def _begin(model: str, data_dir: Path, device: str | None, threads: int) -> None:
    global _dreaming
    if threads:
        torch.set_num_threads(threads)
    _dreaming = Dreaming(model, data_dir, device)


def _dream_one(task: Task) -> tuple[Dreamt, bytes]:
    assert _dreaming is not None
    return _dreaming.dream(task)


def _name(task: Task, mark: str) -> str:
    """A dream's file, the same for the same task and models alone."""
    text = json.dumps([task.listed.prompt, task.steps, mark])
    return f"{task.recipe}-{sha256(text.encode()).hexdigest()[:12]}-{task.seed}.jpg"


def _opened(out: Path, dreamt: Dreamt) -> Image.Image | None:
    return Image.open(out / dreamt.picture) if dreamt.picture else None


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


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(main())
