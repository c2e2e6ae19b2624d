"""The judge: its files are read strictly, its texts are bags of hashed words, its vectors are unit rows."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.errors import ModelError
from engine.models import perceptor, registry
from engine.pocket.judge import GRAMS, Judge, JudgeConfig, JudgePerceptor, pieces_of, pieces_of_word, words_of
from tests.engine.pocket.test_clip import heart

CPU = torch.device("cpu")
TINY = JudgeConfig(
    image_size=32, max_words=5, buckets=300, dimension=12, stem=8, shift_width=16, shift_blocks=1,
    mixer_width=16, mixer_blocks=1, text_width=8, heads=2,
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    Judge(TINY).save(tmp_path)
    return tmp_path


def test_it_is_loaded_as_any_perceptor_and_gives_unit_rows(folder: Path) -> None:
    judge = perceptor.load(folder, "the judge", CPU)
    assert isinstance(judge, JudgePerceptor)
    assert (judge.name, judge.size) == ("the judge", 32)
    pictures = judge.encode_images(torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0)))
    texts = judge.encode_texts(["a cat", "", "🍒 夢", "una casa " * 50])
    assert pictures.shape == (3, 12)
    assert texts.shape == (4, 12)
    for rows in (pictures, texts):
        torch.testing.assert_close(rows.norm(dim=1), torch.ones(len(rows)))


def test_its_maps_shrink_by_halves_whatever_the_picture_s_size(folder: Path) -> None:
    maps = Judge.load(folder).maps(torch.rand(2, 3, 64, 48, generator=torch.Generator().manual_seed(0)))
    assert [tuple(one.shape) for one in maps] == [
        (2, 8, 32, 24), (2, 16, 16, 12), (2, 16, 8, 6), (2, 16, 4, 3),
    ]  # fmt: skip


def test_a_text_s_company_does_not_change_it(folder: Path) -> None:
    judge = perceptor.load(folder, "judge", CPU)
    alone = judge.encode_texts(["a cat"])[0]
    beside = judge.encode_texts(["a cat", "a very long text about many things"])[0]
    torch.testing.assert_close(alone, beside)


def test_what_is_saved_is_what_is_loaded(folder: Path) -> None:
    again = Judge.load(folder)
    again.save(folder / "again")
    picture = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert torch.equal(again.encode_image(picture), Judge.load(folder / "again").encode_image(picture))
    assert not any(p.requires_grad for p in again.parameters())


def test_spelling_and_accents_leave_most_of_a_word() -> None:
    assert words_of("Un CAFFÈ, per favore!") == ["un", "caffe", "per", "favore"]
    one, two = set(pieces_of_word("elephant", 10**9)), set(pieces_of_word("elephants", 10**9))
    assert len(one & two) > len(one) / 2
    assert not set(pieces_of_word("cat", 10**9)) & set(pieces_of_word("dog", 10**9))


def test_pieces_stay_in_the_table_and_long_texts_are_cut() -> None:
    pieces = pieces_of(["one two three four five six seven", "", "x" * 5000], 300, 5)
    assert pieces.shape == (3, 5, GRAMS)
    assert int(pieces.max()) <= 300
    assert pieces[1].sum() == 0
    assert (pieces[0] > 0).any(1).all()


@pytest.mark.parametrize("text", ["one two three four five six", "一" * 300, "a,b,c,d,e,f,g h"])
def test_what_fits_is_what_is_read(folder: Path, text: str) -> None:
    judge = perceptor.load(folder, "judge", CPU)
    kept = judge.fitting(text)
    assert text.startswith(kept)
    assert kept
    assert len(words_of(kept)) <= 5
    assert judge.fitting("a cat, please") == "a cat, please"


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("size", [None, 0, 40])
def test_missing_or_truncated_file_is_one_clear_error(folder: Path, name: str, size: int | None) -> None:
    path = folder / name
    if size is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ModelError, match=name):
        Judge.load(folder)


def test_tensor_of_another_shape_or_without_numbers_is_refused(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    fewer = {name: value for name, value in tensors.items() if name != "text_out.weight"}
    for changed, sentence in (
        (fewer, "do not fit"),
        ({**tensors, "extra": torch.zeros(1)}, "do not fit"),
        ({**tensors, "text_out.weight": tensors["text_out.weight"][:-1]}, "do not fit"),
        ({**tensors, "text_out.weight": tensors["text_out.weight"] * torch.nan}, "not finite"),
    ):
        save_file(changed, folder / "model.safetensors")
        with pytest.raises(ModelError, match=sentence):
            Judge.load(folder)


@pytest.mark.parametrize(
    "change",
    [{"model_type": "clip"}, {"heads": 3}, {"heads": 0}, {"image_size": 40}, {"stem": "x"}, {"a": 3}],
)
def test_config_of_another_model_is_refused(folder: Path, change: dict) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ModelError, match="pocket judge"):
        Judge.load(folder)


@pytest.mark.parametrize(
    ("colour", "name"), [((0.9, 0.1, 0.1), "a red heart"), ((0.1, 0.3, 0.9), "a blue heart")]
)
def test_shipped_judge_knows_a_heart_and_its_colour(colour: tuple[float, float, float], name: str) -> None:
    judge = perceptor.load(registry.POCKET / "judge", "judge", CPU)
    texts = ["a red heart", "a blue heart", "a green tree", "the moon", "una casa", "un gatto", "a rocket"]
    picture = torch.nn.functional.interpolate(heart(colour), judge.size, mode="bilinear", antialias=True)
    likeness = judge.encode_images(picture) @ judge.encode_texts(texts).T
    assert texts[int(likeness.argmax())] == name


def test_shipped_judge_is_of_this_shape() -> None:
    assert Judge.load(registry.POCKET / "judge").config == JudgeConfig()
