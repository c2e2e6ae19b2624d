"""The checksum of each model's file: the published one, or what it had when it came here."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.models import contents
from engine.models.catalogue import RemoteFile

PINS = "sha256.json"  # beside the files: the hash of each as it was fetched or imported


@dataclass(frozen=True)
class Pin:
    """What a file was when it came."""

    sha256: str
    size: int  # bytes


def pins(folder: Path) -> dict[str, Pin]:
    """The pins of a model's folder, by file; empty where there are none or they cannot be read."""
    try:
        values = json.loads((folder / PINS).read_text(encoding="utf-8"))
        return {name: Pin(str(value["sha256"]), int(value["size"])) for name, value in values.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in hex. Raises `OSError`."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pin(folder: Path, name: str, sha256: str, size: int) -> None:
    """Remember a file's hash, so that `verify` notices any change from now on."""
    kept = pins(folder) | {name: Pin(sha256, size)}
    fresh = folder / f".{PINS}.{os.getpid()}"
    text = json.dumps({key: asdict(value) for key, value in sorted(kept.items())}, indent=2)
    fresh.write_text(text + "\n", encoding="utf-8")
    fresh.replace(folder / PINS)


def fault(file: RemoteFile, path: Path) -> str:
    """What is wrong with a file that is there, as the end of a sentence that begins with its name; or "".

    Its content, the published checksum, the one that was remembered when it came. Raises `OSError`.
    """
    wrong = contents.objection(path, file.keys)
    if wrong:
        return wrong
    known = pins(path.parent).get(file.name)
    if file.sha256 is None and known is None:
        return ""
    digest = sha256_of(path)
    if file.sha256 is not None and digest != file.sha256:
        return f"is damaged or another file: its SHA-256 is {digest} instead of {file.sha256}"
    if file.sha256 is None and known is not None and digest != known.sha256:
        return "has changed since it came here"
    return ""
