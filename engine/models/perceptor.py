"""CLIP (Radford et al. 2021, arXiv 2103.00020): text and pictures as unit vectors, alike when they match.

Large models come through `transformers`' own CLIPModel, other kinds as `engine.models.registry` says; all
bring their tokenizer in their folder. All weights are frozen: gradients flow to the pixels only.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor

from engine.errors import ModelError, is_out_of_memory
from engine.models import contents, registry
from engine.models.files import read_config

# The mean and deviation of the pixels that CLIP was trained on (openai/CLIP, clip/clip.py).
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


class Grounds(Protocol):
    """What a perceptor can that knows some grounds by name: where a thing is, at night or on a beach."""

    def named(self, towards: Tensor) -> int | None:
        """The number of the ground that a direction [d] names, or None."""
        ...

    def __call__(self, images: Tensor) -> Tensor:
        """`images` [n, 3, s, s] in 0..1, s any multiple of 16 -> how much [n, grounds] it sees of each."""
        ...


class Perceptor(Protocol):
    """What the search knows of a perceptor."""

    name: str
    size: int  # side of the pictures it sees, in pixels

    @property
    def grounds(self) -> Grounds | None:
        """What it knows of named grounds; None: nothing."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors [len(texts), d], float32; each text is cut to what fits."""
        ...

    def encode_images(self, images: Tensor) -> Tensor:
        """`images` [n, 3, size, size], 0..1 -> unit vectors [n, d], float32, with gradients to the pixels."""
        ...

    def fitting(self, text: str) -> str:
        """The longest run of whole words from the text's start that it can read: often the text itself."""
        ...


class Tokens:
    """A tokenizer and the number of tokens that its model reads."""

    def __init__(self, tokenizer: Tokenizer, padding: int, limit: int) -> None:
        """`padding`: the token that fills up the shorter texts."""
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._tokenizer = tokenizer
        self._padding = padding
        self._limit = limit

    def encode(self, texts: Sequence[str], device: torch.device) -> dict[str, Tensor]:
        """`input_ids` and `attention_mask`, each int64 [n, longest], start and end tokens included."""
        rows = [found.ids for found in self._tokenizer.encode_batch(list(texts))]
        rows = [row if len(row) <= self._limit else [*row[: self._limit - 1], row[-1]] for row in rows]
        longest = max(map(len, rows), default=0)
        ids = [row + [self._padding] * (longest - len(row)) for row in rows]
        mask = [[1] * len(row) + [0] * (longest - len(row)) for row in rows]
        return {
            "input_ids": torch.tensor(ids, dtype=torch.int64, device=device),
            "attention_mask": torch.tensor(mask, dtype=torch.int64, device=device),
        }

    def fitting(self, text: str) -> str:
        """As `Perceptor.fitting` says."""
        words = text.split()
        low, high = 0, len(words)
        while low < high:  # the longest prefix of words that fits
            middle = (low + high + 1) // 2
            if len(self._tokenizer.encode(" ".join(words[:middle])).ids) <= self._limit:
                low = middle
            else:
                high = middle - 1
        if low == len(words):
            return text
        # A single endless word, or a script without spaces: as many characters as there may be tokens.
        return " ".join(words[:low]) or words[0][: self._limit - 2]


class ClipPerceptor:
    """A `transformers` CLIPModel."""

    grounds = None

    def __init__(self, model: Any, tokenizer: Any, name: str, device: torch.device) -> None:
        self.name = name
        self.size: int = model.config.vision_config.image_size
        self._model = model.eval().requires_grad_(False).to(device)
        self._tokens = Tokens(
            tokenizer.backend_tokenizer,
            tokenizer.pad_token_id,
            model.config.text_config.max_position_embeddings,
        )
        self._device = device
        self._mean = torch.tensor(CLIP_MEAN, device=device).view(3, 1, 1)
        self._std = torch.tensor(CLIP_STD, device=device).view(3, 1, 1)

    @torch.no_grad()
    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """As `Perceptor.encode_texts` says."""
        features = self._model.get_text_features(**self._tokens.encode(texts, self._device))
        return F.normalize(features.pooler_output, dim=1)

    def encode_images(self, images: Tensor) -> Tensor:
        """As `Perceptor.encode_images` says."""
        features = self._model.get_image_features(pixel_values=(images - self._mean) / self._std)
        return F.normalize(features.pooler_output, dim=1)

    def fitting(self, text: str) -> str:
        """As `Perceptor.fitting` says."""
        return self._tokens.fitting(text)


