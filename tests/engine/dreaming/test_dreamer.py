import errno
import io
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image, ImageChops, ImageStat

from engine.dreaming.dreamer import Dreamer
from engine.errors import BadRequest, FailureKind
from engine.models import registry
from engine.pictures.images import recipe_of
from engine.pictures.timelapse import frames_of
from engine.protocol import DreamRequest, Event, Failed, Finished, Progress, Started
from engine.search.recipes import repeated
from engine.search.state import State
from engine.settings import MAX_SEED, MAX_STEPS

TINY = "biggan-deep-128"  # tiny models lie in its place


def never() -> bool:
    return False


def request(prompt: str = "a bowl of cherries", **changes: object) -> DreamRequest:
    values: dict[str, object] = {"seed": 7, "model": TINY, "steps": 4, "preview_every_s": 0}
    return DreamRequest("one", prompt, **{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def dreamer(tiny_models: Path) -> Dreamer:
    return Dreamer(data_dir=tiny_models, device="cpu")


def finished(dreamer: Dreamer, wanted: DreamRequest, stop_after: int = 0) -> Finished:
    """The end of a dream that has one; stopped after a step, if told."""
    steps = 0

    def stop() -> bool:
        nonlocal steps
        steps += 1
        return steps == stop_after

    end = list(dreamer.dream(wanted, stop))[-1]
    assert isinstance(end, Finished), end
    return end


def events(dreamer: Dreamer, wanted: DreamRequest) -> list[Event]:
    return list(dreamer.dream(wanted, never))


def test_a_dream_is_told_from_start_to_end(dreamer: Dreamer) -> None:
    started, *progress, finished = events(dreamer, request())
    assert started == Started("one", TINY, 4)
    assert [(p.step, p.steps) for p in progress if isinstance(p, Progress)] == [(n, 4) for n in range(1, 5)]
    assert isinstance(progress[0], Progress) and progress[0].picture is not None
    assert isinstance(finished, Finished) and finished.steps_done == 4 and not finished.stopped
    assert finished.recipe == recipe_of(finished.picture)
    assert (finished.recipe.prompt, finished.recipe.seed, finished.recipe.steps) == (
        "a bowl of cherries",
        7,
        4,
    )


def test_the_same_request_gives_the_same_bytes(dreamer: Dreamer, tiny_models: Path) -> None:
    one = events(dreamer, request())[-1]
    two = events(Dreamer(data_dir=tiny_models, device="cpu"), request())[-1]
    other = events(dreamer, request(seed=8))[-1]
    assert isinstance(one, Finished) and isinstance(two, Finished) and isinstance(other, Finished)
    assert one.picture == two.picture
    assert one.picture != other.picture


def test_stop_is_asked_at_each_step_and_keeps_the_best(dreamer: Dreamer) -> None:
    asked = iter([False, False, True])
    *_, last, finished = dreamer.dream(request(steps=500), lambda: next(asked))
    assert isinstance(last, Progress) and last.step == 3
    assert isinstance(finished, Finished) and finished.stopped and finished.steps_done == 3


def test_the_recipe_of_a_stopped_dream_gives_its_very_bytes(dreamer: Dreamer) -> None:
    asked = iter([False] * 33 + [True])
    finished = list(dreamer.dream(request(steps=500), lambda: next(asked)))[-1]
    assert isinstance(finished, Finished) and finished.steps_done == 34
    recipe = recipe_of(finished.picture)
    again = events(dreamer, request(steps=recipe.steps, settings=repeated(recipe.settings)))[-1]
    assert isinstance(again, Finished) and not again.stopped
    assert again.picture == finished.picture


def test_a_prompt_beyond_the_tokens_is_read_in_parts_with_a_notice(dreamer: Dreamer) -> None:
    started = events(dreamer, request(" ".join(["cherries"] * 200)))[0]
    assert isinstance(started, Started)
    assert str(started.notice) == "The prompt is long: I read it in 23 parts and dream of them all."


def picture(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(file, "PNG")
    return file.getvalue()


def test_pictures_and_what_to_avoid_change_the_dream_and_stand_in_its_recipe(dreamer: Dreamer) -> None:
    wanted = [
        request(),
        request(avoid="people"),
        request(image=picture("red")),
        request(image=picture("red"), image_weight=9.0),
        request("", image=picture("red")),
        request(init=picture("red")),
    ]
    ends = [events(dreamer, each)[-1] for each in wanted]
    assert all(isinstance(end, Finished) for end in ends)
    pixels = [Image.open(io.BytesIO(end.picture)).tobytes() for end in ends if isinstance(end, Finished)]
    assert len(set(pixels)) == len(wanted)
    records = [end.recipe.settings for end in ends if isinstance(end, Finished)]
    assert records[1]["avoid"] == "people"
    assert records[2]["image"] == records[4]["image"] == records[5]["init"]
    assert records[3]["image_weight"] == 9
    again = events(dreamer, request(init=picture("red")))[-1]
    assert isinstance(again, Finished) and isinstance(ends[5], Finished)
    assert again.picture == ends[5].picture


def test_the_picture_has_the_size_that_was_asked_for(dreamer: Dreamer) -> None:
    for size, side in ((None, 512), (256, 256), (1024, 1024)):
        finished = events(dreamer, request(steps=1, size=size))[-1]
        assert isinstance(finished, Finished)
        assert Image.open(io.BytesIO(finished.picture)).size == (side, side)


def test_a_limit_holds_for_what_the_request_does_not_name_and_is_no_target(dreamer: Dreamer) -> None:
    few: dict[str, float | str] = {"cutouts": 64.0, "start": "blind"}
    usual = finished(dreamer, request(steps=None, preset="quick", settings=few))
    steps = usual.recipe.steps
    assert steps > 3
    for most, expected in ((5000, steps), (3, 3)):
        wanted = request(steps=None, preset="quick", settings=few, most_steps=most)
        assert finished(dreamer, wanted).recipe.steps == expected
    assert finished(dreamer, request(steps=4, most_steps=2)).recipe.steps == 4, "named: whoever asks decides"
    for most, size in ((128, 128), (300, 256), (512, 512), (1024, 512)):
        end = finished(dreamer, request(steps=1, most_size=most))
        assert Image.open(io.BytesIO(end.picture)).size == (size, size)
        assert end.recipe.settings.get("size", 512) == size
    end = finished(dreamer, request(steps=1, most_size=128, size=256))
    assert Image.open(io.BytesIO(end.picture)).size == (256, 256)


def test_a_time_lapse_shows_the_steps_and_ends_with_the_picture(dreamer: Dreamer) -> None:
    finished = events(dreamer, request(steps=12, timelapse_bytes=300_000))[-1]
    assert isinstance(finished, Finished) and finished.timelapse is not None
    assert len(finished.timelapse) <= 300_000
    shown = frames_of(finished.timelapse)
    assert len(shown) == 13
    final = Image.open(io.BytesIO(finished.picture)).convert("RGB").resize(shown[-1].size)
    assert max(ImageStat.Stat(ImageChops.difference(shown[-1], final)).mean) < 12
    plain = events(dreamer, request(steps=12))[-1]
    assert isinstance(plain, Finished) and plain.picture == finished.picture and plain.timelapse is None


@pytest.mark.parametrize(
    "fault", [OSError(errno.ENOSPC, "full"), MemoryError(), BadRequest("It does not fit."), ValueError("odd")]
)
def test_a_film_that_fails_does_not_cost_the_picture(
    dreamer: Dreamer, monkeypatch: pytest.MonkeyPatch, fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> bytes:
        raise fault

    monkeypatch.setattr("engine.pictures.timelapse.encode", fails)
    end = finished(dreamer, request(steps=1, timelapse_bytes=300_000))
    assert end.picture and end.timelapse is None
    assert "There is no film of this dream." in caplog.text


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (request(""), "say what to dream"),
        (request("\x00 \u200b"), "say what to dream"),
        (request("a" * 2001), "2001 characters"),
        (request(seed=-1), f"from 0 to {MAX_SEED}"),
        (request(seed=MAX_SEED + 1), f"from 0 to {MAX_SEED}"),
        (request(steps=0), f"from 1 to {MAX_STEPS}"),
        (request(steps=MAX_STEPS + 1), f"from 1 to {MAX_STEPS}"),
    ],
)
def test_a_bad_request_is_refused_before_any_model_is_loaded(
    tmp_path: Path, wanted: DreamRequest, sentence: str
) -> None:
    (failed,) = events(Dreamer(data_dir=tmp_path, device="cpu"), wanted)
    assert isinstance(failed, Failed) and failed.kind is FailureKind.BAD_REQUEST
    assert sentence in str(failed.message)


@pytest.mark.parametrize(
    "prompt", ["🍒🍒🍒", "שלום עולם", "../../etc/passwd", "@everyone", "x" * 2000, "a lone \ud800 one"]
)
def test_an_odd_prompt_is_dreamt_all_the_same(dreamer: Dreamer, prompt: str) -> None:
    finished = events(dreamer, request(prompt, steps=1))[-1]
    assert isinstance(finished, Finished) and finished.recipe.prompt == prompt.replace("\ud800", "?")


def test_a_model_that_is_not_there_says_which_files_to_put_where(tmp_path: Path) -> None:
    (failed,) = events(Dreamer(data_dir=tmp_path, device="cpu"), request())
    assert isinstance(failed, Failed) and failed.kind is FailureKind.MODEL
    assert str(tmp_path / "models" / TINY) in str(failed.message) and "config.json" in str(failed.message)


def test_a_damaged_model_fails_one_dream_and_the_next_is_dreamt(tiny_models: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_models, tmp_path, dirs_exist_ok=True)
    file = tmp_path / "models" / TINY / "pytorch_model.bin"
    good = file.read_bytes()
    file.write_bytes(good[: len(good) // 2])
    dreamer = Dreamer(data_dir=tmp_path, device="cpu")
    (failed,) = events(dreamer, request())
    assert isinstance(failed, Failed) and failed.kind is FailureKind.MODEL
    file.write_bytes(good)
    assert isinstance(events(dreamer, request())[-1], Finished)


def test_a_dream_stopped_and_resumed_ends_in_the_bytes_of_one_that_ran_through(
    dreamer: Dreamer, tiny_models: Path
) -> None:
    through = finished(dreamer, request(steps=70))
    stopped = finished(dreamer, request(steps=70), stop_after=60)
    assert stopped.stopped and stopped.steps_done == 60 and stopped.state is not None
    afresh = Dreamer(data_dir=tiny_models, device="cpu")
    resumed = finished(afresh, request(steps=70, begin="resume", state=stopped.state))
    assert resumed.picture == through.picture
    assert resumed.state == through.state and not resumed.stopped
    assert resumed.recipe == through.recipe  # the detour leaves no trace


def test_states_come_as_often_as_asked_and_each_resumes_to_the_same_bytes(dreamer: Dreamer) -> None:
    told = events(dreamer, request(steps=6, state_every_s=1e-9))
    states = [event.state for event in told if isinstance(event, Progress)]
    assert all(states) and len(set(states)) == 6
    assert not any(e.state for e in events(dreamer, request()) if isinstance(e, Progress))
    end = told[-1]
    assert isinstance(end, Finished)
    for state in states:
        assert finished(dreamer, request(steps=6, begin="resume", state=state)).picture == end.picture


def test_a_dream_goes_on_from_another_s_picture_towards_other_words(dreamer: Dreamer) -> None:
    first = finished(dreamer, request(steps=20))
    assert first.state is not None
    _, start, *_ = events(dreamer, request(begin="continue", state=first.state))
    assert isinstance(start, Progress) and start.score > first.score - 5  # where the first one ended
    chapter = finished(dreamer, request("a tree", begin="continue", state=first.state))
    assert chapter.steps_done == 4 and chapter.picture != first.picture
    assert chapter.recipe.settings["begin"] == "continue"
    assert (
        finished(dreamer, request("a tree", begin="continue", state=first.state)).picture == chapter.picture
    )


def test_variations_differ_by_seed_and_strength_and_repeat_exactly(dreamer: Dreamer) -> None:
    first = finished(dreamer, request(steps=10))
    pictures = [
        finished(dreamer, request(begin="vary", state=first.state, strength=strength, seed=seed)).picture
        for strength, seed in ((0.3, 1), (0.3, 1), (0.3, 2), (0.9, 1))
    ]
    assert pictures[0] == pictures[1] and len(set(pictures)) == 3


def test_a_blend_takes_two_dreams_and_its_share_counts(dreamer: Dreamer) -> None:
    one, other = finished(dreamer, request(steps=5)), finished(dreamer, request("a tree", steps=5, seed=8))
    assert one.state is not None and other.state is not None
    blends = [
        finished(dreamer, request(begin="blend", state=one.state, other_state=other.state, strength=share))
        for share in (0.2, 0.8)
    ]
    assert blends[0].picture != blends[1].picture
    assert blends[0].recipe.settings["strength"] == 0.2


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"begin": "elsewhere"}, "cannot begin as 'elsewhere'"),
        ({"begin": "resume"}, "takes one state, but 0 came"),
        ({"begin": "blend", "state": b"x"}, "takes two states, but 1 came"),
        ({"state": b"x"}, "takes no state, but 1 came"),
        ({"begin": "vary", "state": b"x", "strength": 1.5}, "from 0 to 1"),
        ({"begin": "vary", "state": b"x", "strength": float("nan")}, "from 0 to 1"),
        ({"begin": "continue", "state": b"not a state"}, "not a dream's state"),
        ({"state_every_s": -1.0}, "must not be negative"),
    ],
)
def test_a_beginning_that_cannot_be_is_refused_before_any_model_is_loaded(
    tmp_path: Path, changes: dict[str, object], sentence: str
) -> None:
    (failed,) = events(Dreamer(data_dir=tmp_path, device="cpu"), request(**changes))
    assert isinstance(failed, Failed) and failed.kind is FailureKind.BAD_REQUEST
    assert sentence in str(failed.message)


