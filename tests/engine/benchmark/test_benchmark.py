import json
import time
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest
import torch

from engine.benchmark import goals
from engine.benchmark.command import parser, run
from engine.benchmark.measuring import Measured, Plan, measure, table
from engine.benchmark.operations import Recorder, ceiling, rate
from engine.benchmark.peer import timed
from engine.benchmark.stopwatch import (
    GENERATOR,
    GENERATOR_BACK,
    LOOK,
    PERCEPTOR,
    PERCEPTOR_BACK,
    VIEWS,
)
from engine.errors import DreamError
from engine.models import registry

CPU = torch.device("cpu")
NAME = "biggan-deep-128"


@pytest.fixture(scope="module")
def measured(tiny_models: Path) -> Measured:
    """A tiny pair's figures."""
    return measure(NAME, tiny_models, Plan(rounds=1, steps=3, cutouts=4, device="cpu"), time.time())


def test_a_pair_is_measured_from_the_first_preview_to_the_ceiling(measured: Measured) -> None:
    assert (measured.pair, measured.cutouts, measured.steps) == (NAME, 4, 3)
    assert 0 < measured.first_s < measured.dream_s and measured.cold_first_s > 0
    assert 0 < measured.step_s < measured.dream_s
    assert measured.step_flop > 0 and measured.ceiling_s > 0 and measured.floor_s > 0
    for stage in (GENERATOR, VIEWS, PERCEPTOR, PERCEPTOR_BACK, GENERATOR_BACK, LOOK):
        assert measured.stages_s[stage] > 0


def test_twice_the_views_are_more_flop(measured: Measured, tiny_models: Path) -> None:
    more = measure(NAME, tiny_models, Plan(rounds=1, steps=3, cutouts=8, device="cpu"), time.time())
    assert measured.step_flop < more.step_flop < 2 * measured.step_flop  # the generator's stay the same


def test_the_table_has_the_peer_only_where_there_is_one(measured: Measured) -> None:
    assert "peer" not in table([measured]) and NAME in table([measured])


