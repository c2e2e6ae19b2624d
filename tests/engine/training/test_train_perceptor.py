"""The perceptor's training and its measuring, on a few squares of colour."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engine.evaluation import prompt_list
from engine.pocket.captions import Captions
from engine.pocket.clip import PocketClip
from engine.pocket.grounds import GROUNDS
from engine.pocket.tokens import load_tokenizer
from engine.training import (
    dreamt,
    evaluate,
    material,
    scenes,
    teacher,
    train_grounds,
    train_perceptor,
    train_places,
    train_words,
)
from engine.training.batches import BatchMaker
from engine.training.evaluate import Examiner, Figure, _figure
from engine.training.space import KIN_SHARE, Space
from tests.engine.training.squares import SMALL, describe, lessons, lines, maker


def test_training_brings_pictures_and_their_words_together(folder: Path) -> None:
    batch = maker(folder, lines(folder)[:4], np.ones(4)).make(24)
    school = teacher.Class(lessons(), load_tokenizer(folder / "tokenizer"), 18, seed=1)
    lesson = school.draw(12)
    torch.manual_seed(0)
    model, space = PocketClip(SMALL), Space(lessons().concepts, SMALL.dimension)
    optimiser = torch.optim.AdamW([*model.parameters(), *space.parameters()], lr=3e-3)
    totals = []
    for _ in range(25):
        losses = train_perceptor.batch_losses(model.train(), space, batch, lesson)
        total = torch.stack(list(losses.values())).sum()
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        totals.append(float(total.detach()))
    assert set(losses) == {"pair", "picture", "words", "text", "wrong", "lesson"}
    assert totals[-1] < 0.8 * totals[0]


def test_a_step_without_texts_leaves_the_text_tower_alone(folder: Path) -> None:
    batch = maker(folder, lines(folder)[:4], np.ones(4)).make(24)
    model, space = PocketClip(SMALL), Space(lessons().concepts, SMALL.dimension)
    losses = train_perceptor.batch_losses(model.train(), space, batch)
    assert set(losses) == {"picture", "words"}
    torch.stack(list(losses.values())).sum().backward()
    learnt = {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert learnt == {name for name, _ in model.named_parameters() if name.startswith(("image", "place"))}


def test_twins_show_the_same_two_things_with_places_changed(folder: Path) -> None:
    made = maker(folder, lines(folder)[:4], np.ones(4))
    batch = made.make(60)
    texts = made._tokenizer.batch_decode(batch.ids, skip_special_tokens=True)
    twins = [(i, i + 1) for i in range(0, 8, 2)]
    assert {i for pair in twins for i in pair} <= set(batch.wrong_for.tolist())
    for one, two in twins:
        assert torch.equal(batch.picture_target[one], batch.picture_target[two])
        assert not batch.excused[one, two]
        assert texts[one] != texts[two]


def test_concepts_with_no_weight_are_not_drawn_until_they_are_let_in(folder: Path) -> None:
    made = maker(folder, lines(folder)[:4], np.array([1.0, 1.0, 1.0, 0.0]))
    coal = made._concept[3]
    assert float(made.make(60).picture_target[:, coal].sum()) == 0
    made.weigh(np.ones(4))
    assert float(made.make(60).picture_target[:, coal].sum()) > 0


def test_dreamt_pictures_stand_alone_and_fill_the_picture(folder: Path) -> None:
    described = lines(folder)[:4]
    described[0]["style"] = scenes.DREAMT
    drawings = scenes.load_drawings(np.load(folder / "pictures.npy"), np.arange(4))
    drawings[0] = 255  # white and opaque to its edge
    tokenizer = load_tokenizer(folder / "tokenizer")
    made = BatchMaker(described, drawings, np.array([50.0, 1, 1, 1]), Captions(described), tokenizer, seed=2)
    batch = made.make(40)
    dreamt = batch.picture_target[:, made._concept[0]] == 1
    assert dreamt.sum() > 10
    assert not dreamt[:9].any()  # the pairs
    assert float(batch.pictures[dreamt][:, :, 8:-8, 8:-8].mean()) > 0.85


def test_unseen_concepts_lie_where_their_words_lie_and_pictures_never_push_them() -> None:
    torch.manual_seed(0)
    space = Space(torch.eye(4, 6), 8)
    seen = torch.tensor([True, True, True, False])
    space.show(seen)
    with torch.no_grad():
        space.own.normal_()
    vectors, from_words = space.vectors()
    torch.testing.assert_close(vectors[3], from_words[3])
    assert space.soft(torch.eye(4))[:, 3].tolist() == pytest.approx([0, 0, 0, 1 - KIN_SHARE])
    space.show(torch.ones(4, dtype=torch.bool))
    vectors, from_words = space.vectors()
    assert not torch.equal(vectors[3], from_words[3])


def test_words_of_nothing_belong_to_nothing_and_known_ones_to_their_things() -> None:
    torch.manual_seed(0)
    space = Space(torch.eye(4, 6), 8)
    with torch.no_grad():
        space.own.normal_()
        vectors, _ = space.vectors()
        places = space.lesson(torch.eye(6)[[2, 2, 2]], torch.tensor([1.0, 0.5, 0.0]), vectors)
    assert int((vectors @ places[0]).argmax()) == 2
    torch.testing.assert_close(places[2], vectors[4])
    assert float(places[0] @ vectors[2]) > float(places[1] @ vectors[2]) > float(places[2] @ vectors[2])


def test_words_for_an_unseen_concept_belong_between_their_own_meaning_and_its_kin() -> None:
    torch.manual_seed(0)
    space = Space(F.normalize(torch.eye(4) + 0.5 * torch.eye(4)[[0, 1, 3, 2]], dim=1), 8)
    space.show(torch.tensor([True, True, True, False]))
    with torch.no_grad():
        space.own.normal_()
        vectors, from_words = space.vectors()
        place = space.lesson(space.teacher[3:], torch.ones(1), vectors)[0]
    assert float(place @ from_words[3]) > 0.5
    assert int((vectors[:3] @ place).argmax()) == 2


def test_texts_encoded_by_length_are_the_same_texts() -> None:
    torch.manual_seed(0)
    model = PocketClip(SMALL).eval()
    ids = torch.randint(0, 600, (9, 12))
    mask = (torch.arange(12) < torch.randint(2, 13, (9, 1))).long()
    torch.testing.assert_close(
        train_perceptor.encode_by_length(model, ids, mask), model.encode_text(ids, mask), rtol=1e-4, atol=1e-5
    )


def test_command_leaves_a_perceptor_and_a_checkpoint_and_goes_on_from_it(folder: Path) -> None:
    arguments = ["--data", str(folder), "--minutes", "0", "--words", "0", "--places", "0", "--grounds", "0"]
    assert train_perceptor.main(arguments) == 0
    first = PocketClip.load(folder / "export" / "perceptor")
    assert len(load_tokenizer(folder / "export" / "perceptor")) == 256 * 2 + 2 + 2
    assert train_perceptor.main(arguments) == 0
    again = PocketClip.load(folder / "export" / "perceptor")
    assert torch.equal(first.token.weight, again.token.weight)
    log = (folder / "perceptor.log").read_text()
    assert "start at step 0 after 0.0 min: 4 pictures" in log
    assert "nothing is left to do" in log


WHOLE = [
    "--minutes", "0.1", "--everything-after", "0.05", "--every", "0.01", "--batch", "8",
    "--words", "2", "--places", "100", "--grounds", "100",
]  # fmt: skip


@pytest.fixture
def small(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`folder` with a held-out concept, and everything so small that a whole training takes seconds."""
    described = [
        {**d, "held_out": True, "split": d["split"].replace("train", "unseen_concept")}
        if d["concept"] == "coal"
        else d
        for d in lines(folder)
    ]
    (folder / "pictures.jsonl").write_text("\n".join(json.dumps(d) for d in described) + "\n")
    monkeypatch.setattr(train_perceptor, "PocketClipConfig", lambda: SMALL)
    monkeypatch.setattr(train_perceptor, "LESSONS", 8)
    monkeypatch.setattr(train_words, "LESSONS", 12)
    monkeypatch.setattr(train_words, "JOINED", 12)
    for last in (train_places, train_grounds):
        monkeypatch.setattr(last, "BATCHES", 2)
        monkeypatch.setattr(last, "COUNT", 8)
    return folder


