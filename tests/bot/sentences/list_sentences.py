"""`python -m tests.bot.sentences.list_sentences`: every sentence in each language, to be read."""

import sys

from bot.sentences import ENGLISH, ITALIAN
from tests.bot.sentences.test_sentences import ALL, SENTENCES, TRANSLATED


def lines() -> list[tuple[str, str]]:
    """Each sentence in English and in Italian."""
    fixed = [(value, getattr(ITALIAN, name)) for name, value in ALL.items() if isinstance(value, str)]
    tables = [
        (text, getattr(ITALIAN, name)[key])
        for name, value in ALL.items()
        if isinstance(value, dict)
        for key, text in value.items()
    ]
    made = [(call(ENGLISH), call(ITALIAN)) for call, _ in SENTENCES]
    return fixed + tables + made + [(key.value, text) for key, text in TRANSLATED.items()]


if __name__ == "__main__":
    for english, italian in lines():
        sys.stdout.write(f"{english}\n    {italian}\n")
