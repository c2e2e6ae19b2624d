"""A dream's state inside its picture."""

import io
import os

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from engine.pictures.embedded_state import CHUNK, parted, with_state


def png() -> bytes:
    info = PngInfo()
    info.add_itxt("Description", "a house")
    file = io.BytesIO()
    Image.radial_gradient("L").convert("RGB").save(file, "PNG", pnginfo=info)
    return file.getvalue()


def test_a_state_comes_back_and_the_picture_is_the_same_without_it() -> None:
    plain, state = png(), os.urandom(200_000)
    kept = with_state(plain, state)
    assert parted(kept) == (plain, state)
    assert parted(plain) == (plain, None)
    assert len(kept) == len(plain) + len(state) + 12


def test_another_state_takes_the_place_of_the_first() -> None:
    assert with_state(with_state(png(), b"one"), b"two") == with_state(png(), b"two")


def test_other_programs_see_the_picture_and_its_texts() -> None:
    with Image.open(io.BytesIO(with_state(png(), bytes(500_000)))) as image:
        image.load()
        assert image.info["Description"] == "a house"
        assert image.tobytes() == Image.open(io.BytesIO(png())).tobytes()
        copy = io.BytesIO()
        image.save(copy, "PNG")
    assert parted(copy.getvalue())[1] is None, "what a program writes anew has no state, not a wrong one"


def test_damage_is_told() -> None:
    kept = with_state(png(), bytes(1000))
    at = kept.index(CHUNK)
    flipped = bytearray(kept)
    flipped[at + 100] ^= 1
    with pytest.raises(ValueError, match="state in this picture is damaged"):
        parted(bytes(flipped))
    for damaged in (b"", b"GIF89a", kept[:-5], kept[: at + 200], kept[:8]):
        with pytest.raises(ValueError, match="not a PNG picture, or it is damaged"):
            parted(damaged)
        with pytest.raises(ValueError, match="not a PNG picture, or it is damaged"):
            with_state(damaged, b"x")
