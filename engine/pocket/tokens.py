"""CLIP's vocabulary cut to its first merges, as a folder that transformers' `CLIPTokenizer` loads."""

import gzip
import json
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE

from engine.errors import ModelError

MERGES = 8192
START, END = "<|startoftext|>", "<|endoftext|>"


def write_tokenizer(vocabulary: Path, folder: Path, max_tokens: int) -> None:
    """From CLIP's `bpe_simple_vocab_16e6.txt.gz` to vocab.json, merges.txt and tokenizer_config.json."""
    lines = gzip.decompress(vocabulary.read_bytes()).decode("utf-8").split("\n")
    merges = lines[1 : 1 + MERGES]
    units = list(_byte_units())
    words = units + [unit + "</w>" for unit in units] + ["".join(m.split()) for m in merges] + [START, END]
    folder.mkdir(parents=True, exist_ok=True)
    vocab = {word: index for index, word in enumerate(words)}
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")
    config = {
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": max_tokens,
        "bos_token": START,
        "eos_token": END,
        "unk_token": END,
        "pad_token": END,
        "do_lower_case": True,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def load_tokenizer(folder: Path) -> Any:
    """transformers' tokenizer of a perceptor's folder."""
    from transformers import CLIPTokenizer

    return CLIPTokenizer.from_pretrained(folder, local_files_only=True)


def read_tokenizer(folder: Path) -> Tokenizer:
    """The same tokenizer without transformers, whose import takes longer than loading all of the models.

    Made of vocab.json and merges.txt as transformers' `CLIPTokenizer` makes it. Raises `ModelError`.
    """
    try:
        pieces = BPE.from_file(
            str(folder / "vocab.json"), str(folder / "merges.txt"), unk_token=END, end_of_word_suffix="</w>"
        )
        tokenizer = Tokenizer(pieces)
        start, end = (tokenizer.token_to_id(token) for token in (START, END))
        if start is None or end is None:
            raise ValueError("no start or no end")
    except Exception as error:  # the library raises bare Exception for damaged files
        raise ModelError(f"The tokenizer in {folder} is missing or damaged; please fetch it anew.") from error
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    words = Regex(
        r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(words, "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.post_processor = processors.RobertaProcessing((END, end), (START, start), False, False)
    tokenizer.add_special_tokens([START, END])
    return tokenizer


def _byte_units() -> list[str]:
    """The 256 printable stand-ins for bytes, in CLIP's order (openai/CLIP, simple_tokenizer.py, MIT)."""
    printable = [
        *range(ord("!"), ord("~") + 1),
        *range(ord("¡"), ord("¬") + 1),
        *range(ord("®"), ord("ÿ") + 1),
    ]
    others = [b for b in range(256) if b not in printable]
    return [chr(b) for b in printable] + [chr(256 + n) for n in range(len(others))]
