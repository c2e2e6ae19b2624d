"""The embedded CLIP as a `Perceptor`: towers, tokenizer, what it knows by heart and of grounds."""

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from engine.errors import ModelError
from engine.models.perceptor import Tokens
from engine.pocket import lexicon, scenery
from engine.pocket import texts as reading
from engine.pocket.clip import PocketClip
from engine.pocket.lexicon import Lexicon
from engine.pocket.tokens import read_tokenizer


class PocketPerceptor:
    """The embedded model of `engine.pocket.clip`."""

    def __init__(
        self, model: PocketClip, tokenizer: Tokenizer, names: Lexicon, name: str, device: torch.device
    ) -> None:
        self.name = name
        self.size: int = model.config.image_size
        self._names = names
        self._model = model.eval().requires_grad_(False)
        self._model.fold()
        # A pixel's channels side by side: a fourth less time a step on CPUs, and what GPUs' units want.
        self._model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._tokens = Tokens(tokenizer, model.config.vocab_size - 1, model.config.max_tokens)
        self._device = device
        self._known_grounds: int = model.config.grounds
        self.grounds = _Grounds(self._model, device) if self._known_grounds else None

    @torch.no_grad()
    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """As `Perceptor.encode_texts` says; grounds and places are composed (`engine.pocket.texts`)."""
        return reading.encode(texts, self._tower, self._names, self._known_grounds)

    def _tower(self, texts: Sequence[str]) -> Tensor:
        tokens = self._tokens.encode(texts, self._device)
        found: Tensor = self._model.encode_text(tokens["input_ids"], tokens["attention_mask"])
        return found

    def encode_images(self, images: Tensor) -> Tensor:
        """As `Perceptor.encode_images` says."""
        return self._model.encode_image(images.contiguous(memory_format=torch.channels_last))

    def fitting(self, text: str) -> str:
        """As `Perceptor.fitting` says."""
        return self._tokens.fitting(text)


class _Grounds:
    """The first of the named grounds, of which the picture tower was taught."""

    def __init__(self, model: PocketClip, device: torch.device) -> None:
        self._model = model
        self._device = device

    def named(self, towards: Tensor) -> int | None:
        """As `Grounds.named` says."""
        return scenery.named(towards, self._model.config.grounds)

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """As `Grounds.__call__` says."""
        return self._model.ground(images.to(self._device))


def load(folder: Path, name: str, device: torch.device) -> PocketPerceptor:
    """As `engine.models.perceptor.load` says, of a folder that holds an embedded CLIP."""
    model = PocketClip.load(folder)
    tokens = read_tokenizer(folder)
    if tokens.get_vocab_size() != model.config.vocab_size:
        raise ModelError(f"The tokenizer in {folder} does not fit its model.")
    names = lexicon.read(folder, model.config.dimension)
    return PocketPerceptor(model, tokens, names, name, device)
