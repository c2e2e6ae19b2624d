"""Of which two a dream's being is made, and how many there are, as far as the embedded models know them."""

import pytest
import torch

from engine.dreaming import forms, scenes
from engine.dreaming.asked import Asked
from engine.dreaming.dreamer import Dreamer
from engine.dreaming.loaded import Loaded
from engine.models import registry
from engine.protocol import DreamRequest, Finished
from engine.search import atlas
from engine.search.search import Form, Search
from engine.search.state import State
from engine.words import colours
from engine.words.scene import Scene


@pytest.fixture(scope="module")
def dreamer(tmp_path_factory: pytest.TempPathFactory) -> Dreamer:
    return Dreamer(data_dir=tmp_path_factory.mktemp("forms"), device="cpu")


@pytest.fixture(scope="module")
def loaded(dreamer: Dreamer, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return dreamer.load(registry.pair("pocket", tmp_path_factory.mktemp("none")))


def read(loaded: Loaded, prompt: str, **changes: object) -> tuple[Scene | None, tuple[Form, ...]]:
    """The scene, and each panel's form."""
    asked = Asked.read(DreamRequest("one", prompt, seed=1, model="pocket", **changes))  # type: ignore[arg-type]
    settings = asked.settings(loaded.pair.model, loaded.device)
    scene = scenes.known(asked, settings, loaded)
    return scene, forms.of(asked, settings, loaded, scene)


@pytest.mark.parametrize(
    ("prompt", "first", "kind", "second"),
    [
        ("a cat made of pizza", "cat", "made", "pizza"),
        ("un gatto fatto di pizza di notte", "cat", "made", "pizza"),
        ("a pizza cat", "cat", "made", "pizza"),
        ("a dragon teapot", "dragon", "blend", "teapot"),
        ("an octopus car", "octopus", "blend", "automobile"),
        ("half owl and half rabbit", "owl", "halves", "rabbit"),
        ("metà gufo e metà coniglio", "owl", "halves", "rabbit"),
        ("a cat with the head of an owl", "owl", "head", "cat"),
        ("una nuvola a forma di coniglio", "rabbit", "made", "cloud"),
    ],
)
def test_a_being_of_two_known_things_is_one(
    loaded: Loaded, prompt: str, first: str, kind: str, second: str
) -> None:
    scene, (form,) = read(loaded, prompt)
    assert scene is None and form.count == 1
    assert form.mixture is not None and form.mixture.kind == kind
    names = atlas.names_by_language(loaded.pair.generator)["en"]
    nearest = (form.mixture.towards.cpu() @ loaded.atlas().t()).argmax(1).tolist()
    assert [names[i] for i in nearest] == [first, second]
    torch.testing.assert_close(form.mixture.towards.norm(dim=1).cpu(), torch.ones(2))


@pytest.mark.parametrize(
    "prompt",
    [
        "a cat", "a bowl of soup", "a pot of food", "a box of schadenfreude",
        "una tazza di tè", "a hot dog", "a palm tree", "a birthday cake",
        "a computer mouse", "un bufalo d'acqua", "un aquilone a forma di carpa", "two hearts", "due cuori",
        "a cross between hope and despair", "two schadenfreudes", "a cat made of pizza | the sea:0.4",
        "a happy cat", "a beautiful house", "a magic cat", "a fire engine", "a school bus",
    ],
)  # fmt: skip
def test_names_and_what_is_not_known_are_dreamt_as_they_are(loaded: Loaded, prompt: str) -> None:
    assert read(loaded, prompt) == (None, ())


@pytest.mark.parametrize(
    ("prompt", "count"),
    [("two cats", 2), ("seven red cats at night", 7), ("due gatti", 2), ("some owls", 3), ("many fish", 7)],
)
def test_several_of_a_known_thing_are_counted(loaded: Loaded, prompt: str, count: int) -> None:
    assert read(loaded, prompt) == (None, (Form(count=count),))


@pytest.mark.parametrize(
    ("prompt", "vessel", "contents", "count"),
    [
        ("a bowl of cherries", "bowl with spoon", "cherries", 3),
        ("una ciotola di ciliegie nella neve", "bowl with spoon", "cherries", 3),
        ("un secchio pieno di pesci", "bucket", "fish", 3),
        ("a basket with a cat", "basket", "cat", 1),
    ],
)
def test_what_lies_in_a_known_vessel_is_searched_alone(
    loaded: Loaded, prompt: str, vessel: str, contents: str, count: int
) -> None:
    scene, (form,) = read(loaded, prompt)
    names = atlas.names_by_language(loaded.pair.generator)["en"]
    assert scene is None and form.vessel is not None
    assert (names[form.vessel], form.count, form.mixture) == (vessel, count, None)
    found = forms.filled(prompt, loaded)
    assert found is not None
    towards = loaded.perceptor.encode_texts([found.told])[0].cpu()
    assert names[int((loaded.atlas() @ towards).argmax())] == contents


def test_each_thing_of_a_scene_has_its_form(loaded: Loaded) -> None:
    assert read(loaded, "two cats and a dog") == (
        Scene("two cats", "together", "a dog"),
        (Form(count=2), Form()),
    )
    scene, (first, second) = read(loaded, "three cats made of pizza and a dog")
    assert scene is not None and first.count == 3 and first.mixture is not None and second == Form()


def test_what_is_worn_stands_in_a_panel_of_its_own(loaded: Loaded) -> None:
    scene, shapes = read(loaded, "a frog wearing a crown")
    assert scene is not None and (scene.place, scene.second, shapes) == ("hat", "a crown", ())


@pytest.mark.parametrize(
    ("prompt", "name"),
    [("a chocolate castle", "brown"), ("una casa di neve", "white"), ("a cat made of pizza", None)],
)
def test_what_is_made_of_a_stuff_has_its_colour(loaded: Loaded, prompt: str, name: str | None) -> None:
    _, (form,) = read(loaded, prompt)
    assert form.mixture is not None
    assert form.mixture.tint == (None if name is None else colours.TINTS[name])


def test_a_search_without_forms_shows_one_thing_as_it_is_in_each_panel() -> None:
    search = Search(((), ()), 1, None)  # type: ignore[arg-type]
    assert search.form(1) == Form(mixture=None, count=1)


def test_one_picture_can_be_wished_as_before(loaded: Loaded) -> None:
    assert read(loaded, "half owl and half rabbit", settings={"scene": "one"}) == (None, ())


def test_a_being_of_two_is_dreamt_in_one_panel(dreamer: Dreamer, loaded: Loaded) -> None:
    few = {"candidates": 16}
    request = DreamRequest("one", "half owl and half rabbit", seed=7, model="pocket", steps=2, settings=few)
    end = list(dreamer.dream(request, lambda: False))[-1]
    assert isinstance(end, Finished), end
    assert len(State.from_bytes(end.state).tensors["latents.z"]) == loaded.generator.rows
