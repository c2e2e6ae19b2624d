"""What a user is told about an error."""

import errno

import pytest
import torch

from engine import errors
from engine.errors import DreamError, FailureKind, explained
from engine.sentences import Key, Saying


@pytest.mark.parametrize("kind", FailureKind)
def test_every_kind_has_a_sentence(kind: FailureKind) -> None:
    assert Key[kind.name].value.endswith(".")


@pytest.mark.parametrize(
    "error",
    [
        errors.BadRequest,
        errors.ModelError,
        errors.DiskError,
        errors.OutOfMemory,
        errors.EngineCrash,
        errors.EngineHang,
        errors.StoppedEarly,
        errors.Collapsed,
    ],
)
def test_an_error_that_is_told_nothing_says_its_kind_s_sentence(error: type[DreamError]) -> None:
    assert error().said == Saying.of(Key[error.kind.name]) and str(error()) == Key[error.kind.name].value


def test_an_error_has_a_key_and_facts_and_is_english_by_itself() -> None:
    error = errors.BadRequest(Key.SEED_IS, seed=-1, most=9)
    assert str(error) == "The seed is -1; it must be a whole number from 0 to 9."
    assert explained(error) == (FailureKind.BAD_REQUEST, Saying.of(Key.SEED_IS, seed=-1, most=9))
    assert str(errors.EmptyPrompt()) == "Please say what to dream: the prompt is empty."


def test_an_error_about_files_can_be_given_a_sentence() -> None:
    assert explained(errors.ModelError("The file x is damaged.")) == (
        FailureKind.MODEL,
        Saying.plain("The file x is damaged."),
    )


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), FailureKind.MEMORY),
        (torch.OutOfMemoryError("CUDA out of memory."), FailureKind.MEMORY),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), FailureKind.MEMORY),
        (ImportError("libtorch_cpu.so: failed to map segment from shared object"), FailureKind.MEMORY),
        (ImportError("libtorch_cpu.so: cannot open shared object file"), FailureKind.INTERNAL),
        (OSError(errno.ENOSPC, "No space left on device"), FailureKind.DISK),
        (OSError(errno.ENOENT, "No such file or directory"), FailureKind.INTERNAL),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), FailureKind.INTERNAL),
        (ZeroDivisionError(), FailureKind.INTERNAL),
    ],
)
def test_errors_of_python_and_torch_are_sorted(error: Exception, kind: FailureKind) -> None:
    assert explained(error)[0] is kind


def test_the_sentence_of_an_unexpected_error_gives_nothing_away() -> None:
    assert explained(ValueError("/home/me/secret")) == (FailureKind.INTERNAL, Saying.of(Key.INTERNAL))


def test_torch_says_that_memory_ran_out_in_words_that_are_known() -> None:
    """The real thing: more memory than any machine has."""
    with pytest.raises((RuntimeError, MemoryError)) as error:
        torch.empty(2**60, dtype=torch.uint8)
    assert explained(error.value)[0] is FailureKind.MEMORY
