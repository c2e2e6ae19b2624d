"""The training pictures: concepts, captions, scenes and batches made from drawings of the tests' own."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.pocket.captions import COLOURS, Captions, fill, shorter, tinted
from engine.pocket.tokens import load_tokenizer, write_tokenizer
from engine.training import __main__ as command
from engine.training import data, scenes
from engine.training.batches import BatchMaker
from engine.training.concepts import (
    Concept,
    code_of,
    held_out,
    read_concepts,
    slug_of,
)
from engine.training.data import DRAWINGS, DRAWN, Item, build, load_descriptions, load_pictures
from engine.training.openclipart import read_openclipart
from engine.training.sources import HELD_OUT_CONCEPTS, SOURCES, STYLES


def describe(concept: str, **more: object) -> dict:
    values = {
        "concept": concept, "code": "1", "style": "noto", "split": "train", "thing": True,
        "held_out": False, "group": "objects", "name_en": concept, "keywords_en": ["thing"],
        "name_it": f"{concept}a", "keywords_it": ["cosa"],
    }  # fmt: skip
    return values | more


DESCRIPTIONS = [
    describe("cherry", group="food-drink", keywords_en=["fruit"]),
    describe("house", keywords_en=["building", "home"]),
    describe("red heart", keywords_en=["love"]),
]


@pytest.fixture
def tokenizer(tmp_path: Path):
    """CLIP's tokenizer with merges of the test's own."""
    merges = ["c h", "ch e", "che r", "cher r", "cherr y</w>", "h o", "ho u", "hou s", "hous e</w>"]
    vocabulary = tmp_path / "bpe.txt.gz"
    vocabulary.write_bytes(gzip.compress(("#version\n" + "\n".join(merges)).encode()))
    write_tokenizer(vocabulary, tmp_path / "tokenizer", 32)
    return load_tokenizer(tmp_path / "tokenizer")


def test_share_alike_drawings_are_for_testing_only() -> None:
    splits = {s.style: s.split for s in SOURCES}
    assert all(s.split == "test_only" for s in SOURCES if "SA" in s.licence)
    assert splits["openmoji"] == "test_only"
    assert splits["emojione"] == "unseen_vendor"


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def test_concepts_join_names_and_drop_what_is_not_a_thing_to_draw(tmp_path: Path) -> None:
    base, cldr = tmp_path / "emojibase-data", tmp_path / "cldr-annotations-full/annotations"
    write_json(
        base / "meta/groups.json", {"groups": {"4": "food-drink", "9": "flags"}, "subgroups": {"1": "x"}}
    )
    entries = [
        {
            "hexcode": "1F352",
            "emoji": "🍒",
            "label": "cherries",
            "tags": ["berry"],
            "group": 4,
            "subgroup": 1,
        },
        {"hexcode": "1F1EE", "emoji": "x", "label": "flag", "group": 9, "subgroup": 1},
        {"hexcode": "1F44B-1F3FB", "emoji": "y", "label": "light hand", "group": 4, "subgroup": 1},
    ]
    for language, name in (("en", "cherries"), ("it", "ciliegie")):
        write_json(base / language / "data.json", entries)
        values = {"🍒": {"default": ["fruit"], "tts": [name]}}
        write_json(cldr / language / "annotations.json", {"annotations": {"annotations": values}})
    concepts = read_concepts(tmp_path)
    assert list(concepts) == ["1F352"]
    cherries = concepts["1F352"]
    assert (cherries.slug, cherries.name_it, cherries.thing) == ("cherries", "ciliegie", True)
    assert cherries.keywords_en == ("fruit", "berry")


def test_held_out_concepts_never_are_what_people_ask_for_first() -> None:
    names = [f"odd thing {i}" for i in range(200)] + [
        "cat",
        "sunflower",
        "castle",
        "rocket",
        "pizza",
        "house",
    ]
    concepts = [Concept("1", slug_of(n), n, (), "", (), "objects", "x", True) for n in names]
    kept_out = held_out(concepts)
    assert len(kept_out) == HELD_OUT_CONCEPTS
    assert all(slug.startswith("odd-thing") for slug in kept_out)
    assert kept_out == held_out(concepts[::-1])


def test_code_points_of_all_vendors_become_one_form() -> None:
    assert code_of("2764-fe0f") == code_of("2764") == "2764"
    assert code_of("00a9-FE0F") == "A9"


def test_openclipart_keeps_what_its_title_names(tmp_path: Path) -> None:
    root = tmp_path / "openclipart/svg/animals"
    root.mkdir(parents=True)
    meta = "<dc:title>{}</dc:title><dc:subject><rdf:Bag><rdf:li>{}</rdf:li></rdf:Bag></dc:subject>"
    (root / "horse_01.svg").write_text(meta.format("Horse by Somebody", "mammal"))
    (root / "zq17.svg").write_text(meta.format("untitled thing", "mammal"))
    kept = read_openclipart(tmp_path, tmp_path / "unpacked")
    assert [(d.title, d.keywords, d.folder, d.thing) for d in kept] == [
        ("horse", ("mammal",), "animals", True)
    ]


def square(colour: str) -> str:
    box = 'width="8" height="8"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}><rect {box} fill="{colour}"/></svg>'


def item(name: str, style: str = SOURCES[0].style) -> Item:
    record = describe(name, style=style, keywords_en=(), keywords_it=())
    return Item(source="", licence="", subgroup="x", drawing=name, **record)


def test_pictures_are_built_resumable_and_in_the_order_of_their_lines(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py")
    drawings = [(item("red"), square("#f00")), (item("broken"), "<svg"), (item("blue"), square("#00f"))]
    assert build(drawings, tmp_path) == 2
    assert [d["concept"] for d in load_descriptions(tmp_path)] == ["red", "blue"]
    pictures = load_pictures(tmp_path)
    assert pictures.shape == (2, 128, 128, 4)
    assert pictures[0, 64, 64].tolist() == [255, 0, 0, 255]
    assert pictures[1, 64, 64].tolist() == [0, 0, 255, 255]
    assert (tmp_path / "pictures.skipped.txt").read_text() == "fluent-3d/broken\n"


def test_the_second_set_is_larger_and_neither_disturbs_the_other(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py")
    drawings = [(item("red"), square("#f00")), (item("broken"), "<svg"), (item("blue"), square("#00f"))]
    assert build(drawings, tmp_path) == 2
    assert build(drawings[1:], tmp_path, DRAWINGS, DRAWN) == 1
    assert [d["concept"] for d in load_descriptions(tmp_path, DRAWINGS)] == ["blue"]
    large = load_pictures(tmp_path, DRAWINGS)
    assert large.shape == (1, 256, 256, 4) and large[0, 128, 128].tolist() == [0, 0, 255, 255]
    assert large[0, 1, 1].tolist() == large[0, -2, -2].tolist() == [0, 0, 255, 255]  # it fills its square
    assert [d["concept"] for d in load_descriptions(tmp_path)] == ["red", "blue"]
    assert load_pictures(tmp_path).shape == (2, 128, 128, 4)
    assert (tmp_path / "drawings.skipped.txt").read_text() == "fluent-3d/broken\n"
    assert not list(tmp_path.glob("rendering-*")) and not list(tmp_path.glob("*.new"))


def test_a_rendering_that_was_stopped_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("resvg_py")
    drawings = [(item(name), square(colour)) for name, colour in (("red", "#f00"), ("blue", "#00f"))]
    rendered = tmp_path / "rendered"
    all_at_once = data._render_all

    def one_alone(contents: list, todo: np.ndarray, *rest: object) -> None:
        with rendered.open("a") as file:
            file.write(f"{len(todo)} ")
        all_at_once(contents, todo[:1], *rest)

    monkeypatch.setattr(data, "_render_all", one_alone)  # the child ends after one picture
    assert build(drawings, tmp_path, DRAWINGS, 32) == 2
    assert rendered.read_text() == "2 1 "
    assert load_pictures(tmp_path, DRAWINGS)[1, 16, 16].tolist() == [0, 0, 255, 255]


def test_what_the_generator_draws_in_are_styles_that_may_be_trained_on() -> None:
    by_style = {source.style: source for source in SOURCES}
    assert len(set(STYLES)) == len(STYLES)
    for style in STYLES:
        assert by_style[style].split == "train" and "SA" not in by_style[style].licence


def test_missing_pictures_say_what_to_do(tmp_path: Path) -> None:
    for name in ("pictures", DRAWINGS):
        with pytest.raises(FileNotFoundError, match=f"{name}.jsonl is not there: run `python -m"):
            load_pictures(tmp_path, name)


@pytest.mark.parametrize(
    ("template", "words", "language", "text"),
    [
        ("a bowl of {n}", "cherries", "en", "a bowl of cherries"),
        ("{a}", "house", "en", "a house"),
        ("{a}", "apple", "en", "an apple"),
        ("{a}", "grapes", "en", "grapes"),
        ("{a}", "casa", "it", "una casa"),
        ("{a}", "gatto", "it", "un gatto"),
        ("{il}", "luna", "it", "la luna"),
    ],
)
def test_captions_have_their_articles(template: str, words: str, language: str, text: str) -> None:
    assert fill(template, words, language) == text


def test_colours_and_short_names_read_as_people_write_them() -> None:
    assert tinted("heart", "red", "en") == "a red heart"
    assert tinted("casa", "red", "it") == "una casa rossa"
    assert shorter("Dog face") == "dog"
    assert shorter("grinning face") == "grinning face"


def test_caption_means_every_concept_that_holds_its_word() -> None:
    captions = Captions([*DESCRIPTIONS, describe("hut", keywords_en=["house"])])
    concepts, weights = captions.meaning("house")
    by_name = dict(zip([captions.slugs[i] for i in concepts], weights, strict=True))
    assert set(by_name) == {"house", "hut"}
    assert by_name["house"] > by_name["hut"] > 0
    assert captions.tintable[captions.index("house")]
    assert not captions.tintable[captions.index("red heart")]


def solid(colour: tuple[int, int, int]) -> np.ndarray:
    picture = np.zeros((128, 128, 4), np.uint8)
    picture[32:96, 32:96] = (*colour, 255)
    return picture


def test_batch_holds_pictures_texts_and_targets_that_agree(tokenizer) -> None:
    pictures = np.stack([solid((200, 0, 0)), solid((0, 200, 0)), solid((0, 0, 200))])
    drawings = scenes.load_drawings(pictures, np.arange(3))
    captions = Captions(DESCRIPTIONS)
    batch = BatchMaker(DESCRIPTIONS, drawings, np.ones(3), captions, tokenizer, seed=5).make(24)
    assert batch.pictures.shape == (24, 3, 64, 64)
    assert 0 <= batch.pictures.min() <= batch.pictures.max() <= 1
    assert len(batch.ids) == 24 + len(batch.wrong_for) > 24
    torch.testing.assert_close(batch.picture_target.sum(1), torch.ones(24))
    torch.testing.assert_close(batch.text_target.sum(1), torch.ones(24))
    assert not batch.excused.diagonal().any()
    again = BatchMaker(DESCRIPTIONS, drawings, np.ones(3), captions, tokenizer, seed=5).make(24)
    assert torch.equal(batch.pictures, again.pictures)
    assert torch.equal(batch.ids, again.ids)


def test_tinted_drawing_takes_the_colour_and_keeps_its_shape() -> None:
    layers = torch.rand(11, 4, 8, 8)
    layers[:, 3] = (layers[:, 3] > 0.3).float()
    layers[:, :3] *= layers[:, 3:]
    result = scenes.tint(layers, list(COLOURS), torch.Generator().manual_seed(0))
    assert torch.equal(result[:, 3], layers[:, 3])
    shown = (result[:, :3] * result[:, 3:]).sum((2, 3)) / result[:, 3:].sum((2, 3))
    wanted = torch.tensor([rgb for _, rgb in COLOURS.values()])
    assert torch.cdist(shown, wanted).argmin(1).tolist() == list(range(11))


def test_layout_puts_the_drawing_where_it_says() -> None:
    drawing = torch.full((1, 4, scenes.STORED, scenes.STORED), 255, dtype=torch.uint8)
    half, none, one = torch.tensor([0.5]), torch.zeros(1), torch.ones(1)
    layers = scenes.place(drawing, scenes.Layout(-half, half, 0.5 * one, none, one), 64)
    assert layers[0, 3, 40:60, 4:28].min() > 0.99
    assert layers[0, 3, :30].max() < 0.01
    assert layers[0, 3, :, 36:].max() < 0.01


def test_tokenizer_folder_splits_as_clip_does(tokenizer) -> None:
    ids = tokenizer("Cherry house")["input_ids"]
    assert tokenizer.convert_ids_to_tokens(ids) == [
        "<|startoftext|>", "cherry</w>", "house</w>", "<|endoftext|>",
    ]  # fmt: skip


def test_command_without_or_with_unknown_name_lists_the_commands(capsys: pytest.CaptureFixture) -> None:
    assert command.main([]) == 2
    assert "train-perceptor" in capsys.readouterr().err
    assert command.main(["--help"]) == 0
    assert "train-generator" in capsys.readouterr().out
