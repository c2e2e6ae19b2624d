"""Two things in one picture: which words name two, how a canvas lays them, and what a search makes of it."""

import io
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch
from PIL import Image

from engine import canvas, cutouts, scene
from engine.canvas import Canvas
from engine.dream import best_latents, dream
from engine.dreamer import Dreamer
from engine.generator import BakedBigGAN
from engine.latents import Latents
from engine.objective import Target
from engine.perceptor import Perceptor
from engine.pocket.latents_map import BACKGROUND_ROW
from engine.protocol import DreamRequest, Finished
from engine.recipes import DreamSettings
from engine.scene import Scene
from engine.state import State

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("words", "first", "place", "second"),
    [
        ("a cat and the moon", "a cat", "left", "the moon"),
        ("Un gatto e la luna", "Un gatto", "left", "la luna"),
        ("a monkey with a banana", "a monkey", "left", "a banana"),
        ("a dog to the right of a tree", "a dog", "right", "a tree"),
        ("a bee on a sunflower", "a bee", "above", "a sunflower"),
        ("un uccello sull'albero", "un uccello", "above", "albero"),
        ("un gatto sotto un ombrello", "un gatto", "below", "un ombrello"),
        ("a frog wearing a crown", "a frog", "below", "a crown"),
        ("a red house and a blue car", "a red house", "left", "a blue car"),
    ],
)
def test_words_that_name_two_things(words: str, first: str, place: str, second: str) -> None:
    assert scene.read(words) == Scene(first, place, second)


@pytest.mark.parametrize(
    "words",
    ["a bowl of cherries", "a black and white cat", "and", "a cat and", "and a cat", "the end", "sandy", ""],
)
def test_words_that_do_not(words: str) -> None:
    assert scene.read(words) is None


class Plain:
    """A generator whose panels are of one colour, red first and then blue, on a white ground."""

    name, size, rows, z_dim, classes = "plain", 32, 10, 4, 2

    def __call__(self, z: torch.Tensor, class_weights: torch.Tensor) -> torch.Tensor:
        self.z = z
        pictures = torch.ones(len(z), 3, 32, 32)
        pictures[::2, 1:, 8:24, 8:24] = -1
        pictures[1::2, :2, 8:24, 8:24] = -1
        return pictures


@pytest.mark.parametrize("place", list(canvas.CORNERS))
def test_each_thing_is_laid_where_it_stands_on_one_ground(place: str) -> None:
    paint = Canvas(Plain(), Scene("red", place, "blue"))
    picture = paint(torch.randn(2, 20, 4), torch.rand(2, 20, 2))
    assert picture.shape == (2, 3, 64, 64)
    for (left, top), missing in zip(canvas.CORNERS[place], ((1, 2), (0, 1)), strict=True):
        x, y = int(64 * left) + 16, int(64 * top) + 16
        assert (picture[:, missing, y, x] == -1).all()
    ground = picture.clone()
    for left, top in canvas.CORNERS[place]:
        x, y = int(64 * left), int(64 * top)
        ground[..., y + 8 : y + 24, x + 8 : x + 24] = 1
    assert (ground == 1).all()


def test_two_things_share_style_and_background() -> None:
    base = Plain()
    z = torch.randn(1, 20, 4)
    Canvas(base, canvas.ANY)(z, torch.rand(1, 20, 2))
    same = (base.z[0] == base.z[1]).all(1)
    assert same.nonzero()[:, 0].tolist() == [0, BACKGROUND_ROW]
    assert torch.equal(base.z[0], z[0, :10])


def test_views_look_into_either_panel_and_mirrored_ones_into_both() -> None:
    views = cutouts.draw(32, cutouts.Sizes(), "smooth", torch.Generator().manual_seed(1))
    aimed = Canvas(Plain(), Scene("a", "above", "b")).aimed(views)
    left, top, side = aimed.boxes
    assert aimed.panel is not None and aimed.mirrored is not None
    assert (left >= 0.25).all() and (left + side <= 0.75).all()
    for panel in (0, 1):
        within = aimed.panel == panel
        assert (top[within] >= 0.5 * panel).all() and (top + side <= 0.5 + 0.5 * panel)[within].all()
        assert aimed.mirrored[within].float().mean() == 0.5
    assert [len(part.panel) for part in aimed.split(20) if part.panel is not None] == [20, 12]


def test_latents_of_one_thing_fit_two_and_back() -> None:
    one = Latents.blind(4, 3, 5, torch.Generator().manual_seed(1))
    two = canvas.fitted(one, 8)
    assert torch.equal(two.z, torch.cat((one.z, one.z))) and canvas.fitted(two, 8) is two
    assert torch.equal(canvas.fitted(two, 4).class_logits, one.class_logits)


