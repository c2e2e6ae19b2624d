"""`/moderate`: what moderators set and do. Each command checks, changes one thing, says what is new."""

from bot.chat.commands.moderate import (
    contests,
    limits,
    line,
    people,
    places,
    show,
    words,
)
from bot.chat.commands.moderate.group import NotAModerator, moderate
from bot.chat.commands.moderate.line import ClearButton
from bot.chat.commands.moderate.show import AuditButton

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
