"""Two things in one picture: which words name two, and what dreams of them are."""

import io
from pathlib import Path

import pytest
from PIL import Image

from engine.dreaming.dreamer import Dreamer
from engine.protocol import DreamRequest, Finished
from engine.search.canvas import LAYOUTS
from engine.search.state import State
from engine.words import scene
from engine.words.scene import Scene


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("a cat under a tree at night", Scene("a cat", "below", "a tree", "at night")),
        ("un cane e un gatto sulla spiaggia", Scene("un cane", "together", "un gatto", "on the beach")),
        ("a cat in a box in the garden", Scene("a cat", "in", "a box", "on the grass")),
    ],
)
def test_both_things_are_on_the_ground_that_the_words_end_in(words: str, expected: Scene) -> None:
    found = scene.read(words)
    assert found == expected
    assert found.told == tuple(f"{thing} {found.ground}" for thing in (found.first, found.second))


@pytest.mark.parametrize(
    "words", ["a cat at night", "a day at the beach", "fire in the sky", "a duck on the sea"]
)
def test_a_ground_is_no_second_thing(words: str) -> None:
    assert scene.read(words) is None


@pytest.mark.parametrize(
    ("words", "first", "place", "second"),
    [
        ("a cat and the moon", "a cat", "together", "the moon"),
        ("Un gatto e la luna", "Un gatto", "together", "la luna"),
        ("a red house and a blue car", "a red house", "together", "a blue car"),
        ("a cat next to a dog", "a cat", "left", "a dog"),
        ("a dog to the right of a tree", "a dog", "right", "a tree"),
        ("a cat on the left of a dog", "a cat", "left", "a dog"),
        ("un gatto sotto un ombrello", "un gatto", "below", "un ombrello"),
        ("a bee on a sunflower", "a bee", "on", "a sunflower"),
        ("a cat on top of a tree", "a cat", "on", "a tree"),
        ("a dog riding a bicycle", "a dog", "on", "a bicycle"),
        ("a cat sitting on a chair", "a cat", "on", "a chair"),
        ("un uccello sull'albero", "un uccello", "on", "albero"),
        ("un gatto sopra un albero", "un gatto", "on", "un albero"),
        ("a cat in a box", "a cat", "in", "a box"),
        ("una rana dentro una tazza", "una rana", "in", "una tazza"),
        ("a cat in a hat", "a cat", "hat", "a hat"),
        ("a frog wearing a crown", "a frog", "hat", "a crown"),
        ("una rana con una corona", "una rana", "hat", "una corona"),
        ("un gatto con in testa un cappello", "un gatto", "hat", "un cappello"),
        ("a pig with a banana on its head", "a pig", "hat", "a banana"),
        ("a cat wearing sunglasses", "a cat", "glasses", "sunglasses"),
        ("un gatto con una sciarpa rossa", "un gatto", "clothes", "una sciarpa rossa"),
        ("a monkey with a banana", "a monkey", "held", "a banana"),
        ("a cat with an umbrella", "a cat", "aloft", "an umbrella"),
        ("un gatto con l'ombrello", "un gatto", "aloft", "l'ombrello"),
        ("un elefante con un palloncino", "un elefante", "aloft", "un palloncino"),
        ("a pizza with wings", "a pizza", "wings", "wings"),
        ("una pizza con le ali", "una pizza", "wings", "ali"),
        ("a fish with legs", "a fish", "legs", "legs"),
        ("un pesce con le gambe", "un pesce", "legs", "gambe"),
        ("a cat with two horns", "a cat", "horns", "horns"),
        ("a robot with red flowers", "a robot", "flanked", "red flowers"),
        ("a witch with berries", "a witch", "flanked", "berries"),
        ("a bird with grass", "a bird", "held", "grass"),
    ],
)
def test_words_that_name_two_things(words: str, first: str, place: str, second: str) -> None:
    assert scene.read(words) == Scene(first, place, second)
    assert place in LAYOUTS


@pytest.mark.parametrize(
    "words",
    [
        "a bowl of cherries",
        "a black and white cat",
        "and",
        "a cat and",
        "and a cat",
        "the end",
        "sandy",
        "",
        "fire in the sky",
        "a cat in the snow",
        "un gatto nella neve",
        "a dog on the beach",
        "lost in space",
    ],
)
def test_words_that_do_not(words: str) -> None:
    assert scene.read(words) is None


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
        ("a cat and the moon", 18),
        ("un gatto e la luna", 18),
        ("a pizza with wings", 18),
        ("a cat", 9),
        ("schadenfreude and eternity", 9),
        ("a bow and arrow", 9),
        ("a house with a garden", 9),
        ("fire in the sky", 9),
        ("a cat and the moon | the sea:0.4", 9),
    ],
)
def test_two_known_things_get_a_panel_each(dreamer: Dreamer, prompt: str, count: int) -> None:
    assert rows(finished(dreamer, prompt)) == count


def test_a_thing_that_is_worn_asks_for_a_face() -> None:
    assert scene.faces(Scene("A black cat", "hat", "a hat"))[0] == "black cat face"
    assert scene.faces(Scene("un gatto", "glasses", "occhiali"))[1] == "muso di gatto"
    assert scene.faces(Scene("a cat", "held", "a banana")) == []


def test_one_picture_for_two_things_can_be_wished(dreamer: Dreamer) -> None:
    assert rows(finished(dreamer, "a cat and the moon", settings={"scene": "one"})) == 9


def test_what_is_avoided_is_avoided_in_both_panels(dreamer: Dreamer) -> None:
    one, other = (finished(dreamer, "a cat and the moon", avoid=avoid) for avoid in ("", "a dog"))
    assert rows(other) == 18 and one.picture != other.picture


def test_two_things_together_stand_lower_left_and_upper_right_each_in_its_colour(dreamer: Dreamer) -> None:
    end = finished(dreamer, "a red heart and a blue heart", steps=20)
    picture = Image.open(io.BytesIO(end.picture)).convert("RGB").resize((8, 8))
    left, right = picture.getpixel((2, 5)), picture.getpixel((5, 2))
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
    assert rows(finished(dreamer, "a house and a tree", begin="continue", state=one.state)) == 18
    assert rows(finished(dreamer, "a house", begin="continue", state=two.state)) == 9
    assert rows(finished(dreamer, "a cat and the moon", begin="vary", state=two.state, strength=0.3)) == 18
    for prompt, count in (("a cat and the moon", 18), ("a cat", 9)):
        blent = finished(dreamer, prompt, begin="blend", state=one.state, other_state=two.state, strength=0.5)
        assert rows(blent) == count


def test_a_picture_beside_the_words_is_dreamt_as_one(dreamer: Dreamer, tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "orange").save(file, "PNG")
    assert rows(finished(dreamer, "a cat and the moon", image=file.getvalue())) == 9
    begun = finished(dreamer, "a cat and the moon", init=file.getvalue())
    assert rows(begun) == 9
    assert rows(finished(dreamer, "a cat and the moon", begin="vary", state=begun.state, strength=0.2)) == 9
    image = finished(dreamer, "a cat and the moon", image=file.getvalue())
    assert rows(finished(dreamer, "a cat and the moon", begin="resume", state=image.state)) == 9
