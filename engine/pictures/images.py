"""Between tensors and picture files: previews as JPEG, the final picture as PNG with its recipe inside."""

import io

import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from engine.protocol import Recipe

SHOWN = 512  # pixels; smaller dreams are enlarged to this side, so that a chat shows them well
RECIPE_KEY = "oneiro"  # the PNG text chunk that holds the recipe
MAX_DREAM = 4096 * 4096  # pixels; a larger picture is not one of ours


def to_image(picture: Tensor, side: int | None = None) -> Image.Image:
    """A picture [3, h, w], -1..1, any device, as RGB, its longer side of `side` pixels (Lanczos).

    `side` None: as it is, but at least `SHOWN`.
    """
    bytes_ = ((picture.detach().float().clamp(-1, 1) + 1) * 127.5).round().to("cpu", torch.uint8)
    image = Image.fromarray(bytes_.permute(1, 2, 0).contiguous().numpy())
    side = side or max(SHOWN, *image.size)
    if max(image.size) == side:
        return image
    scale = side / max(image.size)
    return image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)


def to_tensor(image: Image.Image) -> Tensor:
    """An RGB image as a picture [3, h, w], -1..1, float32, on the CPU."""
    width, height = image.size
    bytes_ = torch.frombuffer(bytearray(image.convert("RGB").tobytes()), dtype=torch.uint8)
    return bytes_.view(height, width, 3).permute(2, 0, 1).float() / 127.5 - 1


def to_jpeg(picture: Tensor, side: int | None = None) -> bytes:
    """A preview of a picture [3, h, w], -1..1, sized as by `to_image`."""
    file = io.BytesIO()
    to_image(picture, side).save(file, "JPEG", quality=88)
    return file.getvalue()


def to_png(picture: Tensor, recipe: Recipe, side: int | None = None) -> bytes:
    """The final form of a picture [3, h, w], -1..1, sized as by `to_image`.

    The same picture and recipe give the same bytes.
    """
    info = PngInfo()
    info.add_itxt("Description", recipe.prompt)
    info.add_itxt("Software", f"Oneiro {recipe.version}")
    info.add_itxt(RECIPE_KEY, recipe.to_json())
    file = io.BytesIO()
    to_image(picture, side).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def recipe_of(png: bytes) -> Recipe:
    """The recipe inside a picture that Oneiro dreamt. Raises `ValueError` with a sentence."""
    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
            too_large = image.width * image.height > MAX_DREAM
            if not too_large:
                image.load()  # text may also follow the pixels
            text = getattr(image, "text", {}).get(RECIPE_KEY)
    except Exception as error:  # parsers of hostile files fail in every way; the file's fault, not ours
        if isinstance(error, MemoryError):
            raise
        raise ValueError("This file is not a PNG picture, or it is damaged.") from error
    if too_large:
        raise ValueError("This picture is too large to be a dream of Oneiro's.")
    if text is None:
        raise ValueError(
            "This picture carries no recipe: it was not dreamt by Oneiro, or lost it on the way."
        )
    return Recipe.from_json(str(text))