def test_flop_are_those_of_the_products_forward_and_backward() -> None:
    left, right = torch.ones(3, 5, requires_grad=True), torch.ones(5, 7, requires_grad=True)
    with Recorder() as recorder:
        _ = left @ right  # not counted: it is not on yet
        recorder.on = True
        (left @ right).sum().backward()
    assert recorder.flop == 3 * 2 * 3 * 5 * 7
    pixels, kernel = torch.ones(2, 3, 8, 8), torch.ones(4, 3, 3, 3)
    with Recorder() as recorder:
        recorder.on = True
        torch.nn.functional.conv2d(pixels, kernel, padding=1)
        torch.nn.functional.scaled_dot_product_attention(*torch.ones(3, 1, 2, 16, 8))
    assert recorder.flop == 2 * (2 * 4 * 8 * 8) * (3 * 3 * 3) + 2 * 2 * 2 * 16 * 16 * 8
    heard: list[None] = []
    assert ceiling(recorder.found, CPU, lambda: heard.append(None)) > 0
    assert len(heard) == len(recorder.found) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--rounds", "0"], 2, "--rounds must be 1 at least."),
        (["--peer", "nowhere"], 2, "nowhere is no checkout of lucidrains/big-sleep."),
        (["--pairs", NAME], 3, f"The model {NAME} is not here; --random times it"),
        (["--pairs", "gpt"], 3, "gpt"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(
    arguments: list[str], code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert run(arguments) == code
    captured = capsys.readouterr()
    assert said in captured.err and not captured.out
    assert len(captured.err.splitlines()) == 1


def test_help_says_what_each_option_does() -> None:
    for action in parser()._actions:
        assert action.help


def test_a_peer_that_does_not_run_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "big_sleep").mkdir()
    (tmp_path / "big_sleep" / "__init__.py").write_text("")
    (tmp_path / "big_sleep" / "big_sleep.py").write_text("raise RuntimeError('out of order')")
    with pytest.raises(DreamError, match="out of order"):
        timed(tmp_path, registry.pair(NAME, tmp_path), 2, 1, 1, "cpu")


# Of the same form as lucidrains/big-sleep, as far as it is called; a step takes little.
PEER = {
    "big_sleep.py": """
        import torch
        import torchvision.transforms as T
        from torchvision.utils import save_image
        from big_sleep.biggan import BigGAN
        from big_sleep.clip import load

        assert torch.cuda.is_available(), 'CUDA must be available in order to use Big Sleep'

        class Latents(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.model = torch.nn.Linear(1, 512)
            def update(self):
                assert self.model.weight.grad is not None

        class BigSleep(torch.nn.Module):
            def __init__(self, num_cutouts, image_size):
                super().__init__()
                assert (num_cutouts, image_size) == (2, 128)
                self.perceptor, self.normalize = load('ViT-B/32', jit=False)
                self.model = torch.nn.Module()
                self.model.latents = Latents()
                self.biggan = BigGAN.from_pretrained('biggan-deep-128')
                assert self.biggan.embeddings.weight.abs().sum() > 0
            def forward(self, towards):
                seen = self.perceptor.encode_image(self.normalize(torch.ones(1, 3, 2, 2)))
                out = self.model.latents.model(seen)
                return out, (-torch.cosine_similarity(towards[0], out).mean(), out.square().mean())
        """,
    "biggan.py": """
        import boto3
        import torch

        class BigGANConfig(dict):
            from_dict = classmethod(lambda its, values: its(values))

        class BigGAN(torch.nn.Module):
            def __init__(self, config):
                super().__init__()
                self.embeddings = torch.nn.Linear(config['num_classes'], config['z_dim'], bias=False)
                torch.nn.init.zeros_(self.embeddings.weight)
        """,
    "clip.py": """
        import ftfy
        import torch

        def load(*_, **__):
            raise AssertionError('nothing is downloaded')

        class CLIP(torch.nn.Module):
            def __init__(self, dimension, *sizes):
                super().__init__()
                assert len(sizes) == 9
            def encode_image(self, views):
                return views.mean((1, 2, 3))[:, None]
        """,
}


def test_a_peer_is_timed_with_our_generator_s_weights(tmp_path: Path, tiny_models: Path) -> None:
    folder = tmp_path / "big_sleep"
    folder.mkdir()
    (folder / "__init__.py").write_text("from big_sleep.big_sleep import BigSleep\n")
    for name, text in PEER.items():
        (folder / name).write_text(dedent(text))
    peer = timed(tmp_path, registry.pair(NAME, tiny_models), 2, 2, 1, "cpu")
    assert 0 < peer.step_s < 60 and peer.peak_bytes > 0


def test_goals_say_what_is_reached_what_is_missed_and_what_was_not_measured(measured: Measured) -> None:
    slow = replace(measured, step_s=3.0, ceiling_s=1.0, peak_bytes=0, peer_step_s=15.0)
    found = {goal.what: goal for goal in goals.judged([slow])}
    assert [goal.reached for goal in found.values()] == [True, False, False]
    assert found["memory"].found is None
    lines = goals.table(list(found.values())).splitlines()
    assert [line.split("|")[-2].strip() for line in lines[2:]] == ["reached", "missed", "not measured"]
    assert "≥ 4" in lines[2] and "5.00" in lines[2]


def test_goals_depend_on_pair_device_and_preset(measured: Measured) -> None:
    embedded = replace(measured, pair=registry.EMBEDDED.name, dream_s=3.0)
    for preset, reached in (("quick", False), ("normal", True)):
        whole = goals.judged([replace(embedded, preset=preset)])[-1]
        assert (whole.what, whole.reached) == (f"whole {preset} dream", reached)
    assert not any("whole" in goal.what for goal in goals.judged([replace(embedded, preset="thorough")]))
    on_gpu = goals.judged([replace(measured, device="cuda", step_s=1.9, floor_s=1.0, peer_step_s=18.0)])
    assert [goal.reached for goal in on_gpu[:2]] == [False, True]


def test_a_large_product_is_done_at_some_speed() -> None:
    assert rate(CPU) > 1e8


@pytest.mark.slow
def test_the_command_prints_the_table_and_writes_all_figures(
    tiny_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tiny_models))
    file = tmp_path / "bench.json"
    assert run(["--pairs", NAME, "--rounds", "1", "--steps", "2", "--json", str(file)]) == 0
    assert f"| {NAME} |" in capsys.readouterr().out
    assert json.loads(file.read_text())["pairs"][0]["step_s"] > 0
