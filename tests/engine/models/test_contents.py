"""What a file is, told by its content."""

import io
import json
import pickle
import struct
from pathlib import Path

import pytest
import safetensors.torch
import torch

from engine.errors import ModelError
from engine.models import contents

TENSORS = {"a": torch.zeros(5, 3), "b": torch.zeros(2, dtype=torch.float16)}
SAFE = safetensors.torch.save(TENSORS)


def pytorch(*, is_zip: bool) -> bytes:
    """The tensors as torch itself writes them."""
    file = io.BytesIO()
    torch.save(TENSORS, file, _use_new_zipfile_serialization=is_zip)
    return file.getvalue()


def header(text: str, tensors: bytes = b"") -> bytes:
    """A safetensors file with this header."""
    return struct.pack("<Q", len(text)) + text.encode() + tensors


def spread(*offsets: int) -> str:
    return json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": offsets}})


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("model.safetensors", SAFE),
        ("model.safetensors", header(spread(0, 8), bytes(8))),
        ("pytorch_model.bin", pytorch(is_zip=True)),
        ("pytorch_model.bin", pytorch(is_zip=False)),
        ("config.json", b'{"model_type": "clip", "vision_config": {}}'),
        ("vocab.json", b'{"a": 0, "<|startoftext|>": 1, "<|endoftext|>": 2}'),
        ("merges.txt", b"#version: 0.2\ni n\r\nt h</w>\n\n"),
        ("merges.txt", b"#version: 0.2"),
        ("tokenizer_config.json", b'{"unk_token": {"content": "<|endoftext|>"}}'),
        ("README.md", b"anything"),
    ],
)
def test_what_a_name_promises_passes(name: str, data: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    assert contents.objection(tmp_path / name, ("model_type",)) == ""
    contents.check(tmp_path)


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        *((name, b"", "is empty") for name in ("config.json", "model.safetensors", "merges.txt")),
        *(
            (name, page, "is a web page")
            for name in ("model.safetensors", "pytorch_model.bin", "vocab.json", "merges.txt", "README.md")
            for page in (b" \r\n<!DOCTYPE html>", b"\xef\xbb\xbf<HTML lang=en>", b"<?xml version='1.0'?><E/>")
        ),
        ("model.safetensors", b"version https://git-lfs.github.com/spec/v1\n", "is a pointer of Git LFS"),
        ("pytorch_model.bin", b"\x1f\x8b\x08\x00 and so on", "is a compressed file"),
        ("model.safetensors", b"Please log in", "is not a safetensors file"),
        ("model.safetensors", SAFE[:-1], "is cut off"),
        ("model.safetensors", SAFE[: len(SAFE) // 2], "is not a safetensors file"),
        ("model.safetensors", SAFE + b"\0", "is cut off or has been added to"),
        ("model.safetensors", header("{}"), "holds no tensors"),
        ("model.safetensors", header("[1, 2]"), "is not a safetensors file"),
        ("model.safetensors", header("{" * 9000), "is not a safetensors file"),
        ("model.safetensors", struct.pack("<Q", 2**63) + bytes(99), "is not a safetensors file"),
        ("model.safetensors", header(spread(0, 8), bytes(9)), "is cut off or has been added to"),
        ("model.safetensors", header(spread(4, 12), bytes(12)), "is not a safetensors file"),
        ("model.safetensors", header(spread(0, 9), bytes(9)), "is not a safetensors file"),
        ("model.safetensors", pytorch(is_zip=True), "is not a safetensors file"),
        ("pytorch_model.bin", SAFE, "is not a PyTorch file"),
        ("pytorch_model.bin", pickle.dumps({"a": 1}), "is not a PyTorch file"),
        ("pytorch_model.bin", b"Please log in", "is not a PyTorch file"),
        ("pytorch_model.bin", pytorch(is_zip=True)[:-100], "is cut off or damaged"),
        ("pytorch_model.bin", b"PK\x03\x04 and no more", "is cut off or damaged"),
        ("config.json", b"{", "is not JSON"),
        ("config.json", b"\xff\xfe{", "is not JSON"),
        ("config.json", b"[" * 100_000, "is not JSON"),
        ("config.json", b'"clip"', "does not hold an object"),
        ("config.json", b'{"error": "no"}', "lacks model_type"),
        ("config.json", b'{"a": "' + b" " * contents.MAX_CONFIG + b'"}', "is not JSON"),
        ("vocab.json", b'{"error": "no"}', "is not CLIP's vocabulary"),
        ("vocab.json", b'{"<|startoftext|>": 0, "<|endoftext|>": 0}', "is not CLIP's vocabulary"),
        ("vocab.json", b'{"<|startoftext|>": [], "<|endoftext|>": 1}', "is not CLIP's vocabulary"),
        ("merges.txt", b"Not Found", "is not a tokenizer's list of merges"),
        ("merges.txt", b"#version: 0.2\nPlease log in", "is not a tokenizer's list of merges"),
        ("merges.txt", b"\xff\xfe", "is not a text"),
        ("tokenizer_config.json", b'{"error": "no"}', "is not a tokenizer's configuration"),
    ],
)  # fmt: skip
def test_what_is_another_thing_is_named(name: str, data: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    assert told in contents.objection(tmp_path / name, ("model_type",))
    assert told in contents.objection((tmp_path / name).rename(tmp_path / "x.part"), ("model_type",), name)


def test_a_wrong_file_in_a_model_s_folder_is_named_with_what_to_do(tmp_path: Path) -> None:
    for folder, way in (
        ("clip-vit-base-patch32", "dream models fetch ViT-B/32"),
        ("mine", "please fetch it"),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "merges.txt").write_text("<html>")
        with pytest.raises(ModelError, match=rf"{folder}/merges\.txt is a web page; {way}"):
            contents.check(tmp_path / folder)


def test_weights_are_known_whatever_their_name(tmp_path: Path) -> None:
    for data, name in (
        (SAFE, contents.SAFETENSORS),
        (pytorch(is_zip=True), contents.PYTORCH),
        (pytorch(is_zip=False), contents.PYTORCH),
    ):
        (tmp_path / "own.pt").write_bytes(data)
        assert contents.kind_of_weights(tmp_path / "own.pt") == name