def test_a_state_of_another_model_or_seed_is_refused(dreamer: Dreamer) -> None:
    state = finished(dreamer, request()).state
    assert state is not None
    foreign = replace(State.from_bytes(state), model="another").to_bytes()
    for changes, sentence in (
        ({"begin": "continue", "state": foreign}, "another model"),
        ({"begin": "resume", "state": foreign}, "another model"),
        ({"begin": "resume", "state": state, "seed": 8}, "the seed 7"),
        ({"begin": "resume", "state": state, "steps": 5}, "other settings"),
    ):
        failed = events(dreamer, request(**changes))[-1]
        assert isinstance(failed, Failed) and failed.kind is FailureKind.BAD_REQUEST
        assert sentence in str(failed.message)


def test_recipe_preset_settings_and_size_are_honoured_and_recorded(dreamer: Dreamer) -> None:
    plain = finished(dreamer, request())
    assert plain.recipe.settings["augment"] == "smooth"
    # No atlas of a large pair is made where that takes hours.
    assert (plain.recipe.settings["start"], plain.recipe.settings["candidates"]) == ("samples", 24)
    blind = finished(dreamer, request(recipe="bigsleep", settings={"cutouts": 4, "filter": "triangle"}))
    recorded = blind.recipe.settings
    assert (recorded["start"], recorded["cutouts"], recorded["filter"]) == ("blind", 4, "triangle")
    assert blind.picture != plain.picture
    again = finished(dreamer, request(settings=repeated(recorded)))
    assert again.picture == blind.picture  # all that repeats it stands in its recipe
    fused = finished(dreamer, request(recipe="fusedream", settings={"candidates": 12, "cutouts": 4}))
    assert (fused.best_step, fused.recipe.settings["basis"]) == (4, 10)
    small = finished(dreamer, request(size=128))
    with Image.open(io.BytesIO(small.picture)) as image:
        assert image.size == (128, 128)


