"""Colours that words name, and the tints that a dream of them begins with."""

import pytest
import torch

from engine.models.generator import Generator
from engine.pocket import tints
from engine.pocket.generator import PocketGenerator
from engine.pocket.latents import NATURAL, TINT, TINT_ROW
from engine.pocket.perceptor import PocketPerceptor
from engine.search import start
from engine.search.latents import Latents
from engine.search.objective import Target
from engine.search.recipes import DreamSettings
from engine.search.search import Search
from engine.words import colours
from engine.words.colours import Tint

CPU = torch.device("cpu")


def test_what_is_avoided_gives_no_colour_and_two_colours_give_none() -> None:
    vector, (red, blue, white) = torch.zeros(4), (colours.TINTS[name] for name in ("red", "blue", "white"))
    wanted, other, avoided = Target(vector, 1, red), Target(vector, 1, blue), Target(vector, -1, white)

    def found(*panels: list[Target]) -> tuple[Tint | None, ...]:
        return Search(panels, 1, DreamSettings()).tints

    assert found([wanted, avoided]) == (red,)
    assert found([wanted, other]) == (None,)
    assert found([avoided]) == (None,)
    assert found([wanted, avoided], [other]) == (red, blue)


@pytest.mark.parametrize(
    ("words", "channel"),
    [("a blue bird", 2), ("a green cat", 1), ("una rana rossa", 0), ("a white cat", None)],
)
def test_embedded_models_begin_a_dream_in_the_colour_that_its_words_name(
    words: str, channel: int | None, embedded: tuple[Generator, PocketPerceptor, torch.Tensor]
) -> None:
    generate, perceive, ranks = embedded
    assert isinstance(generate, PocketGenerator)
    vector, tint = perceive.encode_texts([words])[0], colours.tint(words)
    assert tint is not None

    def begun(asked: Tint | None) -> Latents:
        rng = torch.Generator().manual_seed(5)
        search = Search(([Target(vector, tint=asked)],), 1, DreamSettings(candidates=24))
        return start.scored_start(generate, perceive, search, ranks, rng, CPU)

    worn = begun(tint)
    with torch.no_grad():
        z, classes = worn()
        drawing = generate.drawings(z[None], classes[None])[0]
    shown = drawing[:3].sum((1, 2)) / drawing[3].sum()
    asked = tints.placed(tint, 200, torch.Generator().manual_seed(0))
    farthest = (asked - asked.mean(0)).norm(dim=1).max()
    assert (NATURAL * z[TINT_ROW, TINT] - asked.mean(0)).norm() < 1.5 * farthest
    if channel is None:
        assert float(shown.min()) > 0.6 and float(shown.max() - shown.min()) < 0.15
    else:
        assert int(shown.argmax()) == channel
    assert not torch.equal(worn.z, begun(None).z)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("a white horse", "white"), ("un gatto nero", "black"), ("due gatti neri", "black"),
        ("a gray mouse", "grey"), ("un orso marrone", "brown"), ("un fiore rosa", "pink"),
        ("a blue bird", "blue"), ("una rosa", None), ("a black and red bug", None), ("a cat", None),
        ("Red.", "red"), ("due gatti rossi", "red"), ("una stella gialla", "yellow"),
        ("an orange balloon", "orange"), ("una rosa rossa", "red"), ("", None), ("a bluebird", None),
        ("a blue bird and a red car", None), ("\x00", None),
    ],
)  # fmt: skip
def test_words_name_a_tint_if_it_is_one(words: str, name: str | None) -> None:
    assert colours.tint(words) == (None if name is None else colours.TINTS[name])


def drawings(count: int) -> torch.Tensor:
    """Premultiplied half green, half pale yellow squares [count, 4, 16, 16] on nothing."""
    found = torch.zeros(count, 4, 16, 16)
    found[:, 3, 2:14, 2:14] = 1
    found[:, :3, 2:14, 2:8] = torch.tensor((0.1, 0.5, 0.2))[:, None, None]
    found[:, :3, 2:14, 8:14] = torch.tensor((0.9, 0.9, 0.6))[:, None, None]
    return found


@pytest.mark.parametrize("name", colours.TINTS)
def test_a_named_tint_gives_its_colour_and_keeps_light_and_dark_apart(name: str) -> None:
    coordinates = tints.placed(colours.TINTS[name], 32, torch.Generator().manual_seed(0)).requires_grad_()
    before = drawings(32)
    after = tints.tinted(before, coordinates)
    after.square().mean().backward()
    assert coordinates.grad is not None
    assert float(coordinates.grad.abs().sum()) > 0
    seen = after.detach()
    assert torch.equal(seen[:, 3], before[:, 3])
    assert 0 <= float(seen.min()) < float(seen.max()) <= 1
    dark, light = seen[:, :3, 2:14, 2:8].mean((2, 3)), seen[:, :3, 2:14, 8:14].mean((2, 3))
    assert float((light - dark).mean(1).min()) > 0.1
    x, y, z = coordinates.detach().unbind(1)
    _, middle, _ = tints.tones(x, y, z, torch.hypot(x, y), coordinates.detach().norm(dim=1))
    named = torch.tensor([rgb for _, rgb in colours.COLOURS.values()])
    right = torch.cdist(middle.flatten(1), named).argmin(1) == list(colours.COLOURS).index(name)
    assert float(right.float().mean()) > 0.6  # yellow is near orange


def test_most_random_coordinates_leave_colours_as_they_are() -> None:
    coordinates = torch.randn(400, 3, generator=torch.Generator().manual_seed(0))
    before = drawings(400)
    changed = (tints.tinted(before, coordinates) - before).abs().amax((1, 2, 3))
    assert 0.6 < float((changed < 0.01).float().mean()) < 0.85


@pytest.mark.parametrize("name", ["yellow", "orange"])
def test_the_shade_of_a_light_hue_is_brown_and_its_middle_is_bright(name: str) -> None:
    """Dark yellow is olive."""
    tint = colours.TINTS[name]
    assert tint.hue is not None
    angle = torch.deg2rad(torch.tensor([tint.hue]))
    x, y = tints.RADIUS * angle.cos(), tints.RADIUS * angle.sin()
    dark, middle, _ = (one.flatten() for one in tints.tones(x, y, 0 * x, x.hypot(y), x.hypot(y)))
    assert float(middle[0]) > 0.95 and float(dark[0]) > 0.2
    assert float(dark[1] / dark[0]) < 0.8 * float(middle[1] / middle[0])


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("chocolate", "brown"), ("cioccolato", "brown"), ("solid gold", "yellow"), ("neve", "white"),
        ("iron", "grey"), ("pizza", None), ("goldfish", None), ("", None),
    ],
)  # fmt: skip
def test_some_stuffs_have_a_colour(words: str, name: str | None) -> None:
    assert colours.of_stuff(words) == (None if name is None else colours.TINTS[name])
