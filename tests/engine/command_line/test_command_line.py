"""The command line `dream`, with tiny models; what needs a process of its own has one."""

import logging
import os
import pty
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import termios
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from engine.__main__ import EXIT_CODES, EXIT_FAULT, main
from engine.command_line.dream import parser
from engine.command_line.results import repeat_command
from engine.pictures.images import recipe_of
from engine.protocol import Recipe
from engine.settings import MAX_SEED
from tests.engine.processes import wait_until

TINY = "biggan-deep-128"
LIMIT_S = 110  # a process of its own imports torch, which takes long on a busy machine


@pytest.fixture(autouse=True)
def folder(tiny_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory, and the tiny models as the ones that dream."""
    monkeypatch.setenv("DATA_DIR", str(tiny_models))
    monkeypatch.setenv("DREAM_MODEL", TINY)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    logging.getLogger("engine").setLevel(logging.NOTSET)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def start(*arguments: str | bytes, **settings: Any) -> subprocess.Popen[str]:
    """`python -m engine` as a process with pipes."""
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-m", "engine", *arguments], **(pipes | settings))


def read_until(stream: Any, beginning: str) -> None:
    """Read lines up to the one that begins so."""
    for line in stream:
        if line.startswith(beginning):
            return
    pytest.fail(f"no line began with {beginning!r}")


def test_a_dream_writes_the_picture_with_its_recipe_and_says_how_to_repeat_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["a bowl of cherries", "--seed", "7", "--steps", "2", "--out", "cherries.png"]) == 0
    assert files(folder) == ["cherries.png"], "nobody asked for a preview to stay"
    recipe = recipe_of((folder / "cherries.png").read_bytes())
    assert (recipe.prompt, recipe.seed, recipe.steps, recipe.model) == ("a bowl of cherries", 7, 2, TINY)
    said = capsys.readouterr()
    assert said.out.startswith("Picture: cherries.png\nScore:   ")
    assert said.out.endswith(f"'a bowl of cherries' --seed 7 --model {TINY} --steps 2 --out cherries.png\n")
    assert "step 2 of 2, score" in said.err
    assert "cherries.preview.jpg" in said.err


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(folder: Path) -> None:
    for name, seed in (("a", "7"), ("b", "7"), ("c", "8")):
        assert main(["a house", "--seed", seed, "--steps", "2", "--out", name, "--no-preview"]) == 0
    a, b, c = ((folder / f"{name}.png").read_bytes() for name in "abc")
    assert a == b
    assert a != c
    assert files(folder) == ["a.png", "b.png", "c.png"]


def test_without_a_name_the_words_and_a_random_seed_make_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert main(["a", "red", "heart", "--steps", "1", "--no-preview", "--quiet"]) == 0
    said = capsys.readouterr()
    names = files(folder)
    assert len(names) == 2
    for name in names:
        seed = recipe_of((folder / name).read_bytes()).seed
        assert name == f"dreams/a-red-heart-{seed}.png"
        assert f"--seed {seed} " in said.out
    assert said.err == ""


def test_a_picture_is_repeated_from_itself_byte_for_byte(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["una casa 🏠\nrossa", "--seed", "7", "--steps", "2", "--out", "a.png"]) == 0
    assert "--from a.png --out a.png\n" in capsys.readouterr().out  # a prompt of two lines is hard to type
    assert main(["--from", "a.png", "--out", "b.png"]) == 0
    assert (folder / "a.png").read_bytes() == (folder / "b.png").read_bytes()
    assert "The bytes are the same." in capsys.readouterr().err


def test_options_given_beside_a_picture_override_its_recipe(folder: Path) -> None:
    assert main(["a house", "--seed", "7", "--steps", "2", "--out", "a.png"]) == 0
    assert main(["--from", "a.png", "--seed", "8", "--out", "b.png"]) == 0
    assert main(["a tree", "--from", "a.png", "--steps", "1", "--out", "c.png"]) == 0
    b, c = (recipe_of((folder / name).read_bytes()) for name in ("b.png", "c.png"))
    assert (b.prompt, b.seed, b.steps) == ("a house", 8, 2)
    assert (c.prompt, c.seed, c.steps) == ("a tree", 7, 1)


def test_settings_are_read_from_the_file_in_the_working_directory(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DREAM_MODEL")
    (folder / ".env").write_text("DREAM_MODEL=biggan-deep-256\n")
    assert main(["a house"]) == 3
    assert "The model biggan-deep-256 could not be fetched" in capsys.readouterr().err
    assert main(["a house", "--model", TINY, "--steps", "1"]) == 0


def test_a_notice_of_the_engine_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cherries and " * 100, "--steps", "1"]) == 0
    assert "The prompt is long" in capsys.readouterr().err


def png_without_recipe(path: Path) -> None:
    Image.new("RGB", (8, 8)).save(path)


def png_with_recipe(path: Path, recipe: Recipe) -> None:
    import torch

    from engine.pictures.images import to_png

    path.write_bytes(to_png(torch.zeros(3, 8, 8), recipe))


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ([], 2, "Please say what to dream"),
        ([""], 2, "the prompt is empty"),
        ([" \t\n"], 2, "the prompt is empty"),
        (["\x1b\x07"], 2, "the prompt is empty"),
        (["x" * 2001], 2, "2001 characters"),
        (["x", "--seed", "-1"], 2, f"a whole number from 0 to {MAX_SEED}"),
        (["x", "--seed", str(MAX_SEED + 1)], 2, f"a whole number from 0 to {MAX_SEED}"),
        (["x", "--seed", "seven"], 2, "--seed is 'seven'"),
        (["x", "--seed", ""], 2, "--seed is empty"),
        (["x", "--seed"], 2, "expected one argument"),
        (["x", "--steps", "0"], 2, "from 1 to 5000"),
        (["x", "--steps", "5001"], 2, "from 1 to 5000"),
        (["x", "--preview-every", "-1"], 2, "from 0 to 3600"),
        (["x", "--preview-every", "nan"], 2, "from 0 to 3600"),
        (["x", "--model", "dall-e"], 2, "one of auto, pocket"),
        (["x", "--model", "biggan-deep-512"], 3, "config.json and pytorch_model.bin"),
        (["x", "--colour"], 2, "Unrecognized arguments: --colour"),
        (["x", "--out", "picture.gif"], 2, "must end in .png"),
        (["x", "--preview", "picture.png"], 2, "must end in .jpg or .jpeg"),
        (["x", "--out", "/dev/full.png/x.png"], 4, "/dev/full.png"),
        (["x", "--out", "."], 4, "is a folder"),
        (["x", "--out", "file/x.png"], 4, "file is a file, not a folder"),
        (["x", "--preview", "file/x.jpg"], 4, "file is a file, not a folder"),
        (["--from", "missing.png"], 2, "missing.png cannot be read: no such file or directory"),
        (["--from", "."], 2, "cannot be read: is a directory"),
        (["--from", "file"], 2, "not a PNG"),
        (["x", "--out", "x" * 300], 4, "name too long"),
        (["x", "--preview", "x" * 300], 4, "name too long"),
        (["x", "--timelapse", f"{'x' * 300}.webp"], 4, "name too long"),
        (["x", "--previews", "x" * 300], 4, "name too long"),
        (["x", "--out", f"{'x' * 300}/y"], 4, "name too long"),
        (["x", "--out", "a\0b"], 2, "null character"),
        (["x", "--previews", "a\0b"], 4, "a character that no name may have"),
        (["x", "--out", "loop/x.png"], 4, "loop"),
        (["x", "--timelapse", "-"], 2, "Only a picture goes to stdout"),
        (["x", "--seeds", "2", "--out", "-"], 2, "takes a single picture"),
        (["story", "x", "y", "--out", "-"], 2, "takes a single picture"),
        (["-cat"], 2, "dream -- -cat"),
        (["-hat"], 2, "dream -- -cat"),
        (["x", "--avoid", "-fog"], 2, "--avoid=-cat"),
        (["story", "-a", "-b"], 2, "dream -- -cat"),
        (["x", "--image", "pipe"], 2, "it is a pipe, not a file"),
        (["x", "--init", "pipe"], 2, "it is a pipe, not a file"),
        (["--from", "pipe"], 2, "it is a pipe, not a file"),
        (["resume", "pipe"], 2, "it is a pipe, not a file"),
        (["continue", "pipe"], 2, "it is a pipe, not a file"),
        (["vary", "/dev/zero"], 2, "it is a device, not a file"),
        (["blend", "socket", "pipe"], 2, "cannot be read"),
        (["models", "import", "pipe"], 2, "it is a pipe, not a file"),
        (["models", "import", "x" * 300], 2, "name too long"),
        (["x", "--image", "/dev/zero"], 2, "it is a device, not a file"),
        (["x", "--image", "/dev/null"], 2, "it is a device, not a file"),
        (["x", "--image", "."], 2, "is a directory"),
        (["x", "--image", "x" * 300], 2, "name too long"),
        (["x", "--image", "a\0b"], 2, "a character that no name may have"),
        (["--from", "huge.png"], 2, "is too large"),
        (["continue", "x" * 300], 2, "There is no file xxx"),
        (["--from", "plain.png"], 2, "carries no recipe"),
        (["--from", "cut.png"], 2, "not a PNG picture, or it is damaged"),
        (["--from", "evil.png"], 2, "a value that cannot be dreamt"),
        (["--from", "strange.png"], 2, "a value that cannot be dreamt"),
    ],
)
def test_bad_input_is_one_sentence_and_an_exit_code(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: Sequence[str], code: int, told: str
) -> None:
    (folder / "file").touch()
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
    with (folder / "huge.png").open("wb") as huge:
        huge.truncate(10**10)  # takes no room on the disk
    png_without_recipe(folder / "plain.png")
    (folder / "cut.png").write_bytes((folder / "plain.png").read_bytes()[:30])
    png_with_recipe(folder / "evil.png", Recipe("x", 7, 10**9, TINY, "", "", ""))
    png_with_recipe(folder / "strange.png", Recipe("x", 7, 1, "../../model", "", "", ""))
    before = files(folder)
    if "/dev/full.png" in told and os.geteuid() == 0:
        pytest.skip("root could make that folder")
    assert main(arguments) == code
    said = capsys.readouterr()
    assert said.out == ""
    *_, sentence = said.err.splitlines()
    assert sentence.startswith("dream: ")
    assert sentence.endswith(".")
    assert told in sentence
    assert "Traceback" not in said.err
    assert files(folder) == before


def test_a_bad_setting_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("DREAM_MODEL", "large")
    assert main(["x"]) == 2
    assert capsys.readouterr().err.startswith("dream: DREAM_MODEL is 'large'; it must be one of auto, pocket")


@pytest.mark.parametrize("damage", ["cut", "garbage", "empty"])
def test_a_damaged_model_file_is_named_in_one_sentence(
    tiny_models: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    damage: str,
) -> None:
    shutil.copytree(tiny_models / "models", folder / "data" / "models")
    weights = folder / "data" / "models" / TINY / "pytorch_model.bin"
    whole = weights.read_bytes()
    weights.write_bytes({"cut": whole[: len(whole) // 2], "garbage": os.urandom(5000), "empty": b""}[damage])
    monkeypatch.setenv("DATA_DIR", str(folder / "data"))
    assert main(["x", "--no-preview"]) == 3
    said = capsys.readouterr().err
    assert said.splitlines()[-1].startswith("dream: ")
    assert "pytorch_model.bin" in said
    assert "Traceback" not in said


def test_a_prompt_like_an_option_is_repeated_as_a_prompt() -> None:
    recipe = Recipe("--seed it", 7, 2, TINY, "", "", "")
    command = repeat_command(recipe, Path("x.png"), None)
    assert command.endswith(f" --seed 7 --model {TINY} --steps 2 --out x.png -- '--seed it'")
    given = parser().parse_intermixed_args(["--seed", "7", "--out", "x.png", "--", "--seed it"])
    assert (given.prompt, given.seed) == (["--seed it"], "7")


def test_help_explains_every_option_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    options = parser()._actions
    assert len(options) >= 11
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    for option in options:
        assert option.help
        assert not option.option_strings or option.option_strings[-1] in said
    for code in {0, 1, 130, *EXIT_CODES.values()}:
        assert f"\n  {code:<5}" in said
    for told in ("DREAM_MODEL", "DATA_DIR", str(MAX_SEED), "from 1 to 5000", "default: 2", "143"):
        assert told in said


def test_help_does_not_wait_for_torch() -> None:
    code = (
        "import sys\nfrom engine.__main__ import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print([name for name in ('torch', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_ctrl_c_keeps_the_best_picture_so_far(folder: Path) -> None:
    with start("a house", "--seed", "7", "--steps", "5000", "--out", "x.png") as dream:
        read_until(dream.stderr, "step ")
        dream.send_signal(signal.SIGINT)
        out, err = dream.communicate(timeout=LIMIT_S)
    assert dream.returncode == 130
    assert "Stopping after this step" in err
    assert "Traceback" not in err
    assert "stopped after" in out
    assert recipe_of((folder / "x.png").read_bytes()).prompt == "a house"
    assert files(folder) == ["x.png"]


@contextmanager
def once_there(path: Path, act: Callable[[], object]) -> Iterator[None]:
    """Do something from another thread as soon as the file is there."""

    def wait_and_act() -> None:
        wait_until(path.exists, LIMIT_S)
        act()

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    yield
    thread.join()


def test_terminate_keeps_the_best_picture_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with once_there(folder / "x.preview.jpg", lambda: os.kill(os.getpid(), signal.SIGTERM)):
        assert main(["a house", "--steps", "5000", "--out", "x.png"]) == 143
    assert "stopped after" in capsys.readouterr().out
    assert files(folder) == ["x.png"]


def test_what_was_stopped_can_be_repeated_from_its_picture(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with once_there(folder / "x.preview.jpg", lambda: os.kill(os.getpid(), signal.SIGTERM)):
        assert main(["a house", "--steps", "5000", "--out", "x.png"]) == 143
    assert main(["--from", "x.png", "--out", "y.png", "--no-preview"]) == 0
    assert "The bytes are the same." in capsys.readouterr().err


def test_a_second_signal_leaves_at_once_and_leaves_nothing_half(folder: Path) -> None:
    with start("a house", "--steps", "5000", "--out", "x.png", "--no-preview") as dream:
        read_until(dream.stderr, "step ")
        dream.send_signal(signal.SIGSTOP)  # so that both signals arrive in the same step
        dream.send_signal(signal.SIGINT)
        dream.send_signal(signal.SIGTERM)
        dream.send_signal(signal.SIGCONT)
        out, err = dream.communicate(timeout=LIMIT_S)
    assert dream.returncode in (130, 143)  # which comes second is the system's choice: threads share them
    assert "Left at once" in err
    assert "Traceback" not in err
    assert (out, files(folder)) == ("", [])


def test_a_signal_while_the_models_load_ends_it_with_nothing_to_keep(folder: Path) -> None:
    with start("a house", "--out", "x.png") as dream:
        read_until(dream.stderr, "Loading the models")
        dream.send_signal(signal.SIGINT)
        out, err = dream.communicate(timeout=LIMIT_S)
    assert dream.returncode == 130
    assert "Traceback" not in err
    if "there is no picture to keep" in err:
        assert (out, files(folder)) == ("", [])
    else:  # tiny models are loaded within milliseconds, and the search had begun
        assert "keeping the best picture" in err and files(folder) == ["x.png"]


def test_a_folder_that_vanishes_while_dreaming_costs_nothing_the_picture_is_kept_in_another(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def vanish() -> None:
        shutil.rmtree(folder / "a")
        os.kill(os.getpid(), signal.SIGTERM)

    with once_there(folder / "a" / "x.preview.jpg", vanish):
        assert main(["a house", "--seed", "7", "--steps", "5000", "--out", "a/x.png"]) == 4
    said = capsys.readouterr()
    assert said.out.startswith("Picture: x.png\n")
    assert said.err.endswith(
        "a/x.png cannot be written: no such file or directory. It is in x.png instead.\n"
    )
    assert recipe_of((folder / "x.png").read_bytes()).prompt == "a house"


def test_a_disk_without_room_is_told_before_anything_is_loaded(folder: Path) -> None:
    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    with start("a house", "--out", "x.png", preexec_fn=little_room) as dream:
        out, err = dream.communicate(timeout=LIMIT_S)
    assert dream.returncode == 4
    assert err == "dream: The file x.png cannot be written: file too large.\n"
    assert (out, files(folder)) == ("", [])


def test_a_full_stdout_does_not_lose_the_picture(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Path("/dev/full").open("w") as full, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", full)
        assert main(["a house", "--steps", "1", "--out", "x.png", "--no-preview", "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    assert files(folder) == ["x.png"]


def test_a_terminal_that_knows_only_ascii_can_dream_in_every_script(folder: Path) -> None:
    environ = os.environ | {
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONIOENCODING": "ascii",
    }
    prompt = "caffè 🍒 桜"
    with start(prompt.encode(), "--steps", "1", "--seed", "7", env=environ) as dream:
        out, err = dream.communicate(timeout=LIMIT_S)
    assert dream.returncode == 0, err
    assert recipe_of((folder / "dreams" / "caffe-cherries-7.png").read_bytes()).prompt == prompt
    # What this terminal cannot show cannot be typed either.
    assert "--from dreams/caffe-cherries-7.png" in out


def test_a_terminal_sees_a_bar_even_if_it_does_not_know_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        assert os.get_terminal_size(theirs) == (0, 0)
        assert main(["a house", "--steps", "3", "--no-preview"]) == 0
        terminal.flush()
        shown = os.read(ours, 64 * 1024).decode()
        monkeypatch.undo()
    os.close(ours)
    assert "100%|" in shown
    assert "step 3/3, score " in shown


def test_the_printed_command_repeats_the_picture(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['it\'s a "house" & $HOME', "--seed", "7", "--steps", "2", "--out", "x.png"]) == 0
    command = capsys.readouterr().out.splitlines()[-1].removeprefix("Repeat:  ")
    first = (folder / "x.png").read_bytes()
    (folder / "x.png").unlink()
    words = subprocess.run(
        f"for word in {command}; do printf '%s\\0' \"$word\"; done",
        shell=True,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")  # as a shell reads it
    assert main(words[words.index('it\'s a "house" & $HOME') : -1]) == 0
    assert (folder / "x.png").read_bytes() == first


def test_warnings_of_libraries_do_not_reach_the_user(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["a house", "--steps", "1", "--quiet"]) == 0
    warnings.warn("for programmers", FutureWarning, stacklevel=1)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--", "-x"], ["-x"]),
        (["--", "--help"], ["--help"]),
        (["--seed", "5", "--", "--seed=6"], ["--seed=6"]),
        (["a", "--", "-b", "--", "c"], ["a", "-b", "--", "c"]),
        (["--", ""], [""]),
    ],
)
def test_behind_two_hyphens_all_is_words(arguments: list[str], words: list[str]) -> None:
    assert parser().parse_intermixed_args(arguments).prompt == words


@pytest.mark.parametrize(
    "ending",
    [
        "2>&1 | head -1",
        "2>&1 | true",
        "2>/dev/full >/dev/full",
        ">&-",
        "2>&-",
        "<&- >&- 2>&-",
        "2>&1 >/dev/null | head -c 5",
    ],
)
def test_what_nobody_reads_costs_nothing(folder: Path, ending: str) -> None:
    dream = f"{sys.executable} -m engine 'a house' --seed 7 --steps 2 --out x.png"
    shell = f"{{ {dream}; echo $? > code; }} {ending}"
    subprocess.run(["bash", "-c", shell], timeout=LIMIT_S, capture_output=True)
    assert (folder / "code").read_text() == "0\n"
    assert recipe_of((folder / "x.png").read_bytes()).prompt == "a house"
    assert files(folder) == ["code", "x.png"]


@pytest.mark.parametrize("command", [["models"], ["presets", "--model", TINY], ["--help"]])
def test_commands_that_only_speak_end_well_when_nobody_listens(folder: Path, command: list[str]) -> None:
    shell = f"{{ {sys.executable} -m engine {' '.join(command)}; echo $? > code; }} >&- 2>/dev/full"
    subprocess.run(["bash", "-c", shell], timeout=LIMIT_S)
    assert (folder / "code").read_text() == "0\n"


def test_a_picture_goes_to_stdout_alone(folder: Path) -> None:
    wish = ["a house", "--seed", "7", "--steps", "2"]
    with start(*wish, "--out", "-", text=False) as dream:
        out, err = dream.communicate(timeout=LIMIT_S)
    assert dream.returncode == 0
    assert files(folder) == []
    assert recipe_of(out).prompt == "a house"
    assert b"Picture: stdout\n" in err and b"Score: " in err and b"--out -\n" in err
    assert main([*wish, "--out", "x.png", "--quiet"]) == 0
    assert (folder / "x.png").read_bytes() == out


def test_a_picture_that_stdout_does_not_take_is_kept_in_a_file(folder: Path) -> None:
    with (
        Path("/dev/full").open("w") as full,
        start("a house", "--seed", "7", "--steps", "1", "--out", "-", "--quiet", stdout=full) as dream,
    ):
        _, err = dream.communicate(timeout=LIMIT_S)
    assert dream.returncode == 4
    assert "cannot be written to stdout: no space left on device. It is in a-house-7.png instead." in err
    assert recipe_of((folder / "a-house-7.png").read_bytes()).prompt == "a house"


def test_a_terminal_gets_no_picture(folder: Path) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal, start("a house", "--out", "-", stdout=terminal) as dream:
        _, err = dream.communicate(timeout=LIMIT_S)
    os.close(ours)
    assert dream.returncode == 2
    assert "A picture is nothing for a terminal" in err


def test_a_terminal_that_is_closed_costs_no_picture(folder: Path) -> None:
    def hang_up() -> None:
        for number in (signal.SIGHUP, signal.SIGHUP, signal.SIGTERM):  # as a shell and a session send them
            os.kill(os.getpid(), number)

    with once_there(folder / "x.preview.jpg", hang_up):
        assert main(["a house", "--steps", "5000", "--out", "x.png"]) == 129
    assert files(folder) == ["x.png"]


def test_a_dream_goes_on_under_nohup(folder: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with once_there(folder / "x.preview.jpg", lambda: os.kill(os.getpid(), signal.SIGHUP)):
            assert main(["a house", "--steps", "60", "--preview-every", "0", "--out", "x.png"]) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_previews_that_were_asked_for_stay_and_others_do_not_touch_a_users_file(folder: Path) -> None:
    (folder / "x.preview.jpg").write_text("mine")
    assert main(["a house", "--steps", "2", "--out", "x.png"]) == 0
    assert (folder / "x.preview.jpg").read_text() == "mine"
    assert files(folder) == ["x.png", "x.preview.jpg"]
    assert main(["a house", "--steps", "2", "--out", "x.png", "--preview", "p", "--previews", "all"]) == 0
    assert {"p.jpg", "x.png", "x.preview.jpg"} < set(files(folder))
    assert any(name.startswith("all/x-") for name in files(folder))


@pytest.mark.parametrize("wish", [["a house", "--seeds", "2"], ["story", "a seed", "a tree"]])
def test_several_dreams_leave_no_preview(folder: Path, wish: list[str]) -> None:
    assert main([*wish, "--steps", "1", "--out", "x.png"]) == 0
    assert not [name for name in files(folder) if not name.endswith(".png")]


@pytest.mark.parametrize(("columns", "shown"), [(20, "100% 3/3"), (100, "step 3/3, score ")])
def test_a_bar_keeps_to_its_line(monkeypatch: pytest.MonkeyPatch, columns: int, shown: str) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        assert main(["a house", "--steps", "3", "--no-preview"]) == 0
        terminal.flush()
        drawn = os.read(ours, 64 * 1024).decode()
        monkeypatch.undo()
    os.close(ours)
    assert shown in drawn
    bars = [part for part in re.split(r"[\r\n]+", drawn) if "%" in part]
    assert bars and all(len(bar) <= columns for bar in bars)


def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("TERM", "dumb")
        assert main(["a house", "--steps", "3", "--no-preview"]) == 0
        terminal.flush()
        shown = os.read(ours, 64 * 1024).decode()
        monkeypatch.undo()
    os.close(ours)
    assert "step 3 of 3, score " in shown and "%" not in shown and "\x1b" not in shown


def test_too_little_memory_is_told_before_anything_is_loaded(folder: Path) -> None:
    def little() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (600 * 2**20, 600 * 2**20))

    with start("a house", "--quiet", preexec_fn=little) as dream:
        out, err = dream.communicate(timeout=LIMIT_S)
    assert dream.returncode == 5
    assert (out, files(folder)) == ("", [])
    assert err.startswith("dream: A dream needs about 1.5 GB of address space") and err.count("\n") == 1


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs util-linux")
def test_a_number_without_a_name_or_a_home_can_dream(folder: Path) -> None:
    somebody = ["unshare", "--user", "--map-user=54321", "--map-group=54321"]
    if subprocess.run([*somebody, "true"], capture_output=True).returncode:
        pytest.skip("this system allows no user namespaces")
    environ = {name: value for name, value in os.environ.items() if name not in ("HOME", "USER", "LOGNAME")}
    dream = [sys.executable, "-m", "engine", "a house", "--seed", "7", "--steps", "1", "--out", "x.png"]
    ran = subprocess.run([*somebody, *dream, "--quiet"], env=environ, capture_output=True, timeout=LIMIT_S)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert files(folder) == ["x.png"]


def test_a_film_that_fails_is_told_and_the_picture_is_kept(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails(*_: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr("engine.pictures.timelapse.encode", fails)
    wish = ["a cat", "--seed", "1", "--steps", "1", "--out", "cat.png", "--timelapse", "cat.webp", "--quiet"]
    assert main(wish) == EXIT_FAULT
    said = capsys.readouterr()
    assert "Picture: cat.png" in said.out and files(folder) == ["cat.png"]
    assert "There is not enough memory for this dream." in caplog.text
    assert "The film could not be made" in said.err
