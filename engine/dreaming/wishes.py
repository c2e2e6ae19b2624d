"""What a request wishes to see: its phrases and pictures, read, then told in the perceptor's space."""

from dataclasses import dataclass, replace

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize

from engine import prompt
from engine.errors import BadRequest, EmptyPrompt
from engine.models.perceptor import Perceptor
from engine.pictures import decoding, images
from engine.pictures.timelapse import MIN_BYTES
from engine.protocol import DreamRequest
from engine.search import cutouts
from engine.search.objective import Target
from engine.search.state import digest
from engine.sentences import NOTHING, Key, Saying
from engine.settings import SIZES
from engine.words import colours


@dataclass(frozen=True)
class Wishes:
    """A request's wishes, checked and decoded; no models are needed so far."""

    phrases: list[prompt.Phrase]
    image: Image.Image | None  # square RGB, which the dream shall resemble
    image_weight: float
    init: Image.Image | None  # square RGB, at which the search begins


def read(request: DreamRequest) -> Wishes:
    """The request's wishes. Raises `BadRequest` with a sentence for what cannot be wished.

    A picture may say what to dream in the place of the words; a dream that is resumed remembers its picture.
    """
    if not 0 < request.image_weight <= prompt.MAX_WEIGHT:
        raise BadRequest(Key.PICTURE_WEIGHT, weight=request.image_weight, most=prompt.MAX_WEIGHT)
    if request.size is not None and request.size not in SIZES:
        raise BadRequest(Key.SIZE_IS, size=request.size, sizes=", ".join(map(str, SIZES)))
    if request.init is not None and request.begin != "new":
        raise BadRequest(Key.BEGIN_TWICE)
    if request.timelapse_bytes and request.timelapse_bytes < MIN_BYTES:
        raise BadRequest(Key.TIMELAPSE_BYTES, bytes=request.timelapse_bytes)
    unwanted = prompt.unwanted(request.avoid)
    try:
        wanted = prompt.wanted(request.prompt)
    except EmptyPrompt:
        if request.image is None and request.begin != "resume":
            raise
        wanted = []
    image, init = (
        None if data is None else decoding.square(decoding.decode(data))
        for data in (request.image, request.init)
    )
    return Wishes(wanted + unwanted, image, request.image_weight, init)


def about(wishes: Wishes, words: str) -> Wishes:
    """The same wishes, but with `words` for the one phrase that is wanted."""
    phrases = [replace(phrase, words=words) if phrase.weight > 0 else phrase for phrase in wishes.phrases]
    return replace(wishes, phrases=phrases)


def record(request: DreamRequest) -> dict[str, float | str]:
    """What a recipe records of the wishes beside the prompt: pictures by `engine.search.state.digest`."""
    found: dict[str, float | str] = {}
    if request.avoid.strip():
        found["avoid"] = request.avoid.encode("utf-8", "replace").decode()
    if request.image is not None:
        found |= {"image": digest(request.image), "image_weight": request.image_weight}
    if request.init is not None:
        found["init"] = digest(request.init)
    if request.size is not None:
        found["size"] = float(request.size)
    return found


def targets(wishes: Wishes, perceptor: Perceptor, device: torch.device) -> tuple[list[Target], Saying]:
    """What the picture shall resemble, and a notice for the user, often none.

    A phrase with more tokens than the perceptor reads is read in parts and their mean is its target, each
    part counting by its length, so that nothing is passed over.
    """
    found, most = [], 1
    for phrase in wishes.phrases:
        parts = prompt.parts(phrase.words, perceptor.fitting)
        most = max(most, len(parts))
        vectors = perceptor.encode_texts(parts)  # [parts, d]
        if len(parts) > 1:
            lengths = torch.tensor([float(len(part)) for part in parts], device=vectors.device)
            vectors = normalize(lengths[None] @ vectors, dim=1)  # [1, d]
        found.append(Target(vectors[0], phrase.weight, colours.tint(phrase.words)))
    if wishes.image is not None:
        found.append(Target(seen(wishes.image, perceptor, device), wishes.image_weight))
    notice = Saying.of(Key.PROMPT_IN_PARTS, parts=most) if most > 1 else NOTHING
    return found, notice


@torch.no_grad()
def seen(picture: Image.Image, perceptor: Perceptor, device: torch.device) -> Tensor:
    """How the perceptor sees a square picture: the mean [d], of unit length, of its six fixed views."""
    pixels = (images.to_tensor(picture)[None].to(device) + 1) / 2  # [1, 3, s, s], 0..1
    views = cutouts.cut(pixels, cutouts.fixed_boxes(), perceptor.size, "triangle")
    return normalize(perceptor.encode_images(views).mean(0), dim=0)