def test_a_preset_sets_the_steps(dreamer: Dreamer) -> None:
    steps = []
    for preset in ("quick", "thorough"):
        started = next(iter(dreamer.dream(request(steps=None, preset=preset), never)))
        assert isinstance(started, Started)
        steps.append(started.steps)
    assert steps[0] < steps[1]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"recipe": "soup"}, "no recipe 'soup'"),
        ({"preset": "fast"}, "no preset 'fast'"),
        ({"settings": {"cutouts": 0}}, "cutouts must be a whole number from 1 to 512"),
        ({"settings": {"lr": 1}}, "no setting 'lr'"),
    ],
)
def test_an_option_that_cannot_be_is_refused_before_any_model_is_loaded(
    tmp_path: Path, changes: dict[str, object], sentence: str
) -> None:
    (failed,) = events(Dreamer(data_dir=tmp_path, device="cpu"), request(**changes))
    assert isinstance(failed, Failed) and failed.kind is FailureKind.BAD_REQUEST
    assert sentence in str(failed.message)


def test_what_happened_to_the_search_stands_in_its_recipe(
    dreamer: Dreamer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = registry.pair(TINY, dreamer._data_dir)
    perceptor = dreamer.load(pair).perceptor
    encode = perceptor.encode_images

    def cramped(images: torch.Tensor) -> torch.Tensor:
        if images.requires_grad and len(images) > 20:
            raise torch.OutOfMemoryError
        return encode(images)

    monkeypatch.setattr(perceptor, "encode_images", cramped)
    notes = finished(dreamer, request(steps=1)).recipe.settings["notes"]
    assert notes == "Memory ran out after step 0; I went on with 16 views at once."
