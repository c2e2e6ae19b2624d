"""Builds the training pictures: reads the packages, renders RGBA, writes `pictures.npy` and `drawings.npy`.

`pictures.npy` is uint8 [N, 128, 128, 4], straight alpha, all that the perceptor and the judge learn from;
`drawings.npy` [M, 256, 256, 4] what the generator draws. Line i of the `.jsonl` beside describes picture i
and is written last: where it exists, the set is complete. An interrupted run goes on where it stopped.
"""

import argparse
import hashlib
import io
import json
import multiprocessing
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from engine.training.concepts import (
    Concept,
    code_of,
    gives_away,
    held_out,
    read_concepts,
    slug_of,
    words_held_out,
)
from engine.training.icons import read_icons, svg_of
from engine.training.openclipart import read_openclipart
from engine.training.sources import (
    ICON_SETS,
    NAME_PACKAGES,
    SOURCES,
    STYLES,
    IconSet,
    Source,
)
from engine.training.wordnet import Nouns

SIZE = 128  # pixels, each side, of the pictures
DRAWN = 256  # of the drawings
PICTURES, DRAWINGS = "pictures", "drawings"  # the two sets' names
DEFAULT_FOLDER = Path(".training")
HELP = f"""Render the training pictures into {DEFAULT_FOLDER}/.

Needs npm's {", ".join(s.package for s in SOURCES[:-1])} and {", ".join(NAME_PACKAGES)} (npm install them in
any folder and give its node_modules), Debian's openclipart-svg (installed, unpacked or as the .deb file), and
the Python package resvg-py (the extra "pocket" of this project). With --wordnet also icons that show a thing,
out of npm's {", ".join(s.package for s in ICON_SETS)}."""


@dataclass(frozen=True)
class Item:
    """One picture to render and what is known of it: the fields of a line of `pictures.jsonl`."""

    source: str
    style: str
    licence: str
    concept: str  # the concept's slug, the same for every vendor
    code: str  # CLDR code, "" where there is none
    name_en: str
    keywords_en: tuple[str, ...]
    name_it: str
    keywords_it: tuple[str, ...]
    group: str
    subgroup: str
    thing: bool
    held_out: bool  # its concept is kept out of training
    split: str  # "train", "unseen_concept", "unseen_vendor", "test_only"
    drawing: str  # the icon's name in its set, or the file's name
    glyph: bool = False  # one colour alone, see `glyph`


