"""Everything that can go wrong in a dream and is expected: an error is a kind, a key and the key's facts.

A plain `raise OutOfMemory` says its kind's sentence; `raise BadRequest(Key.SEED_IS, seed=-1, most=9)` one of
its own. The sentences stand in `engine.sentences`.
"""

import errno
from enum import StrEnum

from engine.sentences import Fact, Key, Saying


class FailureKind(StrEnum):
    """Why a dream ended without a picture; the value travels over the engine's pipe and into the store."""

    BAD_REQUEST = (
        "bad_request"  # the prompt, seed or steps cannot be dreamt; asking again as it is won't help
    )
    MODEL = "model"  # a model file is missing, damaged or of another architecture
    DISK = "disk"  # the disk is full or not writable
    MEMORY = "memory"  # the machine's or the GPU's memory ran out
    CRASH = "crash"  # the engine process died
    HANG = "hang"  # the engine process gave no sign of life within its time limit
    LOST = "lost"  # the machine that dreamt it is gone, or the way to it: no fault of the dream's
    STOPPED = "stopped"  # asked to stop before its first step: there is no picture to keep
    COLLAPSE = "collapse"  # the numbers ran away before the first picture
    INTERNAL = "internal"  # a fault of ours; the log has the traceback


class DreamError(Exception):
    """Something went wrong with this dream: `said` tells a person what; its `str` is that in English."""

    kind = FailureKind.INTERNAL

    def __init__(self, said: Key | Saying | str | None = None, **facts: Fact) -> None:
        """`said`: a key, with its facts; a text is for who needs English only; None: its kind's sentence."""
        if isinstance(said, Key) or said is None:
            said = Saying.of(said or Key[self.kind.name], **facts)
        self.said = Saying.plain(said) if isinstance(said, str) else said
        super().__init__(str(self.said))


class BadRequest(DreamError):
    """This dream cannot be dreamt as asked."""

    kind = FailureKind.BAD_REQUEST


class EmptyPrompt(BadRequest):
    """The prompt has no words."""

    def __init__(self) -> None:
        super().__init__(Key.EMPTY_PROMPT)


class BadSetting(ValueError):
    """A setting has a value that does not fit: the sentence names its key and the allowed range."""


class ModelError(DreamError):
    """A model file is missing, damaged or of another architecture; it names files, and is English."""

    kind = FailureKind.MODEL


class DiskError(DreamError):
    """The disk is full or cannot be written."""

    kind = FailureKind.DISK


class OutOfMemory(DreamError):
    """There is not enough memory for this dream."""

    kind = FailureKind.MEMORY


class EngineCrash(DreamError):
    """The engine process died; people read one sentence for all of these."""

    kind = FailureKind.CRASH


class EngineUnable(DreamError):
    """The engine process could not start."""

    def __init__(self, kind: FailureKind, said: Saying) -> None:
        """`kind` and `said` are what it said of itself."""
        super().__init__(said)
        self.kind = kind


class EngineHang(DreamError):
    """The engine process gave no sign of life; people read one sentence for all of these."""

    kind = FailureKind.HANG


class EngineLost(DreamError):
    """The machine that dreamt it is gone, or the way to it."""

    kind = FailureKind.LOST


class StoppedEarly(DreamError):
    """This dream was stopped before there was a picture to keep."""

    kind = FailureKind.STOPPED


class Collapsed(DreamError):
    """The numbers of this dream ran away before it had a picture."""

    kind = FailureKind.COLLAPSE


def explained(error: BaseException) -> tuple[FailureKind, Saying]:
    """What to tell the user about an error that a dream raised: its kind and one sentence.

    Knows `DreamError`, the ways in which Python and torch say that memory ran out, and a full disk; all
    else is a fault of ours. Imports no torch: its errors are known by their name and words.
    """
    if isinstance(error, DreamError):
        return error.kind, error.said
    kind = FailureKind.INTERNAL
    if is_out_of_memory(error):
        kind = FailureKind.MEMORY
    elif isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        kind = FailureKind.DISK
    return kind, Saying.of(Key[kind.name])


def is_out_of_memory(error: BaseException) -> bool:
    """Whether this is one of the ways in which Python and torch say that memory ran out."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's, for CUDA
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    # torch's, for CPU and MPS; the loader's, for a library that finds no room (glibc's dl-load.c)
    words = ("can't allocate memory", "not enough memory", "out of memory")
    loading = ("failed to map segment", "cannot allocate memory")
    known = words if isinstance(error, RuntimeError) else loading if isinstance(error, ImportError) else ()
    return any(word in str(error).lower() for word in known)
