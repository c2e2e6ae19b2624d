"""The commands of `dream` beside the plain one, and all its options, with tiny models."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PIL import Image

from engine.__main__ import main
from engine.command_line import COMMANDS
from engine.pictures.embedded_state import parted
from engine.pictures.images import recipe_of
from engine.pictures.timelapse import frames_of
from engine.protocol import Recipe
from engine.search.recipes import OPTIONS
from tests.engine.command_line.test_command_line import TINY, files, once_there, png_with_recipe

pytestmark = pytest.mark.timeout(300)  # several dreams a test, on a machine that may be busy


@pytest.fixture(autouse=True)
def folder(tiny_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory, and the tiny models as the ones that dream."""
    monkeypatch.setenv("DATA_DIR", str(tiny_models))
    monkeypatch.setenv("DREAM_MODEL", TINY)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    logging.getLogger("engine").setLevel(logging.NOTSET)


FEW = ("--cutouts", "4", "--candidates", "4", "--no-preview", "--quiet")


def recipe(name: str) -> Recipe:
    return recipe_of(Path(name).read_bytes())


def pixels(name: str) -> bytes:
    with Image.open(name) as image:
        return image.tobytes()


def dreamt(name: str, *arguments: str, seed: int = 7) -> None:
    assert main([*arguments, "--seed", str(seed), "--steps", "3", *FEW, "--out", name]) == 0