def test_a_search_of_two_rises_in_both_and_goes_on_from_its_state(
    tiny_generator: BakedBigGAN, tiny_perceptor: Perceptor
) -> None:
    settings = DreamSettings(steps=20, cutouts=8, ema_decay=0.8, look_every=5)
    first, second = (
        [Target(vector)] for vector in tiny_perceptor.encode_texts(["a bowl of cherries", "a green tree"])
    )
    two = Canvas(tiny_generator, Scene("cherries", "left", "tree"))

    def search(begin: State | None = None):  # type: ignore[no-untyped-def]
        return dream(two, tiny_perceptor, first, 1, settings, CPU, begin=begin, beside=second)

    steps = list(search())
    assert steps[-1].best.score > steps[0].latest.score + 1
    assert steps[-1].best.picture.shape == (3, 64, 64)
    state = State.from_bytes(replace(list(islice(search(), 9))[-1].state()).to_bytes())
    assert torch.equal(list(search(state))[-1].best.picture, steps[-1].best.picture)
    assert best_latents(state, tiny_generator).z.shape[0] == 2 * tiny_generator.rows


@pytest.fixture(scope="module")
def dreamer(tmp_path_factory: pytest.TempPathFactory) -> Dreamer:
    return Dreamer(data_dir=tmp_path_factory.mktemp("scenes"), device="cpu")


def finished(dreamer: Dreamer, prompt: str, **changes: object) -> Finished:
    few = {"candidates": 16, **changes.pop("settings", {})}  # type: ignore[dict-item]
    values = {"seed": 7, "model": "pocket", "steps": 2, "preview_every_s": 0, "settings": few, **changes}
    end = list(dreamer.dream(DreamRequest("one", prompt, **values), lambda: False))[-1]  # type: ignore[arg-type]
    assert isinstance(end, Finished), end
    return end


def rows(end: Finished) -> int:
    return len(State.from_bytes(end.state).tensors["latents.z"])


@pytest.mark.parametrize(
    ("prompt", "count"),
    [
        ("a cat and the moon", 20),
        ("un gatto e la luna", 20),
        ("a cat", 10),
        ("schadenfreude and eternity", 10),
        ("a bow and arrow", 10),
        ("a house with a garden", 10),
        ("a cat and the moon | the sea:0.4", 10),
    ],
)
def test_two_known_things_get_a_panel_each(dreamer: Dreamer, prompt: str, count: int) -> None:
    assert rows(finished(dreamer, prompt)) == count


def test_one_picture_for_two_things_can_be_wished(dreamer: Dreamer) -> None:
    assert rows(finished(dreamer, "a cat and the moon", settings={"scene": "one"})) == 10


def test_what_is_avoided_is_avoided_in_both_panels(dreamer: Dreamer) -> None:
    one, other = (finished(dreamer, "a cat and the moon", avoid=avoid) for avoid in ("", "a dog"))
    assert rows(other) == 20 and one.picture != other.picture


def test_the_left_half_shows_one_colour_and_the_right_half_another(dreamer: Dreamer) -> None:
    end = finished(dreamer, "a red heart and a blue heart", steps=20)
    picture = Image.open(io.BytesIO(end.picture)).convert("RGB").resize((8, 8))
    left, right = picture.getpixel((2, 4)), picture.getpixel((5, 4))
    assert isinstance(left, tuple) and isinstance(right, tuple)
    assert left[0] > left[2] + 40 and right[2] > right[0] + 40


def test_a_dream_of_two_is_repeated_and_resumed_to_the_same_bytes(dreamer: Dreamer) -> None:
    whole = finished(dreamer, "a cat and the moon", steps=4)
    assert finished(dreamer, "a cat and the moon", steps=4).picture == whole.picture
    asked = iter([False, True])
    request = DreamRequest(
        "one", "a cat and the moon", seed=7, model="pocket", steps=4, settings={"candidates": 16}
    )
    stopped = list(dreamer.dream(request, lambda: next(asked)))[-1]
    assert isinstance(stopped, Finished) and stopped.stopped
    resumed = finished(dreamer, "a cat and the moon", steps=4, begin="resume", state=stopped.state)
    assert resumed.picture == whole.picture


def test_one_becomes_two_and_two_one_and_they_blend(dreamer: Dreamer) -> None:
    one, two = finished(dreamer, "a cat"), finished(dreamer, "a cat and the moon")
    assert rows(finished(dreamer, "a house and a tree", begin="continue", state=one.state)) == 20
    assert rows(finished(dreamer, "a house", begin="continue", state=two.state)) == 10
    assert rows(finished(dreamer, "a cat and the moon", begin="vary", state=two.state, strength=0.3)) == 20
    for prompt, count in (("a cat and the moon", 20), ("a cat", 10)):
        blent = finished(dreamer, prompt, begin="blend", state=one.state, other_state=two.state, strength=0.5)
        assert rows(blent) == count


def test_a_picture_beside_the_words_is_dreamt_as_one(dreamer: Dreamer, tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "orange").save(file, "PNG")
    assert rows(finished(dreamer, "a cat and the moon", image=file.getvalue())) == 10
    begun = finished(dreamer, "a cat and the moon", init=file.getvalue())
    assert rows(begun) == 10
    assert rows(finished(dreamer, "a cat and the moon", begin="vary", state=begun.state, strength=0.2)) == 10
    image = finished(dreamer, "a cat and the moon", image=file.getvalue())
    assert rows(finished(dreamer, "a cat and the moon", begin="resume", state=image.state)) == 10
