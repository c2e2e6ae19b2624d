"""Every sentence that a person reads, in each language, whatever shows it. Knows no Discord objects.

Times, people and emphasis stand in them as Discord writes them; other front ends read that markup.

A language is one class whose names are the same in all: constants for fixed sentences, methods for those
with facts in them. English comes first; whatever another language lacks fails a test.
"""

from bot.sentences.english import English
from bot.sentences.italian import Italian

Sentences = English  # what is handed around as `say`; every other language is a kind of it

ENGLISH: Sentences = English()
ITALIAN: Sentences = Italian()
LANGUAGES: dict[str, Sentences] = {say.CODE: say for say in (ENGLISH, ITALIAN)}

__all__ = ["ENGLISH", "ITALIAN", "LANGUAGES", "Sentences", "spoken"]


def spoken(*wishes: str | None) -> Sentences:
    """The sentences in the first of these locales ('it', 'en-GB' …) that we speak, else in English."""
    codes = (wish.split("-")[0] for wish in wishes if wish)
    return next((LANGUAGES[code] for code in codes if code in LANGUAGES), ENGLISH)