class Perceptors:
    """Several perceptors as one, whose cosine of a text and a picture is the mean of theirs.

    Its vectors are theirs side by side, each divided by the root of their number: of unit length again.
    """

    grounds = None

    def __init__(self, members: Sequence[Perceptor]) -> None:
        self.name = " + ".join(member.name for member in members)
        self.size = max(member.size for member in members)
        self._members = tuple(members)

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """As `Perceptor.encode_texts` says."""
        return self._joined([member.encode_texts(texts) for member in self._members])

    def encode_images(self, images: Tensor) -> Tensor:
        """As `Perceptor.encode_images` says; a smaller member sees the pictures reduced."""
        return self._joined([member.encode_images(_resized(images, member.size)) for member in self._members])

    def fitting(self, text: str) -> str:
        """As `Perceptor.fitting` says: what all of them can read."""
        return min((member.fitting(text) for member in self._members), key=len)

    def _joined(self, features: Sequence[Tensor]) -> Tensor:
        return torch.cat(list(features), dim=1) / len(features) ** 0.5


def _resized(images: Tensor, size: int) -> Tensor:
    if images.shape[-1] == size:
        return images
    return F.interpolate(images, (size, size), mode="bilinear", antialias=True)


def load_all(folders: Sequence[Path], names: Sequence[str], device: torch.device) -> Perceptor:
    """The perceptors in these folders (see `load`), as one if there are several. Raises `ModelError`."""
    members = [load(folder, name, device) for folder, name in zip(folders, names, strict=True)]
    return members[0] if len(members) == 1 else Perceptors(members)


def load(folder: Path, name: str, device: torch.device) -> Perceptor:
    """Read the perceptor in `folder` (config.json, weights, tokenizer), strictly; its config says which kind.

    Raises `ModelError` when a file is missing or damaged, or when any tensor's name or shape differs.
    """
    kind = read_config(folder, ["model_type"])["model_type"]
    load_it = registry.perceptor_loader(kind)
    if load_it is None:
        raise ModelError(
            f"{folder / 'config.json'} describes {kind!r}, which is not a perceptor that Oneiro knows."
        )
    perceptor: Perceptor = load_it(folder, name, device)
    return perceptor


def load_clip(folder: Path, name: str, device: torch.device) -> ClipPerceptor:
    """As `load` says, of a folder that holds a large CLIP."""
    model = _load_clip(folder)
    tokenizer = _load_tokenizer(folder, model.config.text_config.vocab_size)
    return ClipPerceptor(model, tokenizer, name, device)


def _load_tokenizer(folder: Path, vocabulary: int) -> Any:
    from transformers import CLIPTokenizer

    broken = ModelError(f"The tokenizer in {folder} is missing or damaged; {contents.remedy(folder)}.")
    try:
        tokenizer = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # the tokenizers library raises bare Exception for damaged files
        raise broken from error
    if len(tokenizer) != vocabulary:  # without its files, transformers silently makes one of three tokens
        raise broken
    return tokenizer


def _load_clip(folder: Path) -> Any:
    from transformers import CLIPModel
    from transformers.utils import logging

    contents.check(folder)
    logging.disable_progress_bar()  # the command line has its own
    try:
        model, report = CLIPModel.from_pretrained(
            folder, local_files_only=True, output_loading_info=True, dtype=torch.float32
        )
    except Exception as error:  # whatever the libraries raise for a configuration that makes no sense
        if is_out_of_memory(error):
            raise
        raise ModelError(
            f"The CLIP model in {folder} is missing or damaged; {contents.remedy(folder)}."
        ) from error
    wrong = [
        str(key)
        for kind in ("missing_keys", "unexpected_keys", "mismatched_keys")
        for key in report.get(kind, ())
        if not str(key).endswith("position_ids")  # a constant that older files carry
    ]
    if wrong:
        raise ModelError(
            f"The weights in {folder} do not fit their config.json: "
            f"{len(wrong)} tensors differ, the first is {sorted(wrong)[0]}; {contents.remedy(folder)}."
        )
    return model
