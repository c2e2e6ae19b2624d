"""What a request wishes to see."""

import io

import pytest
import torch
from PIL import Image

from engine.dreaming import wishes
from engine.errors import BadRequest
from engine.models.perceptor import Perceptor
from engine.pictures import decoding
from engine.protocol import DreamRequest
from engine.sentences import Saying

CPU = torch.device("cpu")


def request(prompt: str = "a house", **changes: object) -> DreamRequest:
    return DreamRequest("one", prompt, 7, **changes)  # type: ignore[arg-type]


def photo(colour: str = "red", size: tuple[int, int] = (90, 60)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def told(perceptor: Perceptor, wanted: DreamRequest) -> tuple[list[tuple[torch.Tensor, float]], Saying]:
    found, notice = wishes.targets(wishes.read(wanted), perceptor, CPU)
    return [(target.vector, target.weight) for target in found], notice


def test_each_phrase_and_the_picture_become_a_weighted_unit_vector(tiny_perceptor: Perceptor) -> None:
    found, notice = told(
        tiny_perceptor,
        request("a house:2 | the sea", avoid="fog:0.5", image=photo(), image_weight=3.0),
    )
    assert [weight for _, weight in found] == [2, 1, -0.5, 3]
    assert not notice
    words = tiny_perceptor.encode_texts(["a house", "the sea", "fog"])
    for (vector, _), expected in zip(found, words, strict=False):
        assert torch.allclose(vector, expected, atol=1e-6)
    assert all(torch.isclose(vector.norm(), torch.tensor(1.0), atol=1e-5) for vector, _ in found)


def test_a_picture_is_seen_as_the_perceptor_sees_its_middle(tiny_perceptor: Perceptor) -> None:
    (red, _), (blue, _) = (told(tiny_perceptor, request("", image=photo(c)))[0][0] for c in ("red", "blue"))
    plain = torch.zeros(1, 3, tiny_perceptor.size, tiny_perceptor.size)
    plain[:, 0] = 1
    assert torch.allclose(red, tiny_perceptor.encode_images(plain)[0], atol=1e-4)
    assert not torch.allclose(red, blue, atol=1e-3)


def test_a_long_phrase_is_read_in_parts_and_none_is_lost(tiny_perceptor: Perceptor) -> None:
    long = "a red house on a hill by the sea, " * 12 + "and a green dragon"
    found, notice = told(tiny_perceptor, request(long))
    without, _ = told(tiny_perceptor, request(long.removesuffix("green dragon")))
    assert "parts and dream of them all" in str(notice)
    assert len(found) == 1 and torch.isclose(found[0][0].norm(), torch.tensor(1.0), atol=1e-5)
    assert not torch.equal(found[0][0], without[0][0]), "the last words count"
    short, notice = told(tiny_perceptor, request("a house"))
    assert not notice and len(short) == 1


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (request(""), "say what to dream"),
        (request("a:-1"), "counts against"),
        (request(image=b"GIF89a"), "not a picture"),
        (request(init=b"<html>"), "not a picture"),
        (request(image=bytes(decoding.MAX_BYTES + 1)), "the limit is 20 MB"),
        (request(image=photo(), image_weight=0.0), "must be above 0"),
        (request(image=photo(), image_weight=float("nan")), "must be above 0"),
        (request(size=300), "one of 128, 256, 512, 1024"),
        (request(timelapse_bytes=10), "does not fit into 10 bytes"),
        (request(init=photo(), begin="continue", state=b"x"), "not at both"),
    ],
)
def test_what_cannot_be_wished_is_told(wanted: DreamRequest, sentence: str) -> None:
    with pytest.raises(BadRequest, match=sentence) as error:
        wishes.read(wanted)
    assert str(error.value).endswith(".")


def test_the_record_names_pictures_by_their_content() -> None:
    assert wishes.record(request()) == {}
    record = wishes.record(request(avoid="fog", image=photo(), init=photo("blue"), size=256))
    assert record["avoid"] == "fog" and record["size"] == 256 and record["image_weight"] == 1.0
    assert record["image"] != record["init"] and len(str(record["image"])) == 16
