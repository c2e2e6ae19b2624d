"""The judge: a second, unrelated perceptor that measures dreams and is never used to search for them.

Picture tower: a convolutional stem (Xiao et al. 2021, arXiv 2106.14881), spatial-shift MLP blocks (Yu et al.
2021, arXiv 2106.07477) and MLP-Mixer blocks (Tolstikhin et al. 2021, arXiv 2105.01601), where the searching
perceptor has residual convolutions. Text tower: hashed words and their character n-grams (after fastText,
Bojanowski et al. 2016, arXiv 1607.04606), where that one has a transformer over word pieces. What fools the
one need not fool the other.
"""

import json
import re
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.errors import ModelError
from engine.pocket import half_precision

MODEL_TYPE = "pocket-judge"
GRAMS = 24  # hashed pieces a word at most: the word itself, then its n-grams of 3 to 5 letters
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class JudgeConfig:
    """The shape of a `Judge`: what its config.json holds beside `model_type`."""

    image_size: int = 48  # pixels, each side; a multiple of 16
    max_words: int = 24  # later ones are not read
    buckets: int = 16384  # of the hash table of words and n-grams
    dimension: int = 256  # of the embeddings
    stem: int = 32  # channels at 1/2 of the picture, twice as many at 1/4
    shift_width: int = 144  # at 1/8
    shift_blocks: int = 2
    mixer_width: int = 272  # at 1/16
    mixer_blocks: int = 3
    text_width: int = 128
    heads: int = 4  # weights a place and a word get when pictures and texts are pooled

    @classmethod
    def read(cls, path: Path) -> "JudgeConfig":
        """From a config.json. Raises `ModelError`."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            if values.pop("model_type") != MODEL_TYPE:
                raise ValueError("another model type")
            if set(values) != {f.name for f in fields(cls)}:
                raise ValueError("other keys")
            if any(type(value) is not int or not 0 < value < 100_000 for value in values.values()):
                raise ValueError("a value out of range")
            config = cls(**values)
            if config.image_size % 16 or any(
                width % config.heads for width in (config.mixer_width, config.text_width)
            ):
                raise ValueError("sizes that do not divide")
            return config
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{path} is missing or not the config of a pocket judge.") from error


class Judge(nn.Module):
    """Pictures and texts as unit vectors of one space."""

    def __init__(self, config: JudgeConfig) -> None:
        super().__init__()
        self.config = config
        places = (config.image_size // 16) ** 2
        self.stem = nn.Sequential(
            nn.Conv2d(3, config.stem, 4, 2, 1, bias=False),
            nn.BatchNorm2d(config.stem),
            nn.ReLU(),
            nn.Conv2d(config.stem, 2 * config.stem, 3, 2, 1, bias=False),
            nn.BatchNorm2d(2 * config.stem),
            nn.ReLU(),
        )
        self.down = nn.Conv2d(2 * config.stem, config.shift_width, 3, 2, 1, bias=False)
        self.down_norm = nn.BatchNorm2d(config.shift_width)
        self.shifts = nn.Sequential(*(_Shift(config.shift_width) for _ in range(config.shift_blocks)))
        self.merge = nn.Conv2d(config.shift_width, config.mixer_width, 3, 2, 1, bias=False)
        self.merge_norm = nn.BatchNorm2d(config.mixer_width)
        self.mixers = nn.Sequential(*(_Mixer(config.mixer_width, places) for _ in range(config.mixer_blocks)))
        self.picture_pool = _Pool(config.mixer_width, config.heads)
        self.picture_projection = nn.Linear(config.mixer_width, config.dimension, bias=False)

        self.pieces = nn.Embedding(config.buckets + 1, config.text_width, padding_idx=0)
        self.text_pool = _Pool(config.text_width, config.heads)
        self.text_in = nn.Linear(config.text_width, 3 * config.text_width)
        self.text_out = nn.Linear(3 * config.text_width, config.dimension, bias=False)
        self.text_direct = nn.Linear(config.text_width, config.dimension, bias=False)

    def encode_image(self, pixels: Tensor) -> Tensor:
        """Pictures float [n, 3, side, side] in 0..1 → float [n, dimension], unit rows; differentiable."""
        x = self.maps(pixels)[-1].flatten(2).transpose(1, 2)  # [n, 9, mixer_width]
        x = self.picture_pool(self.mixers(x).float(), None)  # [n, mixer_width]
        return F.normalize(self.picture_projection(x).float(), dim=1)

    def maps(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """What its convolutions make of pictures float [n, 3, s, s] in 0..1, s any multiple of 16.

        [n, stem, s/2, s/2], [n, 2 stem, s/4, s/4], [n, shift_width, s/8, s/8], [n, mixer_width, s/16, s/16].
        """
        halves = self.stem[:3](pixels * 4 - 2)
        quarters = self.stem[3:](halves)
        eighths = F.relu(self.down_norm(self.down(quarters)))
        x = self.shifts(eighths.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)  # [n, shift_width, s/8, s/8]
        return halves, quarters, eighths, self.merge_norm(self.merge(x))

    def encode_text(self, pieces: Tensor) -> Tensor:
        """`pieces_of` texts, int64 [n, words, GRAMS], 0 for none → float [n, dimension], unit rows."""
        there = pieces > 0  # [n, words, GRAMS]
        count = there.sum(2, keepdim=True)  # [n, words, 1]
        words = self.pieces(pieces).sum(2) / count.clamp(min=1)  # [n, words, text_width]
        x = self.text_pool(words, count[..., 0] > 0)  # [n, text_width]
        x = self.text_out(F.gelu(self.text_in(x))) + self.text_direct(x)
        return F.normalize(x.float(), dim=1)

    @classmethod
    def load(cls, folder: Path) -> "Judge":
        """Read config.json and model.safetensors strictly; float32, frozen, in eval mode, on the CPU.

        Raises `ModelError` when a file is missing or damaged, or any tensor's name or shape differs.
        """
        config = JudgeConfig.read(folder / "config.json")
        return half_precision.load(lambda: cls(config), folder)

    def save(self, folder: Path) -> None:
        """Write config.json and model.safetensors (half precision); each file appears whole."""
        half_precision.save(self, {"model_type": MODEL_TYPE, **asdict(self.config)}, folder)


class JudgePerceptor:
    """A `Judge` as a `Perceptor`: what `engine.models.perceptor.load` gives for its folder."""

    grounds = None

    def __init__(self, model: Judge, name: str, device: torch.device) -> None:
        self.name = name
        self.size = model.config.image_size
        self._model = model.to(device)
        self._device = device

    @torch.no_grad()
    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """As `Perceptor.encode_texts` says."""
        config = self._model.config
        pieces = pieces_of(texts, config.buckets, config.max_words)
        return self._model.encode_text(pieces.to(self._device))

    def encode_images(self, images: Tensor) -> Tensor:
        """As `Perceptor.encode_images` says."""
        return self._model.encode_image(images)

    def fitting(self, text: str) -> str:
        """As `Perceptor.fitting` says."""
        most = self._model.config.max_words
        if len(words_of(text)) <= most:
            return text
        words = text.split()
        kept = len(words)
        while len(words_of(" ".join(words[:kept]))) > most:
            kept -= 1
        return " ".join(words[:kept]) or text[:most]  # no spaces at all


def load(folder: Path, name: str, device: torch.device) -> JudgePerceptor:
    """As `engine.models.perceptor.load` says, of a folder that holds a judge."""
    return JudgePerceptor(Judge.load(folder), name, device)


def words_of(text: str) -> list[str]:
    """The words of a text: lower case, without accents, runs of letters and digits."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return _WORD.findall("".join(c for c in plain if not unicodedata.combining(c)))


