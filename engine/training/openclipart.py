"""Which pictures of Debian's openclipart show one thing whose title says what it is."""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from engine.training import lists

_LEFT_OUT = re.compile(
    r"^(computer/icons/|buttons/|logos/|special/|geography/|decorations/|education/|signs_and_symbols/"
    r"|recreation/games/cards|shapes/|people/clothing/pantyhose|office/promotions)"
)
_THING_FOLDERS = frozenset(
    {"animals", "buildings", "containers", "electronics", "food", "plants", "recreation", "science", "tools"}
    | {"transportation", "office", "computer"}
)
_NOISE = frozenset(lists.words("idle in openclipart"))
_TITLE_WORD = re.compile(r"[a-zàèéìòù]{3,}")


@dataclass(frozen=True)
class Drawing:
    """One kept file."""

    path: Path
    title: str  # one to four words in lower case
    keywords: tuple[str, ...]
    folder: str
    thing: bool


def read_openclipart(place: Path, unpack_to: Path) -> list[Drawing]:
    """Kept drawings below `place`, a folder or Debian's .deb file (unpacked into `unpack_to` once)."""
    if place.is_file():
        if not unpack_to.exists():
            with tempfile.TemporaryDirectory(dir=unpack_to.parent) as fresh:
                subprocess.run(["dpkg-deb", "-x", str(place), fresh + "/deb"], check=True)
                Path(fresh, "deb").rename(unpack_to)
        place = unpack_to
    roots = [p for p in place.rglob("svg") if p.is_dir() and p.parent.name == "openclipart"]
    root = roots[0] if roots else place
    drawings, seen = [], set()
    for path in sorted(root.rglob("*.svg")):
        relative = path.relative_to(root).as_posix()
        if _LEFT_OUT.match(relative) or path.stat().st_size > 400_000 or path.is_symlink():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        title, keywords = _describe(path, text)
        if not title or (title, len(text)) in seen:
            continue
        seen.add((title, len(text)))
        folders = relative.split("/")[:-1]
        thing = folders[0] in _THING_FOLDERS
        drawings.append(Drawing(path, title, keywords, folders[-1].replace("_", " "), thing))
    return drawings


def _describe(path: Path, text: str) -> tuple[str, tuple[str, ...]]:
    """Title and keywords out of the file's own metadata; "" when they name nothing."""
    found = re.search(r"<dc:title[^>]*>([^<]+)</dc:title>", text)
    title = _clean(found.group(1)) if found else ""
    bag = re.search(r"<dc:subject[^>]*>(.*?)</dc:subject>", text, re.S)
    words = re.findall(r"<rdf:li[^>]*>([^<]+)</rdf:li>", bag.group(1)) if bag else []
    keywords = dict.fromkeys(k for k in (_clean(w) for w in words) if k)
    if not title or not set(title.split()) & set(" ".join(keywords).split() + _clean(path.stem).split()):
        return "", ()
    return title, tuple(k for k in keywords if k != title)[:8]


def _clean(text: str) -> str:
    """Up to four plain words in lower case, without numbers, authors and words that say nothing."""
    words = _TITLE_WORD.findall(re.sub(r"\bby\b.*", "", text.lower().replace("_", " ")))
    kept = [w for w in words if w not in _NOISE]
    return " ".join(kept) if 1 <= len(kept) <= 4 else ""
