"""Whether a finished dream shows its words, as its score tells. Loads no library."""

from engine.models.registry import expected
from engine.words import mixtures


def is_weak(model: str, score: float, words: str) -> bool:
    """Whether a dream with this score hardly shows its words; never where the model was not measured."""
    record = expected(model)
    return score < (record.weak_mixture_below if mixtures.read(words) else record.weak_below)
