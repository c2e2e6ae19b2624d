"""The document `bot/PRIVACY.md`, made of the sentences that /privacy and the pages say; a test compares."""

from textwrap import fill
from typing import Any

from bot.keeping.retention import KeepLimits
from bot.sentences import ENGLISH, Sentences
from bot.settings import KEEP_DAYS, KEEP_MB, KEEP_PICTURE_DAYS

WIDTH = 118  # characters of a line
_WHOLE: Any = {"break_long_words": False, "break_on_hyphens": False}
_BEFORE = (
    "What Oneiro keeps about people, where and for how long. The bot says the same "
    "in `/privacy show`, and its "
    "pages at `/privacy`, in English and Italian; the words stand in `bot/sentences/english/privacy.py`, and "
    "this document is made of them (`bot/keeping/document.py`)."
)
_AFTER = (
    f"The days and megabytes above are what you set: `{KEEP_DAYS.key}`, `{KEEP_PICTURE_DAYS.key}` and "
    f"`{KEEP_MB.key}`. "
    "Where each thing lies and who may see it stands in `bot/database/tables.py` and "
    "`bot/dreams/showing.py`; how it is let go, handed over and forgotten in `bot/keeping`.",
    "A person who is being forgotten stands in the table `forgettings` until half a minute after it is done, "
    "so that a kill in the middle ends nothing and every process hears of it.",
    "With an object store, what was deleted is shown nowhere from the first moment on, and its files are "
    "deleted some ten minutes later.",
    "Whoever restores a back-up brings back what was forgotten since; please have it forgotten again.",
)


def parts(say: Sentences, limits: KeepLimits) -> list[tuple[str, list[str]]]:
    """Headings, each with its paragraphs; they hold the markup of all sentences."""
    texts = dict(say.PRIVACY_TEXTS)
    texts["long"] = say.privacy_how_long(
        days=limits.days, picture_days=limits.picture_days, megabytes=limits.megabytes
    )
    return [(heading, texts[key].split("\n")) for key, heading in say.PRIVACY_HEADINGS.items()]


def document() -> str:
    """The text of `bot/PRIVACY.md`, with the default limits."""
    usual = KeepLimits(
        days=KEEP_DAYS.default, picture_days=KEEP_PICTURE_DAYS.default, megabytes=KEEP_MB.default
    )
    told = [f"## {heading}\n\n" + _list(paragraphs) for heading, paragraphs in parts(ENGLISH, usual)]
    head = f"# Privacy\n\n{_list([_BEFORE])}"
    return "\n".join([head, *told, f"## For whoever hosts\n\n{_list(list(_AFTER))}"])


def _list(paragraphs: list[str]) -> str:
    mark = "- " if len(paragraphs) > 1 else ""
    indent = " " * len(mark)
    lines = [fill(f"{mark}{one}", WIDTH, subsequent_indent=indent, **_WHOLE) for one in paragraphs]
    return "".join(f"{line}\n" for line in lines)
