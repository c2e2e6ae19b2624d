"""How much dreams of the same words differ: by the judge, the nearest two, by pixels; as a table and JSON."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine.evaluation import prompt_list, variety, verdict
from engine.evaluation.verdict import Verdict
from tests.engine.evaluation.test_verdict import PROMPTS, TEXTS, dreamt


def judged(features: list[Tensor | None], prompts: list[str]) -> list[tuple[verdict.Dreamt, Verdict]]:
    dreams = [dreamt(prompt, seed) for seed, prompt in enumerate(prompts, 1)]
    said = verdict.verdicts(features, [PROMPTS.index(prompt) for prompt in prompts], TEXTS, PROMPTS)
    return list(zip(dreams, said, strict=True))


def test_alike_dreams_have_no_variety_and_unlike_ones_all_of_it(tmp_path: Path) -> None:
    black, white = torch.zeros(3, 32, 32), torch.ones(3, 32, 32)
    rows = judged([TEXTS[0], TEXTS[0], TEXTS[1], TEXTS[1], TEXTS[2], None], ["a", "a", "a", "b", "b", "b"])
    found = variety.of(rows, [black, black, white, white, white, None])
    a, b = found
    assert (a.prompt, a.seeds, a.first) == ("a", 3, pytest.approx(2 / 3))
    assert (a.judge, a.nearest, a.pixels) == (pytest.approx(200 / 3), 0, pytest.approx(200 / 3))
    assert (b.prompt, b.seeds, b.first) == ("b", 2, pytest.approx(1 / 3)), "a collapsed dream is not right"
    assert (b.judge, b.nearest, b.pixels) == (pytest.approx(100), pytest.approx(100), 0)
    lines = variety.table(found).splitlines()
    assert lines[2] == "| a | 3 | 66.7 | 0.0 | 66.7 % | 67% |"
    assert lines[4] == "| all | 5 | 83.3 | 50.0 | 33.3 % | 50% |"
    variety.write(tmp_path / "variety.json", found, model="pocket", steps=60)
    values = json.loads((tmp_path / "variety.json").read_text())
    assert (values["model"], values["steps"]) == ("pocket", 60)
    assert values["mean"]["judge"] == pytest.approx(250 / 3)
    assert [one["prompt"] for one in values["prompts"]] == ["a", "b"]


def test_a_dream_alone_differs_from_nothing(tmp_path: Path) -> None:
    assert variety.of(judged([TEXTS[0], None], ["a", "a"]), [torch.zeros(3, 32, 32), None]) == []
    variety.write(tmp_path / "variety.json", [])
    assert json.loads((tmp_path / "variety.json").read_text()) == {"mean": None, "prompts": []}


def test_its_prompts_are_some_of_the_hundred() -> None:
    hundred = {one.prompt for one in prompt_list.read()}
    assert len(prompt_list.read(variety.PROMPTS)) == 5
    assert {one.prompt for one in prompt_list.read(variety.PROMPTS)} <= hundred
