"""The command `python -m engine.evaluate` with tiny models: dreams, judges, goes on, refuses kindly."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from engine.evaluation.evaluate import main, read_dreams
from engine.pocket.judge import Judge
from engine.settings import RECIPES
from tests.engine.pocket.test_judge import TINY
from tests.engine.processes import runs, wait_until

PAIR = ["--model", "biggan-deep-128", "--device", "cpu"]


@pytest.fixture
def place(tiny_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with tiny large models, a judge and a list of two prompts."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tiny_models))
    torch.manual_seed(0)
    Judge(TINY).save(tmp_path / "judge")
    (tmp_path / "list.txt").write_text("a cat\n[sea]\na ship\n")
    return tmp_path


def run(*arguments: str) -> int:
    return main([*PAIR, "--judge", "judge", "--prompts", "list.txt", "--out", "out", *arguments])


def test_it_dreams_judges_and_tells(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--seeds", "2", "--steps", "2") == 0
    dreams = list(read_dreams(place / "out" / "dreams.jsonl"))
    assert [(d.prompt, d.group, d.seed) for d in dreams] == [
        ("a cat", "prompts", 1), ("a ship", "sea", 1), ("a cat", "prompts", 2), ("a ship", "sea", 2),
    ]  # fmt: skip
    assert all(d.steps == 2 and d.views > 2 and d.seconds > 0 for d in dreams)
    for dreamt in dreams:
        with Image.open(place / "out" / dreamt.picture) as image:
            assert image.format == "JPEG"
    table = (place / "out" / "results.md").read_text()
    assert "4 dreams by biggan-deep-128, judged by judge among 2 prompts." in table
    assert "| prompts | sea |" in table
    assert table.splitlines()[4] in capsys.readouterr().out
    verdicts = [json.loads(line) for line in (place / "out" / "verdicts.jsonl").read_text().splitlines()]
    assert {v["rank"] for v in verdicts} <= {1, 2}
    assert all((v["rank"] == 1) == (v["taken_for"] == v["prompt"]) for v in verdicts)
    with Image.open(place / "out" / f"sheet-{RECIPES[0]}.jpg") as sheet:
        assert sheet.width > sheet.height > 100


def test_an_interrupted_evaluation_goes_on_where_it_stopped(place: Path) -> None:
    assert run("--seeds", "1", "--steps", "2") == 0
    path = place / "out" / "dreams.jsonl"
    first = path.read_text()
    dreams = list(read_dreams(path))
    (place / "out" / dreams[1].picture).unlink()  # its picture is lost
    path.write_text(first + '{"recipe": "onei')  # and a line was cut
    kept = (place / "out" / dreams[0].picture).stat().st_mtime_ns
    assert run("--seeds", "1", "--steps", "2") == 0
    assert (place / "out" / dreams[0].picture).stat().st_mtime_ns == kept
    assert (place / "out" / dreams[1].picture).is_file()
    assert [d.prompt for d in read_dreams(path)] == ["a cat", "a ship", "a ship"]
    assert run("--seeds", "1", "--steps", "2") == 0
    assert len(list(read_dreams(path))) == 3, "nothing is left to dream"


def test_variety_is_of_many_seeds_judged_among_the_hundred(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--variety", "--steps", "2", "--limit", "1", "--recipes", "oneiro,bigsleep") == 0
    told = capsys.readouterr().out
    dreams = list(read_dreams(place / "out" / "dreams.jsonl"))
    assert [d.seed for d in dreams if d.recipe == "oneiro"] == list(range(1, 9))
    results = (place / "out" / "results.md").read_text()
    assert "judged by judge among 101 prompts" in results, "a cat is in both lists"
    for recipe in ("oneiro", "bigsleep"):
        values = json.loads((place / "out" / f"variety-{recipe}.json").read_text())
        (cat,) = values["prompts"]
        assert (cat["prompt"], cat["seeds"], values["recipe"]) == ("a cat", 8, recipe)
        assert 0 < cat["nearest"] < cat["judge"]
        assert f"| a cat | 8 | {cat['judge']:.1f} | {cat['nearest']:.1f} |" in told
    with Image.open(place / "out" / "sheet-oneiro.jpg") as sheet:
        assert sheet.width > 6 * sheet.height


def test_other_steps_are_other_dreams(place: Path) -> None:
    assert run("--seeds", "1", "--steps", "2", "--limit", "1") == 0
    assert run("--seeds", "1", "--steps", "3", "--limit", "1") == 0
    assert [d.steps for d in read_dreams(place / "out" / "dreams.jsonl")] == [2, 3]
    assert "1 dreams by" in (place / "out" / "results.md").read_text()


def test_a_budget_of_views_is_kept_by_every_recipe(place: Path) -> None:
    assert run("--seeds", "1", "--limit", "1", "--budget", "3000", "--recipes", ",".join(RECIPES)) == 0
    views = {d.recipe: d.views for d in read_dreams(place / "out" / "dreams.jsonl")}
    assert set(views) == set(RECIPES)
    assert all(2700 <= taken <= 3300 for taken in views.values()), views


def test_several_processes_dream_the_same_dreams(place: Path) -> None:
    assert run("--seeds", "1", "--steps", "2") == 0
    alone = {
        d.prompt: (place / "out" / d.picture).read_bytes() for d in read_dreams(place / "out/dreams.jsonl")
    }
    shutil.rmtree(place / "out")
    assert run("--seeds", "1", "--steps", "2", "--jobs", "2", "--threads", "1") == 0
    both = {
        d.prompt: (place / "out" / d.picture).read_bytes() for d in read_dreams(place / "out/dreams.jsonl")
    }
    assert alone == both


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_killed_evaluation_leaves_no_process_behind(place: Path) -> None:
    arguments = [*PAIR, "--judge", "judge", "--prompts", "list.txt", "--out", "out", "--steps", "2"]
    command = [sys.executable, "-m", "engine.evaluate", *arguments, "--seeds", "500", "--jobs", "2"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: any(read_dreams(place / "out" / "dreams.jsonl")))
            children = [
                int(pid)
                for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            ]
        finally:
            process.kill()
    assert len(children) >= 2
    wait_until(lambda: not any(runs(pid) for pid in children))


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--budget", "1", "--limit", "1"], 2, "budget is 1 views"),
        (["--recipes", "astrology"], 2, "'astrology' is not a recipe; there are"),
        (["--seeds", "0"], 2, "--seeds must be 1 at least"),
        (["--steps", "5001"], 2, "--steps must be 5000 at most"),
        (["--steps", "5", "--budget", "100"], 2, "one of --preset, --budget and --steps"),
        (["--prompts", "none.txt"], 2, "none.txt cannot be read"),
        (["--judge", "nowhere"], 3, "There is no judge in nowhere; it holds no perceptor"),
        (["--clip", "ViT-Z"], 2, "ViT-Z"),
        (["--judge", "ViT-L/14"], 3, "dream models fetch ViT-L/14 brings it"),
        (["--judge", "ViT-B/32"], 2, "another perceptor than the one that searches"),
        (["--model", "biggan-deep-512"], 3, "biggan-deep-512"),
    ],
)
def test_what_cannot_be_evaluated_is_one_sentence(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, sentence: str
) -> None:
    assert run(*arguments) == code
    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said
    assert not (place / "out").exists()
