"""Whatever a user names as a file to be read."""

import os
from pathlib import Path

import pytest

from engine import given_file
from engine.errors import BadRequest


def test_an_ordinary_file_is_read_whole_up_to_its_limit(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("x")
    assert given_file.read(tmp_path / "link", "picture", 5) == b"12345"
    with pytest.raises(BadRequest, match=r"The picture .*x is too large; the limit is 0 KB"):
        given_file.read(tmp_path / "x", "picture", 4)


def test_what_is_no_ordinary_file_is_told_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").touch()
    for name, told in (
        ("pipe", "it is a pipe, not a file"),
        ("/dev/zero", "it is a device, not a file"),
        (".", "is a directory"),
        ("loop", "too many levels of symbolic links"),
        ("missing", "no such file or directory"),
        ("file/below", "not a directory"),
        ("x" * 5000, "file name too long"),
        ("a\0b", "its name has a character that no name may have"),
    ):
        with pytest.raises(BadRequest, match=rf"cannot be read: {told}\.$") as error:
            given_file.read(tmp_path / name, "picture", 1000)
        assert len(str(error.value)) < 400
        with pytest.raises(BadRequest, match="cannot be read"):
            given_file.check(tmp_path / name, "model")
    given_file.check(tmp_path, "model", folder=True)
