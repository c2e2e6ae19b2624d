import io

import pytest
import torch
from PIL import Image

from engine.pictures import images
from engine.protocol import Recipe

RECIPE = Recipe("una città 🍒", 7, 10, "pocket", "g", "p", "0.1.0", {"learning_rate": 0.07, "start": "blind"})
PICTURE = torch.linspace(-1, 1, 3 * 16 * 16).view(3, 16, 16)


def test_the_recipe_comes_back_out_of_the_png() -> None:
    assert images.recipe_of(images.to_png(PICTURE, RECIPE)) == RECIPE


def test_a_small_dream_is_enlarged_and_a_large_one_is_not() -> None:
    assert images.to_image(PICTURE).size == (images.SHOWN, images.SHOWN)
    assert images.to_image(torch.zeros(3, 512, 512)).size == (512, 512)


def test_minus_one_is_black_and_one_is_white() -> None:
    image = images.to_image(
        torch.cat((torch.full((3, 512, 256), -1.0), torch.full((3, 512, 256), 1.0)), dim=2)
    )
    assert image.getpixel((0, 0)) == (0, 0, 0)
    assert image.getpixel((511, 0)) == (255, 255, 255)


def test_a_preview_is_a_jpeg() -> None:
    with Image.open(io.BytesIO(images.to_jpeg(PICTURE))) as image:
        assert image.format == "JPEG" and image.size == (images.SHOWN, images.SHOWN)


def png_without_recipe() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "not a PNG"),
        (b"GIF89a", "not a PNG"),
        (images.to_png(PICTURE, RECIPE)[:-2000], "damaged"),
        (png_without_recipe(), "no recipe"),
    ],
)
def test_a_file_without_a_recipe_is_one_clear_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        images.recipe_of(data)