def stages(folder: Path) -> list[str]:
    """What the log tells of the stages, in its order."""
    told = ("start", "words", "let in", "places", "grounds", "done", "nothing")
    return [
        word
        for line in (folder / "perceptor.log").read_text().splitlines()
        for word in told
        if re.search(rf"\b{word}\b.*", re.sub(r"words [\d.]+,", "", line))
    ]


def test_a_whole_training_goes_through_every_stage_once_and_then_has_nothing_left_to_do(small: Path) -> None:
    arguments = ["--data", str(small), *WHOLE]
    assert train_perceptor.main(arguments) == 0
    assert stages(small) == ["start", "words", "let in", "words", "places", "grounds", "done"]
    exports = [PocketClip.load(small / "export" / f"perceptor{end}") for end in ("-before-everything", "")]
    assert not torch.equal(exports[0].token.weight, exports[1].token.weight)
    kept = torch.load(small / "perceptor-before-everything.pt", weights_only=True)
    assert not kept["everything"]
    assert [export.config.grounds for export in exports] == [0, len(GROUNDS)]
    last = (small / "export" / "perceptor" / "model.safetensors").read_bytes()
    assert train_perceptor.main(arguments) == 0
    assert stages(small)[7:] == ["nothing"]
    assert (small / "export" / "perceptor" / "model.safetensors").read_bytes() == last
    arguments[3] = "0.15"  # two thirds of it are not over, but the held-out concepts are known by now
    assert train_perceptor.main([*arguments, "--everything-after", "0.14"]) == 0
    assert stages(small)[8:] == ["start", "words", "places", "grounds", "done"]