@lru_cache(maxsize=65536)
def pieces_of_word(word: str, buckets: int) -> tuple[int, ...]:
    """1 to `GRAMS` numbers in 1..buckets: the whole word's, then those of its n-grams of 3 to 5 letters."""
    marked = f"<{word[:40]}>"
    grams = (marked[i : i + n] for n in (3, 4, 5) for i in range(len(marked) - n + 1))
    whole = dict.fromkeys([marked, *(gram for gram in grams if gram != marked)])
    return tuple(1 + zlib.crc32(gram.encode()) % buckets for gram in whole)[:GRAMS]


def pieces_of(texts: Sequence[str], buckets: int, max_words: int) -> Tensor:
    """Hashed pieces of each text's words: int64 [len(texts), longest, GRAMS], 0 where there is none."""
    read = [[pieces_of_word(word, buckets) for word in words_of(text)[:max_words]] for text in texts]
    longest = max((len(words) for words in read), default=0)
    result = torch.zeros(len(texts), max(longest, 1), GRAMS, dtype=torch.int64)
    flat = result.numpy()
    for i, words in enumerate(read):
        for j, pieces in enumerate(words):
            flat[i, j, : len(pieces)] = pieces
    return result


class _Shift(nn.Module):
    """Four eighths of the channels move one place in the four directions; then an MLP at each place."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.part = width // 8
        self.norm = nn.LayerNorm(width)
        self.first = nn.Linear(width, 2 * width)
        self.second = nn.Linear(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        _, height, width, _ = x.shape
        wide = F.pad(self.norm(x), (0, 0, 1, 1, 1, 1))  # [n, h + 2, w + 2, c]
        moved = [
            wide[:, top : top + height, left : left + width, i * self.part : (i + 1) * self.part]
            for i, (top, left) in enumerate(((0, 1), (2, 1), (1, 0), (1, 2)))
        ]
        y = torch.cat([*moved, wide[:, 1:-1, 1:-1, 4 * self.part :]], 3)
        result: Tensor = x + self.second(F.relu(self.first(y)))
        return result


class _Mixer(nn.Module):
    """An MLP across the places, then one across the channels."""

    def __init__(self, width: int, places: int) -> None:
        super().__init__()
        self.place_norm = nn.LayerNorm(width)
        self.place_first = nn.Linear(places, 2 * places)
        self.place_second = nn.Linear(2 * places, places)
        self.norm = nn.LayerNorm(width)
        self.first = nn.Linear(width, 3 * width)
        self.second = nn.Linear(3 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        y = self.place_norm(x).transpose(1, 2)  # [n, width, places]
        x = x + self.place_second(F.relu(self.place_first(y))).transpose(1, 2)
        result: Tensor = x + self.second(F.relu(self.first(self.norm(x))))
        return result


class _Pool(nn.Module):
    """A weighted mean over places or words; each head, a share of the channels, has its own weights."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.weight = nn.Linear(width, heads)

    def forward(self, x: Tensor, there: Tensor | None) -> Tensor:
        """[n, m, width], and bool [n, m] where something is there, → [n, width]; zero rows for nothing."""
        n, m, width = x.shape
        x = self.norm(x)
        weight = self.weight(x).float()  # [n, m, heads]
        if there is not None:
            weight = weight.masked_fill(~there[..., None], -1e4)
            x = x * there[..., None]
        shares = x.view(n, m, weight.shape[2], -1)  # [n, m, heads, width / heads]
        return (weight.softmax(1)[..., None] * shares).sum(1).reshape(n, width)
