"""Pictures that were made to harm: whatever is in them, reading one ends in a sentence."""

import io
import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from engine.command_line.options import recorded_size
from engine.command_line.results import read_recipe, read_state
from engine.errors import BadRequest
from engine.pictures.embedded_state import CHUNK, with_state
from engine.pictures.images import RECIPE_KEY
from engine.protocol import Recipe
from engine.search.recipes import repeated, settings_for
from engine.search.state import State

GOOD = json.loads(Recipe("a cat", 7, 3, "pocket", "g", "p", "1", {"size": 512}).to_json())
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("hostile") / "x.png"


def picture(text: str, *, zipped: bool = False) -> bytes:
    info = PngInfo()
    (info.add_text if zipped else info.add_itxt)(RECIPE_KEY, text, zip=zipped)
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def told_or_fine(path: Path, data: bytes) -> None:
    """All that a command does with a picture before a model is loaded."""
    path.write_bytes(data)
    try:
        _, recipe = read_recipe(path)
        recorded_size(recipe.settings)
        settings_for(recipe.model, changes=repeated(recipe.settings), steps=recipe.steps)
        _, state = read_state(path)
        State.from_bytes(state)
    except BadRequest as error:
        assert str(error).endswith(".") and len(str(error)) < 1000


@FEW
@given(changes=st.dictionaries(st.sampled_from([*GOOD, "other"]), VALUES, max_size=3))
def test_a_recipe_with_any_values_is_told_or_fine(path: Path, changes: dict[str, object]) -> None:
    told_or_fine(path, picture(json.dumps(GOOD | changes)))


@FEW
@given(names=st.dictionaries(st.sampled_from(["size", "avoid", "clip", "keep", "cutouts"]), VALUES))
def test_settings_with_any_values_are_told_or_fine(path: Path, names: dict[str, object]) -> None:
    told_or_fine(path, picture(json.dumps(GOOD | {"settings": names})))


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"a":' * 100_000, "", "null", "[]", '"x"', "1" * 5000, '{"prompt": NaN}'],
)
def test_what_is_no_recipe_is_told(path: Path, text: str) -> None:
    path.write_bytes(picture(text))
    with pytest.raises(BadRequest, match="recipe"):
        read_recipe(path)


@FEW
@given(state=st.binary(max_size=200))
def test_a_state_of_any_bytes_is_told(path: Path, state: bytes) -> None:
    told_or_fine(path, with_state(picture(json.dumps(GOOD)), state))


@FEW
@given(data=st.data())
def test_a_picture_with_any_damage_is_told_or_fine(path: Path, data: st.DataObject) -> None:
    whole = bytearray(with_state(picture(json.dumps(GOOD)), b"state"))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    told_or_fine(path, bytes(whole[: data.draw(st.integers(0, len(whole)))]))


def test_a_text_that_swells_when_it_is_unpacked_is_told(path: Path) -> None:
    path.write_bytes(picture("x" * 100_000_000, zipped=True))
    with pytest.raises(BadRequest, match="damaged"):
        read_recipe(path)


def test_deep_brackets_in_a_state_are_told(path: Path) -> None:
    for header in (b"[" * 200_000, b'{"__metadata__":{"oneiro-state":"' + b"[" * 200_000 + b'"}}'):
        told_or_fine(path, with_state(picture(json.dumps(GOOD)), struct.pack("<Q", len(header)) + header))


def test_the_last_of_several_states_counts_and_none_is_trusted(path: Path) -> None:
    png = with_state(picture(json.dumps(GOOD)), b"one")
    chunk = struct.pack(">I", 3) + CHUNK + b"two" + struct.pack(">I", zlib.crc32(CHUNK + b"two"))
    told_or_fine(path, png[:-12] + chunk + png[-12:])
