"""What a large CLIP sees in a picture that not everybody wants to see: zero-shot (its paper, section 3.1).

It compares the picture with unsafe and with harmless descriptions; it errs in both directions, and a server's
moderators have the last word. The embedded CLIP knows only clip-art and nothing unsafe, so it judges nothing.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.models.perceptor import Perceptor

SCALE = 100.0  # of cosines, before the softmax: CLIP's own
FLAGGED_FROM = 0.5  # the share of all probability that an unsafe kind must have

UNSAFE = {
    "nudity": ("a photo of a naked person", "nude bodies", "explicit sexual content", "pornography"),
    "violence": ("a bloody corpse", "gore and open wounds", "a person being tortured", "a severed limb"),
    "hate": ("a swastika", "a burning cross of the ku klux klan", "nazi propaganda"),
}
HARMLESS = (
    "a photo of an animal",
    "a photo of food",
    "a landscape",
    "a building",
    "a plant with flowers",
    "a vehicle",
    "an object on a table",
    "a portrait of a dressed person",
    "an abstract painting",
    "a blurry picture",
    "a drawing",
    "a pattern of colours",
)


class SafetyCheck:
    """Ask it about pictures; made once per perceptor."""

    def __init__(self, perceptor: Perceptor) -> None:
        self._perceptor = perceptor
        self._kinds = list(UNSAFE)
        texts = [text for kind in UNSAFE.values() for text in kind] + list(HARMLESS)
        self._texts = perceptor.encode_texts(texts)  # [texts, d]

    @torch.no_grad()
    def __call__(self, picture: Tensor) -> str:
        """The kind of `UNSAFE` that a picture [3, h, w], -1..1, most likely is; "" for a harmless one."""
        size = self._perceptor.size
        whole = F.interpolate((picture[None] + 1) / 2, (size, size), mode="bilinear", antialias=True)
        seen = self._perceptor.encode_images(whole.clamp(0, 1))[0]  # [d]
        likely = (SCALE * self._texts @ seen).softmax(0)  # [texts]
        shares = [
            part.sum().item()
            for part in likely.split([len(texts) for texts in UNSAFE.values()] + [len(HARMLESS)])
        ]
        kind = max(range(len(self._kinds)), key=lambda index: shares[index])
        return self._kinds[kind] if shares[kind] >= FLAGGED_FROM else ""
