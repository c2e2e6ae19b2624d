"""Everything that can go wrong in a dream and is expected: the docstring of an error is its sentence.

A plain `raise EmptyPrompt` shows the docstring; a sentence that needs facts is given in the call.
"""

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