def main(argv: list[str] | None = None) -> int:
    """The command `python -m engine.training data`. Returns its exit code."""
    parser = argparse.ArgumentParser(
        "python -m engine.training data",
        description=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--packages", type=Path, required=True, help="the node_modules folder")
    parser.add_argument("--openclipart", type=Path, help="Debian's openclipart-svg: folder or .deb file")
    parser.add_argument(
        "--wordnet",
        type=Path,
        help="folder of index.noun (Debian: wordnet-base): icons are kept by its nouns",
    )
    parser.add_argument("--out", type=Path, default=DEFAULT_FOLDER, help="where to write (%(default)s)")
    options = parser.parse_args(argv)
    missing = [s.package for s in SOURCES[:-1] if not (options.packages / s.package).is_dir()]
    missing += [name for name in NAME_PACKAGES if not (options.packages / name).is_dir()]
    if options.wordnet:
        missing += [s.package for s in ICON_SETS if not (options.packages / s.package).is_dir()]
    if missing:
        parser.error(f"{options.packages} lacks {', '.join(missing)}: npm install them there.")
    options.out.mkdir(parents=True, exist_ok=True)
    nouns = Nouns.read(options.wordnet) if options.wordnet else None
    drawings = list(list_drawings(options.packages, options.openclipart, options.out, nouns))
    count = build(drawings, options.out)
    print(f"{count} pictures of {len({item.concept for item, _ in drawings})} concepts in {options.out}")
    drawn = [(item, content) for item, content in drawings if item.thing and item.style in STYLES]
    print(f"{build(drawn, options.out, DRAWINGS, DRAWN)} drawings for the generator")
    return 0


def list_drawings(
    packages: Path, openclipart: Path | None, work: Path, nouns: Nouns | None
) -> Iterator[tuple[Item, str | Path]]:
    """Every picture to render with its SVG text or file path; icons only where `nouns` are given."""
    concepts = read_concepts(packages)
    kept_out = held_out(list(concepts.values()))
    telling = words_held_out(list(concepts.values()), kept_out)
    names = concept_names(concepts, packages)
    for source in SOURCES:
        if source.style == "openclipart":
            continue
        seen: set[str] = set()
        for drawing, content, code in _read_set(packages, source, names):
            concept = concepts.get(code)
            if concept is not None and concept.slug not in seen:
                seen.add(concept.slug)
                yield _item(source, concept, concept.slug in kept_out, drawing), content
    if openclipart is not None:
        by_slug = {slug_of(c.name_it): c for c in concepts.values() if c.name_it}
        by_slug |= {c.slug.removesuffix("s"): c for c in concepts.values()} | {
            c.slug: c for c in concepts.values()
        }
        for clip in read_openclipart(openclipart, work / "openclipart"):
            slug = slug_of(clip.title)
            concept = by_slug.get(slug) or Concept(
                "", f"clip-{slug}", clip.title, (), "", (), "openclipart", clip.folder, clip.thing
            )
            shown = " ".join((clip.title, *clip.keywords))
            is_held_out = concept.slug in kept_out or (not concept.code and gives_away(shown, telling))
            item = _item(SOURCES[-1], concept, is_held_out, clip.path.name)
            if concept.code == "":
                item = replace(item, keywords_en=clip.keywords)
            yield item, clip.path
    if nouns is not None:
        yield from _list_icons(packages, concepts, kept_out, telling, nouns)


def _list_icons(
    packages: Path, concepts: dict[str, Concept], kept_out: set[str], telling: frozenset[str], nouns: Nouns
) -> Iterator[tuple[Item, str]]:
    """Icons of known concepts, and of new ones: these share the openclipart ones' slugs."""
    for icon_set in ICON_SETS:
        for icon in read_icons(packages / icon_set.package, icon_set, concepts, nouns):
            concept = concepts.get(icon.code) or Concept(
                "", f"clip-{slug_of(icon.words)}", icon.words, icon.keywords, "", (), "icons", "icons", True
            )
            shown = " ".join((icon.words, icon.drawing, *icon.keywords))
            is_held_out = concept.slug in kept_out or (not concept.code and gives_away(shown, telling))
            item = _item(icon_set, concept, is_held_out, icon.drawing)
            yield replace(item, glyph=icon_set.glyphs), icon.svg


def concept_names(concepts: dict[str, Concept], packages: Path) -> dict[str, str]:
    """Icon name → concept code: from the concepts' own names, shortcodes and the sets' code tables."""
    names: dict[str, str] = {}
    for shortcodes in ("iamcal", "joypixels", "emojibase", "cldr", "github"):
        path = packages / f"emojibase-data/en/shortcodes/{shortcodes}.json"
        if path.exists():
            for code, values in json.loads(path.read_text()).items():
                for value in [values] if isinstance(values, str) else values:
                    names.setdefault(slug_of(value), code_of(code))
    for source in SOURCES:
        path = packages / source.package / "chars.json"
        if path.exists():
            for code, name in json.loads(path.read_text()).items():
                names.setdefault(name, code_of(code))
    names.update((slug_of(concept.name_en), code) for code, concept in concepts.items())
    for name, code in list(names.items()):
        names.setdefault(name.replace("-", ""), code)  # as fxemoji writes them
    return {name: code for name, code in names.items() if code in concepts}


def _read_set(packages: Path, source: Source, names: dict[str, str]) -> Iterator[tuple[str, str | Path, str]]:
    """(icon name, SVG text or file, concept code) of one set of drawings."""
    folder = packages / source.package
    if source.style == "fluent-3d":
        for path in sorted((folder / "assets").glob("*.webp")):
            yield path.stem, path, code_of(path.stem)
        return
    icons = json.loads((folder / "icons.json").read_text(encoding="utf-8"))
    chars = folder / "chars.json"
    codes = {n: code_of(c) for c, n in json.loads(chars.read_text()).items()} if chars.exists() else {}
    for name, icon in icons["icons"].items():
        code = codes.get(name) or names.get(name) or names.get(re.sub(r"-\d$", "", name), "")
        if code:
            yield name, svg_of(icons, icon), code


def _item(source: Source | IconSet, concept: Concept, is_held_out: bool, drawing: str) -> Item:
    split = source.split if isinstance(source, Source) else "train"
    split = "unseen_concept" if split == "train" and is_held_out else split
    return Item(
        source.package, source.style, source.licence, concept.slug, concept.code, concept.name_en,
        concept.keywords_en, concept.name_it, concept.keywords_it, concept.group, concept.subgroup,
        concept.thing, is_held_out, split, drawing,
    )  # fmt: skip


def build(drawings: list[tuple[Item, str | Path]], out: Path, name: str = PICTURES, size: int = SIZE) -> int:
    """Render all, then write `name`.npy and `name`.jsonl. Returns how many pictures came out.

    The SVG renderer can end its whole process on a few drawings: a child renders, and a fresh child goes on
    after the one that ended the last.
    """
    key = hashlib.sha256(repr((size, drawings)).encode()).hexdigest()[:16]
    partial, states = out / f"rendering-{key}.npy", out / f"rendering-{key}.state.npy"
    if not (partial.exists() and states.exists()):
        np.lib.format.open_memmap(partial, "w+", np.uint8, (len(drawings), size, size, 4)).flush()
        np.save(states, np.zeros(len(drawings), np.uint8))
    state = np.load(states, mmap_mode="r+")
    contents = [(content, item.glyph) for item, content in drawings]
    context = multiprocessing.get_context("fork")
    with tqdm(total=len(drawings), desc="render", unit="picture") as bar:
        while (todo := np.flatnonzero(state == _TODO)).size:
            child = context.Process(target=_render_all, args=(contents, todo, partial, states, size))
            child.start()
            while child.is_alive():
                child.join(0.5)
                bar.update(int(np.count_nonzero(state)) - bar.n)
            if child.exitcode:
                if not (started := np.flatnonzero(state == _STARTED)).size:
                    raise RuntimeError(f"The renderer ended with {child.exitcode} before its first picture.")
                state[started] = _FAILED
        bar.update(int(np.count_nonzero(state)) - bar.n)
    good = np.flatnonzero(state == _DONE)
    pictures = np.load(partial, mmap_mode="r")
    shape = (good.size, size, size, 4)
    final = np.lib.format.open_memmap(out / f"{name}.npy.new", "w+", np.uint8, shape)
    for start in range(0, good.size, 1024):
        final[start : start + 1024] = pictures[good[start : start + 1024]]
    final.flush()
    (out / f"{name}.npy.new").rename(out / f"{name}.npy")
    lines = [json.dumps(asdict(drawings[i][0]), ensure_ascii=False) for i in good]
    (out / f"{name}.jsonl.new").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (out / f"{name}.jsonl.new").rename(out / f"{name}.jsonl")
    skipped = [f"{drawings[i][0].style}/{drawings[i][0].drawing}" for i in np.flatnonzero(state == _FAILED)]
    (out / f"{name}.skipped.txt").write_text("".join(line + "\n" for line in skipped), encoding="utf-8")
    partial.unlink()
    states.unlink()
    return int(good.size)


_TODO, _STARTED, _DONE, _FAILED = range(4)


def _render_all(
    contents: list[tuple[str | Path, bool]], todo: np.ndarray, partial: Path, states: Path, size: int
) -> None:
    """The child: render the pictures `todo` one after the other, writing down each before and after."""
    pictures = np.load(partial, mmap_mode="r+")
    state = np.load(states, mmap_mode="r+")
    for index in todo:
        state[index] = _STARTED
        content, is_glyph = contents[index]
        picture = render(content, size)
        if picture is not None:
            pictures[index] = glyph(picture) if is_glyph else picture
        state[index] = _DONE if picture is not None else _FAILED


def render(content: str | Path, size: int = SIZE) -> np.ndarray | None:
    """uint8 [size, size, 4] straight alpha; None when it cannot be drawn or shows (almost) nothing."""
    import resvg_py  # needed by this command alone

    try:
        if isinstance(content, str):
            image: Image.Image = Image.open(io.BytesIO(resvg_py.svg_to_bytes(svg_string=content, width=size)))
        elif content.suffix == ".svg":
            image = Image.open(io.BytesIO(resvg_py.svg_to_bytes(svg_path=str(content), width=512, dpi=96)))
        else:
            image = Image.open(content)
        image = image.convert("RGBA")
    except (ValueError, OSError):
        return None
    if isinstance(content, Path) and content.suffix == ".svg":
        box = image.getchannel("A").point(lambda alpha: 255 * (alpha > 8)).getbbox()
        if box is None:
            return None
        image = image.crop(box)
    image.thumbnail((size, size), Image.Resampling.LANCZOS)
    if max(image.size) < size:
        scale = size / max(image.size)
        image = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    square = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    square.paste(image, ((size - image.width) // 2, (size - image.height) // 2))
    pixels = np.array(square)
    visible = pixels[..., 3] > 32
    return pixels if visible.mean() > 0.02 else None


def glyph(picture: np.ndarray) -> np.ndarray:
    """An icon of one colour, uint8 [128, 128, 4], as black ink on white paper, cut out along its outline.

    What the ink encloses becomes paper, so that both can be given colours, or the paper be left out.
    """
    ink = picture[..., 3]
    outside = np.zeros((SIZE + 2, SIZE + 2), bool)
    outside[[0, -1], :] = outside[:, [0, -1]] = True
    free = np.pad(ink < 96, 1, constant_values=True)
    reached = 0
    while reached != (reached := int(outside.sum())):
        for axis in (0, 1):  # as far as it goes along each line, there and back
            for way in (1, -1):
                _spread(outside, free, axis, way)
    cover = np.where(outside[1:-1, 1:-1], ink, 255)
    return np.dstack([np.repeat((255 - ink)[..., None], 3, 2), cover]).astype(np.uint8)


def _spread(outside: np.ndarray, free: np.ndarray, axis: int, way: int) -> None:
    """Let `outside` run on through `free` cells in one direction, both bool [n, n]."""
    to, through = (np.moveaxis(a, axis, 0)[::way] for a in (outside, free))
    for i in range(1, len(to)):
        to[i] |= to[i - 1] & through[i]


def load_descriptions(folder: Path = DEFAULT_FOLDER, name: str = PICTURES) -> list[dict[str, Any]]:
    """The lines of `name`.jsonl. Raises `FileNotFoundError` with what to do when there is none."""
    path = folder / f"{name}.jsonl"
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there: run `python -m engine.training data` first.")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def load_pictures(folder: Path = DEFAULT_FOLDER, name: str = PICTURES) -> np.ndarray:
    """`name`.npy, memory-mapped and read-only: uint8 [N, side, side, 4], straight alpha."""
    load_descriptions(folder, name)
    return np.load(folder / f"{name}.npy", mmap_mode="r")
