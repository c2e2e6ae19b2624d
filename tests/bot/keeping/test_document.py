"""`bot/PRIVACY.md` says what the bot and its pages say."""

from pathlib import Path

import bot
from bot.keeping.document import document


def test_the_document_is_made_of_the_sentences() -> None:
    path = Path(bot.__path__[0]) / "PRIVACY.md"
    assert path.read_text(encoding="utf-8") == document(), "write `document()` into it"