@pytest.mark.parametrize(("stage", "call"), [("words", 1), ("words", 2), ("places", 1)])
def test_a_training_that_ends_in_a_stage_takes_it_up_again_and_repeats_no_other(
    small: Path, monkeypatch: pytest.MonkeyPatch, stage: str, call: int
) -> None:
    arguments = ["--data", str(small), *WHOLE]
    module = train_words if stage == "words" else train_places
    real, calls = module.settle, []

    def ends(*given: object) -> None:
        calls.append(given)
        if len(calls) == call:
            raise KeyboardInterrupt
        real(*given)

    monkeypatch.setattr(module, "settle", ends)
    with pytest.raises(KeyboardInterrupt):
        train_perceptor.main(arguments)
    assert train_perceptor.main(arguments) == 0
    told = stages(small)
    assert told.count("let in") == 1
    assert told[-5:] == (["let in", "words", "places", "grounds", "done"]
                         if call == 1 and stage == "words" else
                         ["start", "words", "places", "grounds", "done"])  # fmt: skip


def test_a_guessed_place_stands_by_the_words_the_kin_and_what_was_heard() -> None:
    torch.manual_seed(0)
    space = Space(F.normalize(torch.eye(4) + 0.5 * torch.eye(4)[[0, 1, 3, 2]], dim=1), 8)
    space.show(torch.tensor([True, True, True, False]))
    heard = F.normalize(torch.randn(4, 8), dim=1)
    with torch.no_grad():
        space.own.normal_()
        before, from_words = space.vectors()
        space.guess(heard)
        torch.testing.assert_close(space.vectors()[0], before)  # only once it is shown
        space.show(torch.ones(4, dtype=torch.bool))
        after = space.vectors()[0]
    torch.testing.assert_close(after[:3], before[:3])
    for near in (from_words[3], before[2], heard[3]):
        assert float(after[3] @ near) > 0.3


def test_training_begins_with_another_checkpoint_under_a_name_of_its_own(folder: Path) -> None:
    arguments = ["--data", str(folder), "--minutes", "0", "--words", "0", "--places", "0", "--grounds", "0"]
    train_perceptor.main([*arguments, "--seed", "1"])
    start = str(folder / "perceptor.pt")
    assert train_perceptor.main([*arguments, "--seed", "2", "--name", "second", "--start", start]) == 0
    first, second = (PocketClip.load(folder / "export" / name) for name in ("perceptor", "second"))
    assert torch.equal(first.token.weight, second.token.weight)
    assert (folder / "second.pt").exists()


def test_training_begins_with_an_export_as_well(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_grounds, "BATCHES", 1)
    arguments = ["--data", str(folder), "--minutes", "0", "--words", "0", "--places", "0", "--grounds", "0"]
    train_perceptor.main([*arguments, "--seed", "1"])
    start = folder / "export" / "perceptor"
    train_grounds.main(["--data", str(folder), "--weights", str(start), "--steps", "1"])
    assert train_perceptor.main([*arguments, "--seed", "2", "--name", "third", "--start", str(start)]) == 0
    first, third = (PocketClip.load(folder / "export" / name) for name in ("perceptor", "third"))
    assert torch.equal(first.token.weight, third.token.weight)


