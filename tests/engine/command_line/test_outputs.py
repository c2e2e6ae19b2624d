"""Where the command line's pictures go."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.command_line.outputs import (
    MAX_SLUG,
    Output,
    check,
    slug_of,
    write,
)
from engine.errors import DiskError


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """The kernel refuses to let a file grow beyond this size, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("prompt", "slug"),
    [
        ("a bowl of cherries", "a-bowl-of-cherries"),
        ("Perché NO?  caffè!", "perche-no-caffe"),
        ("../../etc/passwd", "etc-passwd"),
        ("C:\\dreams\\..\\x", "c-dreams-x"),
        ("..", "dream"),
        (" .hidden", "hidden"),
        ("桜", "dream"),
        ("שלום", "dream"),
        ("--out", "out"),
        ("a\nb\0c\x1b[31m", "a-b-c-31m"),
    ],
)
def test_a_prompt_becomes_a_harmless_file_name(prompt: str, slug: str) -> None:
    assert slug_of(prompt) == slug


def test_a_long_prompt_becomes_a_short_name() -> None:
    name = slug_of("cherries and " * 200)
    assert len(name) <= MAX_SLUG
    assert name[0].isalnum()
    assert name[-1].isalnum()


def test_a_picture_without_a_name_never_takes_the_place_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    output = Output.by_default("a bowl of cherries", 7)
    check({output.path: 1000})
    saved = [output.save(picture) for picture in (b"one", b"two", b"one", b"two", b"three")]
    assert [path.name for path in saved] == [
        "a-bowl-of-cherries-7.png",
        "a-bowl-of-cherries-7-2.png",
        "a-bowl-of-cherries-7.png",
        "a-bowl-of-cherries-7-2.png",
        "a-bowl-of-cherries-7-3.png",
    ]
    assert [path.read_bytes() for path in saved] == [b"one", b"two", b"one", b"two", b"three"]
    assert len(files(tmp_path / "dreams")) == 3


def test_a_picture_that_was_given_a_name_replaces_what_stood_there(tmp_path: Path) -> None:
    output = Output(tmp_path / "x.png", named=True)
    for picture in (b"one", b"two"):
        assert output.save(picture) == tmp_path / "x.png"
    assert (tmp_path / "x.png").read_bytes() == b"two"
    assert files(tmp_path) == ["x.png"]


def test_a_link_stays_a_link_and_its_target_gets_the_picture(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link.png").symlink_to(tmp_path / "real" / "x.png")
    write(tmp_path / "link.png", b"picture")
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "real" / "x.png").read_bytes() == b"picture"


def test_a_file_may_be_read_by_whom_the_umask_allows(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write(tmp_path / "x.png", b"picture")
    finally:
        os.umask(before)
    assert (tmp_path / "x.png").stat().st_mode & 0o777 == 0o644


def test_the_check_makes_the_folders_and_leaves_no_file(tmp_path: Path) -> None:
    check({tmp_path / "a" / "b" / "x.png": 5000})
    assert files(tmp_path / "a" / "b") == []


def test_places_that_can_hold_no_picture_are_told_before_the_dream(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe.png")
    for path, told in (
        (tmp_path, "is a folder"),
        (tmp_path / "pipe.png", "is not an ordinary file"),
        (Path("/dev/full"), "is not an ordinary file"),
        (tmp_path / "file" / "x.png", "is a file, not a folder"),
        (tmp_path / "file" / "below" / "x.png", "not a directory"),
        (tmp_path / ("x" * 300 + ".png"), "name too long"),
    ):
        with pytest.raises(DiskError, match=told) as error:
            check({path: 1000})
        assert str(error.value).endswith(".")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_or_file_without_permission_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.png").touch(0o444)
    with pytest.raises(DiskError, match="protected"):
        check({tmp_path / "x.png": 5000})
    tmp_path.chmod(0o555)
    with pytest.raises(DiskError, match="ermission denied"):
        check({tmp_path / "y.png": 5000})
    tmp_path.chmod(0o755)


def test_a_disk_without_room_is_told_and_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"old")
    output = Output.by_default("x", 7)
    with no_file_beyond(1000):
        with pytest.raises(DiskError, match="file too large"):
            check({tmp_path / "x.png": 5000})
        with pytest.raises(DiskError, match="file too large"):
            write(tmp_path / "x.png", bytes(5000))
        with pytest.raises(DiskError, match="file too large"):
            Output(tmp_path / output.path.name, named=False).save(bytes(5000))
    assert (tmp_path / "x.png").read_bytes() == b"old"
    assert files(tmp_path) == ["x.png"]
