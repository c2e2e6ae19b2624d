"""`/moderate`: what moderators set and do. Each command checks, changes one thing, says what is new."""

from bot.chat.moderate import contests, limits, line, people, places, show, words
from bot.chat.moderate.group import NotAModerator, moderate
from bot.chat.moderate.line import ClearButton
from bot.chat.moderate.show import AuditButton

__all__ = [
    "AuditButton",
    "ClearButton",
    "NotAModerator",
    "contests",
    "limits",
    "line",
    "moderate",
    "people",
    "places",
    "show",
    "words",
]