def test_an_emoji_is_drawn_more_often_than_its_icons_and_many_icons_of_one_thing_share_their_weight() -> None:
    emoji = describe("leaf", "noto", "train")
    icon = {**emoji, "style": "phosphor"}
    new = {**icon, "code": "", "concept": "clip-anvil"}
    weights = material.row_weights([emoji, icon, *[new] * 4, {**new, "concept": "clip-yak"}])
    assert weights[0] > weights[1]
    assert weights[6] > weights[2]
    assert weights[2:6].sum() == pytest.approx(2 * weights[6])


def test_glyphs_get_other_colours_in_every_picture(folder: Path) -> None:
    described = [{**d, "glyph": True} for d in lines(folder)[:4]]
    made = maker(folder, described, np.ones(4))
    made._drawings[:, :3] = 0  # all ink
    pictures = made.make(40).pictures[9:]  # after the pairs
    middles = pictures[:, :, 28:36, 28:36].mean((2, 3))
    assert len({tuple(colour) for colour in middles.round(decimals=1).tolist()}) > 15


def test_figures_count_ranks() -> None:
    similarity = torch.zeros(2, 20)
    similarity[0, 3] = 1.0
    similarity[1, :4] = torch.tensor([0.9, 0.8, 0.7, 0.1])
    figure = _figure("x", similarity, torch.tensor([3, 2]))
    assert (figure.among, figure.first, figure.five) == (20, 0.5, 1.0)


@pytest.mark.parametrize(
    ("first", "five", "verdict"),
    [(0.5, 0.7, "reached"), (0.41, 0.7, "short by 4.0 points"), (0.44, 0.6, "short by 10.0 points")],
)
def test_verdict_names_the_larger_shortfall(first: float, five: float, verdict: str) -> None:
    figure = Figure("x", 900, first, five, (0.45, 0.70))
    assert figure.line() == f"| x | 900 | {first:.1%} | {five:.1%} | first 45%, five 70% | {verdict} |"
    assert Figure("x", 900, first, five).verdict() == ""


def test_loose_phrases_are_asked_for_what_they_may_mean(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "phrases.txt").write_text("[english]\na green day | leaf sea\na hot night | coal\n")
    monkeypatch.setattr(evaluate, "PHRASES", tmp_path / "phrases.txt")
    model = PocketClip(SMALL).eval()
    examiner = Examiner(
        model, load_tokenizer(folder / "tokenizer"), lines(folder), np.load(folder / "pictures.npy")
    )
    axes = torch.eye(4, SMALL.dimension)  # ruby, leaf, sea, coal
    said = torch.stack([axes[2] + 0.5 * axes[0], axes[0] + 0.9 * axes[3]])
    monkeypatch.setattr(examiner, "texts", lambda texts: said[: len(texts)])
    assert examiner.phrases(axes).first == 0.5


def test_the_loose_phrases_mean_classes_and_are_no_prompts_of_the_hundred() -> None:
    ids = {each["id"] for each in json.loads((dreamt.WEIGHTS / "classes.json").read_text(encoding="utf-8"))}
    hundred = {one.prompt for one in prompt_list.read()}
    for one in prompt_list.read(evaluate.PHRASES):
        phrase, things = one.prompt.split(" | ")
        assert phrase not in hundred
        assert set(things.split()) <= ids


def test_examiner_asks_about_the_unseen_vendor_alone(folder: Path) -> None:
    torch.manual_seed(0)
    model = PocketClip(SMALL).eval().requires_grad_(False)
    examiner = Examiner(
        model, load_tokenizer(folder / "tokenizer"), lines(folder), np.load(folder / "pictures.npy")
    )
    assert examiner.rows("emojione").tolist() == [4, 5, 6, 7]
    assert examiner.names("it")["ruby"] == "una rubya"
    assert examiner.paraphrases()["leaf"] == "stone, old"
    assert examiner.paraphrases("it") == {}  # one keyword is not enough
    means = examiner.means()
    assert means.shape == (4, SMALL.dimension)
    assert len(examiner.closest(means, ["a ruby"], 2)[0]) == 2
    assert 0 <= examiner.rejection(means)[0].first <= 1
    pictures = examiner.on_white(examiner.rows("emojione"))
    assert pictures.shape == (4, 3, 64, 64)
    assert pictures[0, :, 32, 32].tolist() == pytest.approx([200 / 255, 0, 0], abs=0.01)
    assert pictures[0, :, 0, 0].tolist() == [1, 1, 1]
    assert examiner.naming("x", examiner.rows("emojione"), examiner.names("en")).among == 4
