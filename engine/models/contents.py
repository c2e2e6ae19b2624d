"""Whether a file holds what its name promises: weights, a configuration, a tokenizer's files. Loads no model.

A mirror that is not itself answers with a page, a login form, a pointer or half a file, and answers 200.
"""

import json
import pickletools
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from engine.errors import ModelError
from engine.models import catalogue
from engine.models.folders import CONFIG, PYTORCH, SAFETENSORS, TOKENIZER

MAX_CONFIG = 1024 * 1024  # bytes; CLIP's longest is 5 kB
MAX_SMALL = 16 * 1024 * 1024  # bytes, of a tokenizer's file; CLIP's longest is 1 MB
_STARTS = ("<|startoftext|>", "<|endoftext|>")
_SOME_OF_A_TOKENIZER = {"tokenizer_class", "model_max_length", "bos_token", "eos_token", "unk_token"}
_LEGACY = 0x1950A86A20F9469CFC6C  # the number that begins a file of torch before 1.6 (torch/serialization.py)
_MARKUP = re.compile(rb"(?i)\s*(<!doctype|<html|<head|<body|<\?xml|<!--|<script|<title)")
_LFS = b"version https://git-lfs.github.com/spec/"
_HEAD = 512  # bytes that tell a page and the like

Keys = tuple[str, ...]


def objection(path: Path, keys: Keys = (), name: str = "") -> str:
    """What is wrong with this file, as the end of a sentence that begins with its name; "" for nothing.

    `name`, by default its own, says what it should be; `keys`: what an object of JSON must have. Weights are
    looked at from outside: their header and extent, not their numbers. Raises `OSError`.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return _foreign(head) or _examiner(name or path.name)(path, keys)


def kind_of_weights(path: Path) -> str:
    """The name that these weights go by, `SAFETENSORS` or `PYTORCH`, by their content. Raises `OSError`."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return PYTORCH if head[:4] == b"PK\x03\x04" or head[:1] == b"\x80" else SAFETENSORS


def check(folder: Path) -> None:
    """Look at every file of a model in this folder. Raises `ModelError`, naming the first that is wrong.

    Files that are not there are not missed: whoever needs them says so.
    """
    for name in (CONFIG, *TOKENIZER, SAFETENSORS, PYTORCH):
        path = folder / name
        if path.is_file():
            try:
                wrong = objection(path)
            except OSError as error:
                raise ModelError(f"The model file {path} cannot be read: {error.strerror}.") from error
            if wrong:
                raise ModelError(f"The model file {path} {wrong}; {remedy(folder)}.")


def remedy(folder: Path) -> str:
    """What to do about a wrong file of this folder, for the end of a sentence."""
    model = next((model for model in catalogue.ALL if model.folder == folder.name), None)
    return f"dream models fetch {model.name} brings it anew" if model else "please fetch it anew"


def _foreign(head: bytes) -> str:
    """What a file is that is no model's at all, whatever its name."""
    if not head:
        return "is empty"
    if _MARKUP.match(head.removeprefix(b"\xef\xbb\xbf")):
        return "is a web page"
    if head.startswith(_LFS):
        return "is a pointer of Git LFS, not the file itself"
    if head.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ")):
        return "is a compressed file"
    return ""


def _examiner(name: str) -> Callable[[Path, Keys], str]:
    if name.endswith(".safetensors"):
        return _safetensors
    if name.endswith(".bin"):
        return _pytorch
    special = {"vocab.json": _vocabulary, "merges.txt": _merges, "tokenizer_config.json": _tokenizer_config}
    return special.get(name, _config if name.endswith(".json") else _anything)


def _anything(_path: Path, _keys: Keys) -> str:
    return ""


def _safetensors(path: Path, _keys: Keys) -> str:
    """The library checks lengths, the JSON, and that the tensors fill the file without a gap."""
    try:
        with safe_open(str(path), framework="np") as file:
            return "" if file.keys() else "holds no tensors"
    except SafetensorError as error:
        if "not fully covered" in str(error) or "Incomplete" in str(error):
            return "is cut off or has been added to"
        return "is not a safetensors file"


def _pytorch(path: Path, _keys: Keys) -> str:
    with path.open("rb") as file:
        is_zip = file.read(4) == b"PK\x03\x04"
        file.seek(0)
        if is_zip:
            return _zipped(path)
        try:
            first = [argument for _, argument, _ in pickletools.genops(file.read(32))]
        except Exception:  # noqa: BLE001 - of a stream that is no pickle, whatever it raises
            first = []
        return "" if _LEGACY in first else "is not a PyTorch file"


def _zipped(path: Path) -> str:
    """A zip's list of contents stands at its end, so that half of one has none."""
    try:
        with zipfile.ZipFile(path) as file:
            names = file.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError):
        return "is cut off or damaged"
    return "" if any(name.endswith("data.pkl") for name in names) else "is not a PyTorch file"


def _config(path: Path, keys: Keys) -> str:
    values = _object(path, MAX_CONFIG)
    if isinstance(values, str):
        return values
    missing = [key for key in keys if key not in values]
    return f"lacks {', '.join(missing)}" if missing else ""


def _vocabulary(path: Path, _keys: Keys) -> str:
    words = _object(path, MAX_SMALL)
    if isinstance(words, str):
        return words
    numbers = {number for number in words.values() if type(number) is int}
    if not all(start in words for start in _STARTS) or numbers != set(range(len(words))):
        return "is not CLIP's vocabulary"
    return ""


def _tokenizer_config(path: Path, keys: Keys) -> str:
    values = _object(path, MAX_CONFIG)
    if isinstance(values, str):
        return values
    return "" if _SOME_OF_A_TOKENIZER & values.keys() else "is not a tokenizer's configuration"


def _merges(path: Path, _keys: Keys) -> str:
    """A first line with the version, then two pieces of a word in each."""
    text = _text(path, MAX_SMALL)
    if text is None:
        return "is not a text that belongs to a model"
    first, *lines = text.split("\n")
    if not first.startswith("#version") or any(line and len(line.split(" ")) != 2 for line in lines):
        return "is not a tokenizer's list of merges"
    return ""


def _object(path: Path, most: int) -> dict[str, Any] | str:
    """The object of JSON in this file, or what is wrong with it."""
    text = _text(path, most)
    try:
        values = json.loads(text or "")
    except (ValueError, RecursionError):
        return "is not JSON"
    return values if isinstance(values, dict) else "does not hold an object of JSON"


def _text(path: Path, most: int) -> str | None:
    """The file as text, None for one that is too long or no UTF-8."""
    if path.stat().st_size > most:
        return None
    try:
        return path.read_bytes().decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return None
