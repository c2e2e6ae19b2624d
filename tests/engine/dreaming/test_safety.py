"""The arithmetic of the safety check: what CLIP itself sees cannot be proved without its weights."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from engine.dreaming.safety import HARMLESS, UNSAFE, SafetyCheck
from engine.models.perceptor import Perceptor

TEXTS = [text for kind in UNSAFE.values() for text in kind] + list(HARMLESS)


class Labelled:
    """A perceptor with one dimension a description; the picture's brightness says which it resembles."""

    name, size = "labelled", 8

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        return torch.eye(len(TEXTS))[[TEXTS.index(text) for text in texts]]

    def encode_images(self, images: Tensor) -> Tensor:
        which = (images.mean((1, 2, 3)) * (len(TEXTS) - 1)).round().long()
        return torch.eye(len(TEXTS))[which]

    def fitting(self, text: str) -> str:
        return text


def picture_of(text: str) -> Tensor:
    return torch.full((3, 16, 16), 2 * TEXTS.index(text) / (len(TEXTS) - 1) - 1)


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind in UNSAFE for text in UNSAFE[kind]])
def test_what_resembles_an_unsafe_description_is_flagged_by_its_kind(kind: str, text: str) -> None:
    assert SafetyCheck(Labelled())(picture_of(text)) == kind


@pytest.mark.parametrize("text", HARMLESS)
def test_what_resembles_a_harmless_one_is_not(text: str) -> None:
    assert SafetyCheck(Labelled())(picture_of(text)) == ""


def test_it_runs_on_a_clip_of_the_large_ones_layout(tiny_perceptor: Perceptor) -> None:
    assert SafetyCheck(tiny_perceptor)(torch.rand(3, 32, 32) * 2 - 1) in ("", *UNSAFE)
