import pytest
import torch
from PIL import Image

from engine.evaluation import verdict
from engine.evaluation.verdict import Dreamt
from engine.models.perceptor import Perceptor

CPU = torch.device("cpu")
PROMPTS = ["a", "b", "c|d"]
TEXTS = torch.eye(3)


def dreamt(prompt: str, seed: int, recipe: str = "oneiro", collapsed: bool = False) -> Dreamt:
    return Dreamt(
        recipe, prompt, "plain", seed, "pocket", 60, f"{prompt}-{seed}.jpg", collapsed, 40.0, 1500, 5.0
    )


def test_rank_counts_the_prompts_that_are_liked_better() -> None:
    near = torch.tensor([0.6, 0.8, 0.0])
    right, second, collapsed = verdict.verdicts([near, near, None], [1, 0, 0], TEXTS, PROMPTS)
    assert (right.rank, right.taken_for, round(right.score)) == (1, "b", 80)
    assert (second.rank, second.taken_for, round(second.score)) == (2, "b", 60)
    assert (collapsed.rank, collapsed.score) == (3, 0.0)


def test_the_judge_sees_a_picture_and_its_mirror_image_alike(tiny_perceptor: Perceptor) -> None:
    image = Image.effect_noise((64, 64), 80).convert("RGB")
    one = verdict.seen(tiny_perceptor, image, CPU)
    two = verdict.seen(tiny_perceptor, image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), CPU)
    torch.testing.assert_close(one, two, atol=1e-4, rtol=1e-4)
    assert one.norm().item() == pytest.approx(1)


def test_seeds_that_give_the_same_picture_do_not_differ() -> None:
    black = verdict.small(Image.new("RGB", (64, 64), "black"))
    white = verdict.small(Image.new("RGB", (80, 64), "white"))
    assert verdict.difference([black]) is None
    assert verdict.difference([black, black]) == 0
    assert verdict.difference([black, white]) == pytest.approx(100)
    assert verdict.difference([black, white, white]) == pytest.approx(200 / 3)
    assert verdict.unlikeness([TEXTS[0], TEXTS[1]]) == pytest.approx(100)
    assert verdict.unlikeness([TEXTS[0]]) is None


def test_the_tables_tell_each_recipe_s_share_and_what_was_taken_for_what() -> None:
    dreams = [dreamt("a", 1), dreamt("a", 2), dreamt("c|d", 1), dreamt("a", 1, "bigsleep", True)]
    features = [TEXTS[0], TEXTS[1], TEXTS[2], None]
    said = verdict.verdicts(features, [0, 0, 2, 0], TEXTS, PROMPTS)
    rows = list(zip(dreams, said, strict=True))
    shown = [torch.zeros(3, 32, 32), torch.ones(3, 32, 32), torch.ones(3, 32, 32), None]
    head, _, oneiro, bigsleep = verdict.table(rows, shown, ["plain"]).splitlines()
    assert [cell.strip() for cell in head.split("|")][6:8] == ["right first", "plain"]
    assert "| oneiro | 3 | 60 | 1500 | 66.7 | 67 % | 67 % | 100 % | 100.0 % of the pixels" in oneiro
    assert "| bigsleep | 1 | 60 | 1500 | 0.0 | 0 % | 0 % | 100 % | – | 5.0 |" in bigsleep
    lines = verdict.prompt_table(rows).splitlines()
    assert lines[2] == "| a | plain | 1, 2 (b) | 3 (nothing) |"
    assert lines[3] == "| c\\|d | plain | 1 |  |"
