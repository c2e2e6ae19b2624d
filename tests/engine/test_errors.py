"""What a user is told about an error."""

import errno

import pytest
import torch

from engine import errors
from engine.errors import APOLOGY, DreamError, FailureKind, sentence_for


def subclasses(kind: type[DreamError]) -> set[type[DreamError]]:
    """Itself and what comes from it; without those that are made of something else than a sentence."""
    own = {kind} if kind.__init__ is DreamError.__init__ else set()
    return own.union(*(subclasses(sub) for sub in kind.__subclasses__()))


@pytest.mark.parametrize("kind", sorted(subclasses(DreamError), key=lambda kind: kind.__name__))
def test_the_docstring_of_an_error_is_its_sentence(kind: type[DreamError]) -> None:
    sentence = str(kind())
    assert kind.__doc__ is not None
    assert sentence == kind.__doc__.strip().split("\n")[0]
    assert sentence.endswith(".")


def test_an_error_can_be_given_a_sentence_with_facts() -> None:
    assert sentence_for(errors.ModelError("The file x is damaged.")) == (
        FailureKind.MODEL,
        "The file x is damaged.",
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
    assert sentence_for(error)[0] is kind


def test_the_sentence_of_an_unexpected_error_gives_nothing_away() -> None:
    assert sentence_for(ValueError("/home/me/secret")) == (FailureKind.INTERNAL, APOLOGY)


def test_torch_says_that_memory_ran_out_in_words_that_are_known() -> None:
    """The real thing: more memory than any machine has."""
    with pytest.raises((RuntimeError, MemoryError)) as error:
        torch.empty(2**60, dtype=torch.uint8)
    assert sentence_for(error.value)[0] is FailureKind.MEMORY
