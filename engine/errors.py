"""Everything that can go wrong in a dream and is expected: the docstring of an error is its sentence.

A plain `raise EmptyPrompt` shows the docstring; a sentence that needs facts is given in the call.
"""

import errno
from enum import StrEnum


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
    STOPPED = "stopped"  # asked to stop before its first step: there is no picture to keep
    COLLAPSE = "collapse"  # the numbers ran away before the first picture
    INTERNAL = "internal"  # a fault of ours; the log has the traceback


class DreamError(Exception):
    """Something went wrong with this dream."""

    kind = FailureKind.INTERNAL

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence or (type(self).__doc__ or "").strip().split("\n")[0])


class BadRequest(DreamError):
    """This dream cannot be dreamt as asked."""

    kind = FailureKind.BAD_REQUEST


class EmptyPrompt(BadRequest):
    """Please say what to dream: the prompt is empty."""


class BadSetting(ValueError):
    """A setting has a value that does not fit: the sentence names its key and the allowed range."""


class ModelError(DreamError):
    """A model file is missing, damaged or of another architecture."""

    kind = FailureKind.MODEL


class DiskError(DreamError):
    """The disk is full or cannot be written."""

    kind = FailureKind.DISK


class OutOfMemory(DreamError):
    """There is not enough memory for this dream."""

    kind = FailureKind.MEMORY


class EngineCrash(DreamError):
    """The dream engine stopped unexpectedly."""

    kind = FailureKind.CRASH


class EngineUnable(DreamError):
    """The dream engine could not start."""

    def __init__(self, kind: FailureKind, sentence: str) -> None:
        """`kind` and `sentence` are what it said of itself."""
        super().__init__(sentence)
        self.kind = kind


class EngineHang(DreamError):
    """The dream engine gave no sign of life."""

    kind = FailureKind.HANG


class StoppedEarly(DreamError):
    """This dream was stopped before there was a picture to keep."""

    kind = FailureKind.STOPPED


APOLOGY = "Sorry, something went wrong inside the dream engine; the fault is ours and has been logged."


def sentence_for(error: BaseException) -> tuple[FailureKind, str]:
    """What to tell the user about an error that a dream raised: its kind and one sentence.

    Knows `DreamError`, the ways in which Python and torch say that memory ran out, and a full disk; all
    else is a fault of ours. Imports no torch: its errors are known by their name and words.
    """
    if isinstance(error, DreamError):
        return error.kind, str(error)
    if is_out_of_memory(error):
        return FailureKind.MEMORY, str(OutOfMemory())
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        return FailureKind.DISK, str(DiskError())
    return FailureKind.INTERNAL, APOLOGY


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
