"""The embedded models dream: what everything else is for."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.dreaming.dreamer import Dreamer
from engine.dreaming.neighbours import MOST
from engine.models import registry
from engine.protocol import DreamRequest, Finished, Progress, Started
from engine.search import atlas
from engine.training.sheet import PROMPTS

PAIR = registry.pair("pocket", Path())
WANTED = {  # a class that a person would call this
    "a bowl of cherries": {"cherries"},
    "a house": {"house", "house-with-garden"},
    "a red heart": {"red-heart"},
    "a green tree": {"deciduous-tree", "evergreen-tree"},
    "the moon": {"crescent-moon", "waxing-crescent-moon", "waning-crescent-moon", "full-moon"}
    | {"first-quarter-moon", "last-quarter-moon", "first-quarter-moon-face", "last-quarter-moon-face"},
    "a cat": {"cat", "cat-face", "black-cat"},
    "a pizza": {"pizza"},
    "a rocket": {"rocket"},
    "a sunflower": {"sunflower"},
    "a castle": {"castle", "japanese-castle"},
    "una casa nella neve": {"house", "house-with-garden"},
    "a camel in the desert": {"camel", "two-hump-camel"},
}


@pytest.fixture(scope="module")
def dreamer(tmp_path_factory: pytest.TempPathFactory) -> Dreamer:
    return Dreamer(data_dir=tmp_path_factory.mktemp("data"), device="cpu")


def dream(dreamer: Dreamer, prompt: str, seed: int = 7, steps: int = 10) -> tuple[list[Progress], Finished]:
    started, *progress, finished = dreamer.dream(
        DreamRequest("x", prompt, seed, "pocket", steps), lambda: False
    )
    assert isinstance(started, Started) and isinstance(finished, Finished)
    return [event for event in progress if isinstance(event, Progress)], finished


def test_the_embedded_files_stay_within_40_megabytes() -> None:
    judge = registry.POCKET / "judge"  # measures dreams; nothing dreams with it
    files = [path for path in registry.POCKET.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files if path.parent != judge) <= 40e6
    assert sum(path.stat().st_size for path in files if path.parent == judge) <= 10e6


def test_the_atlas_belongs_to_the_weights_so_that_nobody_waits_for_one() -> None:
    assert atlas.read(registry.POCKET / atlas.FILE, registry.fingerprint(PAIR)) is not None


def test_a_dream_comes_closer_to_its_words(dreamer: Dreamer) -> None:
    progress, finished = dream(dreamer, "a bowl of cherries", steps=25)
    assert finished.score > progress[0].score + 1
    assert finished.score == max(event.score for event in progress)


def test_a_bowl_of_cherries_is_red_and_the_same_seed_gives_the_same_bytes(dreamer: Dreamer) -> None:
    _, one = dream(dreamer, "a bowl of cherries")
    _, two = dream(dreamer, "a bowl of cherries")
    _, other = dream(dreamer, "a bowl of cherries", seed=8)
    assert one.picture == two.picture != other.picture
    with Image.open(io.BytesIO(one.picture)) as image:
        red, green, blue = np.moveaxis(np.asarray(image, dtype=float), 2, 0)
    fruit = (red > 120) & (red > 1.5 * np.maximum(green, blue))
    assert 0.06 < fruit.mean() < 0.5  # of the picture, wherever it hangs


@pytest.mark.parametrize("prompt", [prompt for prompt in PROMPTS if prompt in WANTED])
def test_the_plain_things_of_the_sheet_start_at_what_they_are(dreamer: Dreamer, prompt: str) -> None:
    loaded = dreamer.load(PAIR)
    ranks = atlas.read(registry.POCKET / atlas.FILE, loaded.fingerprint)
    assert ranks is not None
    ids = [entry["id"] for entry in json.loads((PAIR.generator / "classes.json").read_text(encoding="utf-8"))]
    best = (ranks @ loaded.perceptor.encode_texts([prompt])[0]).argmax()
    assert ids[int(best)] in WANTED[prompt]


@pytest.mark.parametrize(
    "prompt", ["schadenfreude", "https://example.com/x?y=1", "夢を見る", "sueño", "🍒", "x" * 400]
)
def test_words_that_it_does_not_know_still_make_a_picture(dreamer: Dreamer, prompt: str) -> None:
    _, finished = dream(dreamer, prompt, steps=2)
    with Image.open(io.BytesIO(finished.picture)) as image:
        assert np.asarray(image, dtype=float).std() > 10  # not a flat square
    assert np.isfinite(finished.score)


def test_a_weak_match_names_the_nearest_things_that_it_knows_and_a_good_one_does_not(
    dreamer: Dreamer,
) -> None:
    _, weak = dream(dreamer, "a stapler", steps=2)
    assert weak.score < registry.EMBEDDED.weak_below
    known = {language: len(things) for language, things in weak.nearest.items()}
    assert known.keys() == {"en", "it"} and all(1 <= count <= MOST for count in known.values())
    _, good = dream(dreamer, "a bowl of cherries", steps=2)
    assert good.score > registry.EMBEDDED.weak_below and good.nearest == {}