def test_continue_vary_and_blend_go_on_from_pictures(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dreamt("cat.png", "a cat")
    dreamt("castle.png", "a castle", seed=8)
    capsys.readouterr()
    dreamt("more.png", "continue", "cat.png")
    said = capsys.readouterr().out
    assert "continue cat.png --seed 7 --steps 3" in said, "only what was typed repeats it"
    dreamt("night.png", "continue", "cat.png", "a cat at night")
    dreamt("other.png", "vary", "cat.png", "--strength", "0.9")
    dreamt("blend.png", "blend", "cat.png", "castle.png", "--share", "0.7")
    more, night, other, blend = (recipe(f"{name}.png") for name in ("more", "night", "other", "blend"))
    assert [(each.prompt, each.settings["begin"]) for each in (more, night, other, blend)] == [
        ("a cat", "continue"),
        ("a cat at night", "continue"),
        ("a cat", "vary"),
        ("a cat | a castle", "blend"),
    ]
    assert other.settings["strength"] == 0.9 and blend.settings["strength"] == 0.7
    assert more.settings["cutouts"] == 4
    names = ("cat", "castle", "more", "night", "other", "blend")
    assert len({pixels(f"{name}.png") for name in names}) == len(names)
    dreamt("again.png", "blend", "cat.png", "castle.png", "--share", "0.7")
    assert Path("again.png").read_bytes() == Path("blend.png").read_bytes()


def test_what_was_stopped_is_resumed_to_the_very_bytes_of_a_dream_that_ran_through(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wish = ["a house", "--avoid", "fog", "--seed", "7", "--steps", "150", "--cutouts", "2", "--size", "128"]
    wish += ["--candidates", "4", "--look-every", "50"]
    with once_there(folder / "x.preview.jpg", lambda: os.kill(os.getpid(), signal.SIGTERM)):
        assert main([*wish, "--out", "x.png"]) == 143
    assert "resume x.png" in capsys.readouterr().out
    stopped = Path("x.png").read_bytes()
    assert main(["resume", "x.png"]) == 0
    assert main([*wish, "--out", "through.png", "--quiet"]) == 0
    assert stopped != Path("x.png").read_bytes() == Path("through.png").read_bytes()
    capsys.readouterr()
    assert main(["resume", "x.png"]) == 2
    assert "x.png is finished" in capsys.readouterr().err


def test_a_dream_of_a_picture_is_resumed_without_the_picture(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (30, 20), "red").save("red.png")
    wish = ["--image", "red.png", "--seed", "7", "--steps", "150", "--cutouts", "2", "--candidates", "4"]
    wish += ["--look-every", "50"]
    with once_there(folder / "x.preview.jpg", lambda: os.kill(os.getpid(), signal.SIGTERM)):
        assert main([*wish, "--out", "x.png"]) == 143
    Path("red.png").rename("away.png")
    capsys.readouterr()
    assert main(["resume", "x.png", "--quiet"]) == 0
    assert "Repeat" not in capsys.readouterr().out, "no command line without the picture could"
    Path("away.png").rename("red.png")
    assert main([*wish, "--out", "through.png", "--quiet"]) == 0
    assert Path("x.png").read_bytes() == Path("through.png").read_bytes()


def test_several_seeds_make_a_picture_each_and_one_of_all(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["a house", "--seeds", "1,2,5", "--steps", "2", *FEW, "--out", "h.png"]) == 0
    assert files(folder) == ["h-1.png", "h-2.png", "h-5.png", "h.png"]
    assert [recipe(f"h-{seed}.png").seed for seed in (1, 2, 5)] == [1, 2, 5]
    with Image.open("h.png") as sheet:
        assert sheet.size == (512, 512)
        with Image.open("h-2.png") as second:
            tile = second.convert("RGB").resize((256, 256), Image.Resampling.LANCZOS)
        assert sheet.crop((256, 0, 512, 256)).tobytes() == tile.tobytes()
    assert "All:     h.png" in capsys.readouterr().out
    dreamt("alone.png", "a house", seed=2)
    assert main(["a house", "--seeds", "2", "--seed", "4294967295", "--steps", "1", *FEW]) == 0
    assert {"dreams/a-house-4294967295.png", "dreams/a-house-0.png", "dreams/a-house-all.png"} <= set(
        files(folder)
    )


def test_a_story_is_dreamt_chapter_by_chapter_with_one_film(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    story = ["story", "a seed", "a sprout", "a tree", "--seed", "7", "--steps", "4", *FEW]
    assert main([*story, "--out", "t.png", "--timelapse", "t.webp"]) == 0
    assert files(folder) == ["t-1.png", "t-2.png", "t-3.png", "t.webp"]
    chapters = [recipe(f"t-{number}.png") for number in (1, 2, 3)]
    assert [chapter.prompt for chapter in chapters] == ["a seed", "a sprout", "a tree"]
    assert [chapter.settings.get("begin") for chapter in chapters] == [None, "continue", "continue"]
    assert len({pixels(f"t-{number}.png") for number in (1, 2, 3)}) == 3
    assert len(frames_of(Path("t.webp").read_bytes())) >= 6
    assert "Film:    t.webp" in capsys.readouterr().out


@pytest.mark.parametrize("ending", ["webp", "gif", "mp4"])
def test_a_film_is_written_within_its_size(folder: Path, ending: str) -> None:
    dreamt("x.png", "a house", "--timelapse", f"x.{ending}", "--timelapse-bytes", "60000")
    film = Path(f"x.{ending}").read_bytes()
    assert len(film) <= 60_000
    assert film[:4] in (b"RIFF", b"GIF8") or film[4:8] == b"ftyp"


def test_options_reach_the_search_and_are_repeated_from_the_picture(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--learning-rate", "0.05", "--ema-decay", "0.5", "--filter", "nearest", "--last"]
    dreamt("x.png", "a house:2 | fog:-0.5", *options, "--avoid", "people", "--size", "256")
    said = capsys.readouterr().out
    assert "--from x.png --out x.png" in said, "a short command that repeats all of it"
    settings = recipe("x.png").settings
    expected = {"learning_rate": 0.05, "ema_decay": 0.5, "filter": "nearest", "keep": "last", "cutouts": 4}
    assert expected.items() <= settings.items()
    assert (settings["avoid"], settings["size"]) == ("people", 256)
    assert main(["--from", "x.png", "--out", "y.png"]) == 0
    assert Path("x.png").read_bytes() == Path("y.png").read_bytes()
    assert "The bytes are the same." in capsys.readouterr().err
    assert main(["--from", "x.png", "--cutouts", "5", "--out", "z.png", "--quiet"]) == 0
    assert recipe("z.png").settings == settings | {"cutouts": 5}
    assert main(["--from", "x.png", "--recipe", "bigsleep", "--steps", "1", "--out", "b.png", *FEW]) == 0
    assert recipe("b.png").settings["learning_rate"] == 0.07


def test_presets_and_recipes_are_named(folder: Path) -> None:
    for name in ("quick", "thorough"):
        dreamt(f"{name}.png", "a house", "--preset", name, "--recipe", "fusedream", "--basis", "2")
    quick, thorough = recipe("quick.png").settings, recipe("thorough.png").settings
    assert quick["augment"] == thorough["augment"] == "diffaugment"


def test_pictures_say_what_to_dream_and_where_to_begin(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (30, 20), "red").save("red.jpg")
    dreamt("image.png", "--image", "red.jpg", "--image-weight", "2")
    dreamt("both.png", "a house", "--image", "red.jpg")
    dreamt("init.png", "a house", "--init", "red.jpg")
    assert recipe("image.png").settings["image_weight"] == 2
    assert recipe("both.png").settings["image"] == recipe("init.png").settings["init"]
    capsys.readouterr()
    assert main(["--from", "both.png", "--out", "x.png"]) == 2
    assert "give it again, with --image." in capsys.readouterr().err
    assert main(["--from", "both.png", "--image", "red.jpg", "--out", "x.png", "--quiet"]) == 0
    assert Path("x.png").read_bytes() == Path("both.png").read_bytes()


def test_each_preview_is_kept_in_a_folder(folder: Path) -> None:
    assert main(["a house", "--steps", "4", "--look-every", "2", "--cutouts", "4", "--candidates", "4",
        "--previews", "shown", "--out", "x.png", "--quiet"]) == 0  # fmt: skip
    assert files(folder) == [
        "shown/x-0001.jpg",
        "shown/x-0002.jpg",
        "shown/x-0004.jpg",
        "x.png",
    ]


def test_the_name_of_a_command_is_dreamt_after_two_hyphens(folder: Path) -> None:
    assert main(["--seed", "7", "--steps", "1", *FEW, "--out", "x.png", "--", "story"]) == 0
    assert recipe("x.png").prompt == "story"


def test_presets_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert TINY in lines[0]
    assert [line.split()[0] for line in lines[2:]] == ["quick", "normal", "thorough"]
    steps = [int(line.split()[1]) for line in lines[2:]]
    assert steps == sorted(steps) and steps[0] < steps[2]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["x", "--seed", "1", "--seeds", "1,2"], "leaves nothing for --seed"),
        (["x", "--seeds", "0"], "from 1 to 64"),
        (["x", "--seeds", "1,2,two"], "a list like 1,2,3"),
        (["x", "--seeds", "1,1"], "each once"),
        (["x", "--seeds", "2", "--timelapse", "x.webp"], "either --timelapse or --seeds"),
        (["x", "--best", "--last"], "not allowed with argument"),
        (["x", "--no-preview", "--previews", "d"], "--no-preview leaves nothing"),
        (["x", "--no-preview", "--preview-every", "1"], "--no-preview leaves nothing"),
        (["x", "--timelapse-bytes", "100000"], "needs a film"),
        (["x", "--timelapse", "x.avi"], "must end in .webp or .gif or .mp4"),
        (["x", "--timelapse", "x.gif", "--timelapse-bytes", "10"], "from 20000 to"),
        (["x", "--image-weight", "2"], "needs a picture: --image"),
        (["x", "--image", "missing.png"], "missing.png cannot be read"),
        (["x", "--image", "file"], "not a picture"),
        (["x", "--image", "http://127.0.0.1:9/x.png"], "cannot be fetched from 127.0.0.1"),
        (["x", "--init", "ftp://example.org/x.png"], "must be a whole one"),
        (["x", "--size", "300"], "one of 128, 256, 512, 1024"),
        (["x", "--preset", "endless"], "one of quick, normal, thorough"),
        (["x", "--recipe", "dall-e"], "one of oneiro, bigsleep, fusedream"),
        (["x", "--learning-rate", "fast"], "learning_rate must be a number"),
        (["x", "--cutouts", "0"], "cutouts must be a whole number from 1"),
        (["x", "--cutout-min", "0.9", "--cutout-max", "0.5"], "must not be larger"),
        (["x", "--avoid", "..."], "has no words"),
        (["a:-1"], "counts against the picture"),
        (["a:1 | b:-1"], "add up to 0"),
        (["story", "alone"], "two chapters at least"),
        (["story", "a", ""], "the prompt is empty"),
        (["continue", "missing.png"], "There is no file missing.png"),
        (["vary", "of", "colours"], 'dream "vary of …"'),
        (["blend", "plain.png"], "required"),
        (["continue", "plain.png"], "carries no recipe"),
        (["continue", "stateless.png"], "carries no state"),
        (["resume", "stateless.png"], "carries no state"),
        (["vary", "stateless.png", "--strength", "2"], "from 0 to 1"),
        (["--from", "continued.png"], "dreamt on from another picture"),
        (["continue", "stateless.png", "--init", "x.png"], "Unrecognized arguments"),
        (["presets", "--model", "dall-e"], "one of auto, pocket"),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: Sequence[str], told: str
) -> None:
    Path("file").touch()
    Image.new("RGB", (8, 8)).save("plain.png")
    png_with_recipe(Path("stateless.png"), Recipe("x", 7, 1, TINY, "", "", ""))
    png_with_recipe(Path("continued.png"), Recipe("x", 7, 1, TINY, "", "", "", {"begin": "continue"}))
    before = files(folder)
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == "" and "Traceback" not in said.err
    *_, sentence = said.err.splitlines()
    assert sentence.startswith("dream: ") and sentence.endswith(".") and told in sentence
    assert files(folder) == before


def test_a_state_of_another_model_is_refused(
    folder: Path, tiny_models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dreamt("x.png", "a house")
    capsys.readouterr()
    assert main(["continue", "x.png", "--model", "pocket", "--steps", "1", "--quiet"]) == 2
    assert "from another model" in capsys.readouterr().err


def test_a_picture_that_lost_its_state_is_still_a_picture_with_a_recipe(folder: Path) -> None:
    dreamt("x.png", "a house")
    plain, state = parted(Path("x.png").read_bytes())
    assert state is not None and len(state) < 1_000_000
    Path("plain.png").write_bytes(plain)
    assert main(["--from", "plain.png", "--out", "y.png"]) == 0
    assert Path("y.png").read_bytes() == Path("x.png").read_bytes()


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_each_command_has_a_help_with_an_example_and_without_torch(command: str) -> None:
    code = (
        "import sys\nfrom engine.__main__ import main\n"
        f"try: main({[command, '--help'] if command else ['--help']!r})\nexcept SystemExit: pass\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("False\n")
    assert f"dream {command}".strip() in done.stdout and "example" in done.stdout
    if command in ("", "story", "continue"):
        for name in OPTIONS.keys() - {"keep"}:
            assert f"--{name.replace('_', '-')}" in done.stdout
