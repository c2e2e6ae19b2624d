"""What the pictures show: one concept per CLDR code point, with English and Italian names and keywords."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.training.sources import (
    ALSO_HELD_OUT,
    HELD_OUT_CONCEPTS,
    OFTEN_SAID,
    POPULAR,
)

THING_GROUPS = frozenset({"animals-nature", "food-drink", "travel-places", "activities", "objects"})
THING_SUBGROUPS = frozenset({"heart", "face-costume", "body-parts", "person-fantasy"})
THING_CODES = frozenset(
    {"1F480", "2620", "1F476", "1F463", "1F478", "1F934", "1F46E", "1F977", "1F4A5", "1F4A7"}
)
KEPT_SYMBOLS = frozenset({"geometric"})
CLOCK = "1F550"  # stands for all the clock faces, which differ in nothing that matters here
_DROPPED_CODES = {f"{code:X}" for code in range(0x1F551, 0x1F568)}
_GENDER_OR_FAMILY = re.compile(r"200D-(2640|2642|1F466|1F467|1F468|1F469|1F9D1|1F9D2|2764)")
_MAN_OR_WOMAN_ROLE = re.compile(r"^(1F468|1F469)-200D")
_SKIN_OR_HAIR = re.compile(r"1F3F[B-F]|1F9B[0-3]")


@dataclass(frozen=True)
class Concept:
    """One thing that can be drawn, whoever draws it."""

    code: str  # Unicode code points in upper case hex, joined by "-", without FE0F
    slug: str
    name_en: str
    keywords_en: tuple[str, ...]
    name_it: str  # "" where CLDR has none
    keywords_it: tuple[str, ...]
    group: str
    subgroup: str
    thing: bool


def slug_of(text: str) -> str:
    """Lower case words joined by hyphens; letters outside a-z0-9 are dropped."""
    text = (
        text.lower().replace("’", "").replace("'", "").replace("ñ", "n").replace("é", "e").replace("ã", "a")
    )
    return re.sub(r"[^a-z0-9]+", "-", text).strip("-")


def code_of(text: str) -> str:
    """A code point sequence in the form that `Concept.code` has."""
    return "-".join(part for part in text.upper().split("-") if part != "FE0F").lstrip("0")


def read_concepts(packages: Path) -> dict[str, Concept]:
    """All kept concepts by code. Needs `cldr-annotations-full` and `emojibase-data` in `packages`."""
    meta = _json(packages / "emojibase-data/meta/groups.json")
    italian = {code_of(e["hexcode"]): e for e in _json(packages / "emojibase-data/it/data.json")}
    cldr = {
        language: _json(packages / f"cldr-annotations-full/annotations/{language}/annotations.json")[
            "annotations"
        ]["annotations"]
        for language in ("en", "it")
    }
    concepts: dict[str, Concept] = {}
    slugs: set[str] = set()
    for entry in _json(packages / "emojibase-data/en/data.json"):
        code = code_of(entry["hexcode"])
        if "group" not in entry or not _kept(code):
            continue
        group = meta["groups"][str(entry["group"])]
        subgroup = meta["subgroups"][str(entry["subgroup"])]
        if group in ("flags", "component") or (group == "symbols" and subgroup not in KEPT_SYMBOLS):
            continue
        emoji = entry["emoji"].replace("\ufe0f", "")
        name_en, keywords_en = _words(cldr["en"].get(emoji), entry)
        name_it, keywords_it = _words(cldr["it"].get(emoji), italian.get(code))
        if code == CLOCK:
            name_en, name_it = "clock face", "orologio"
        slug = slug_of(name_en)
        if slug in slugs:
            slug = f"{slug}-{code.lower()}"
        slugs.add(slug)
        thing = group in THING_GROUPS or subgroup in THING_SUBGROUPS or code in THING_CODES
        concepts[code] = Concept(
            code, slug, name_en, keywords_en, name_it, keywords_it, group, subgroup, thing
        )
    return concepts


def held_out(concepts: list[Concept]) -> set[str]:
    """Slugs of the concepts kept out of training: picked by hash among things nobody asks for first."""
    free = [
        c
        for c in concepts
        if c.thing
        and not POPULAR & set(re.split(r"[^a-z0-9-]+", c.name_en.lower()))
        and c.subgroup != "heart"
    ]
    free.sort(key=lambda c: hashlib.sha256(c.slug.encode()).digest())
    return {c.slug for c in free[:HELD_OUT_CONCEPTS]}


def words_held_out(concepts: list[Concept], kept_out: set[str]) -> frozenset[str]:
    """Words and phrases, in the singular, that give a held-out concept away in the name of any drawing.

    Names of the held-out; their words but for `OFTEN_SAID`; keywords that no other concept has;
    `ALSO_HELD_OUT`.
    """
    others = {w for c in concepts if c.slug not in kept_out for w in (c.name_en.lower(), *c.keywords_en)}
    found = set(ALSO_HELD_OUT)
    for concept in concepts:
        if concept.slug in kept_out:
            name = slug_of(concept.name_en).replace("-", " ")
            found |= {name, *(set(name.split()) - OFTEN_SAID)}
            found |= {k for k in concept.keywords_en if k not in others and k not in OFTEN_SAID}
    plain = (singular(slug_of(words).replace("-", " ")) for words in found)
    return frozenset(words for words in plain if len(words) > 1)


def gives_away(name: str, words: frozenset[str]) -> bool:
    """Whether `name`, any words, holds one of `words` (as `words_held_out` returns them)."""
    parts = slug_of(name).split("-")
    spans = (
        " ".join(parts[start:end])
        for start in range(len(parts))
        for end in range(start + 1, min(start + 5, len(parts)) + 1)
    )
    return any(singular(span) in words for span in spans)


def singular(words: str) -> str:
    """Words with the last in the singular, by the plain rules."""
    if re.search(r"(ss|us|is|as)$", words) or len(words) < 4:
        return words
    for ending, instead in (("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("oxes", "ox"), ("s", "")):
        if words.endswith(ending):
            return words[: -len(ending)] + instead
    return words


def _kept(code: str) -> bool:
    return not (
        code in _DROPPED_CODES
        or _SKIN_OR_HAIR.search(code)
        or _GENDER_OR_FAMILY.search(code)
        or _MAN_OR_WOMAN_ROLE.match(code)
    )


def _words(cldr: dict[str, list[str]] | None, entry: dict[str, Any] | None) -> tuple[str, tuple[str, ...]]:
    """Name and keywords: CLDR's own where it has them, joined with emojibase's."""
    name = (cldr or {}).get("tts", [""])[0] or (entry or {}).get("label", "")
    words = list((cldr or {}).get("default", [])) + list((entry or {}).get("tags", []) or [])
    kept = dict.fromkeys(w.strip().lower() for w in words if w.strip() and not w.startswith(":"))
    return name.replace("’", "'"), tuple(w.replace("’", "'") for w in kept if w != name.lower())


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
