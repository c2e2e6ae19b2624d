"""Puts into words what moderators set and did: one line for each entry of the audit log."""

import json
from typing import Any

from bot.sentences import LANGUAGES, Sentences
from bot.sentences.quoting import quoted
from bot.servers.moderation import AuditEntry
from bot.servers.settings import Allowance, ServerSettings, plain

LINE = 400  # characters of a line; ten of them fit an embed's description
_LIMITS = ("everyone", "together", "roles", "people")
_SET = frozenset(ServerSettings.__dataclass_fields__)
_LOCAL = ("guests",)  # what no server in Discord has


def deed(entry: AuditEntry, say: Sentences) -> str:
    """What was done, e.g. 'seconds between two dreams 0 → 30'."""
    if entry.what in _SET:
        old, new = (value(entry.what, json.loads(text), say) for text in (entry.old, entry.new))
        return say.deed(entry.what, _target(entry.target, say), f"{old} → {new}")
    change = quoted(entry.new, LINE // 2)
    if entry.what == "ban":
        ban = json.loads(entry.new)
        until = "" if ban["until"] is None else say.until(ban["until"])
        change = " · ".join(filter(None, (until, quoted(ban["reason"], LINE // 2))))
    return say.deed(entry.what, _target(entry.target, say), change)


def line(entry: AuditEntry, say: Sentences) -> str:
    """When, who, what."""
    return say.entry(entry.at, entry.by, deed(entry, say))


def overview(settings: ServerSettings, say: Sentences, *, unchecked: bool) -> list[str]:
    """Every setting of a server in Discord with its value, one line each; of roles and people one by one.

    `unchecked`: the models that dream here let no picture be checked.
    """
    names = [name for name in ServerSettings.__dataclass_fields__ if name not in _LOCAL]
    lines = [line for name in names for line in _said(settings, name, say)]
    return [*lines, f"*{say.UNCHECKED}*"] if unchecked else lines


def limits(settings: ServerSettings, say: Sentences) -> list[str]:
    """As `overview`, of the limits that are set."""
    return [
        line
        for name in _LIMITS
        if getattr(settings, name) != Allowance()
        for line in _said(settings, name, say)
    ]


def value(what: str, stored: Any, say: Sentences) -> str:
    """A setting's value (as JSON holds it) for people."""
    if what == "channels" and not stored:
        return say.VALUES["everywhere"]
    if what == "language":
        return LANGUAGES[stored].LANGUAGE if stored in LANGUAGES else say.VALUES["own language"]
    if stored is None or stored in ([], {}):
        return say.VALUES["none"]
    if isinstance(stored, bool):
        return say.VALUES["yes"] if stored else say.VALUES["no"]
    if isinstance(stored, dict):
        return ", ".join(f"{say.LIMITS[name]}: {number}" for name, number in stored.items())
    if what == "nsfw":
        return say.NSFW[stored]
    if what == "moderator_role":
        return f"<@&{stored}>"
    if what.endswith("channel"):
        return f"<#{stored}>"
    if what == "channels":
        return " ".join(f"<#{channel}>" for channel in stored[:20])
    if what == "vote_emoji":
        return " ".join(stored)
    if isinstance(stored, list):
        return quoted(", ".join(stored), LINE // 3)
    return str(stored)


def _said(settings: ServerSettings, name: str, say: Sentences) -> list[str]:
    """The lines of one setting."""
    stored = plain(getattr(settings, name))
    if name not in ("roles", "people"):
        return [say.deed(name, "", value(name, stored, say))]
    kind = "role" if name == "roles" else "person"
    return [
        say.deed(name, _target(f"{kind}:{key}", say), value(name, rule, say)) for key, rule in stored.items()
    ]


def _target(target: str, say: Sentences) -> str:
    kind, _, number = target.partition(":")
    match kind:
        case "person":
            return f"<@{number}>"
        case "role":
            return f"<@&{number}>"
        case "dream":
            return say.the_dream(int(number))
    return ""
