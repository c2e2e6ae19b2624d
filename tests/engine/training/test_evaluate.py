"""What the evaluation of the perceptor tells without pictures."""

from pathlib import Path

import pytest

from engine.models import registry
from engine.training import evaluate


def test_most_loose_phrases_begin_at_a_class_that_they_may_mean(capsys: pytest.CaptureFixture[str]) -> None:
    figure = evaluate.phrases_to_classes(registry.pair("pocket", Path()))
    assert figure.among == 851 and figure.first > 0.7
    assert figure.five is not None and figure.five > 0.8
    assert evaluate.main(["--phrases"]) == 0
    assert capsys.readouterr().out == evaluate.HEAD + figure.line() + "\n"
