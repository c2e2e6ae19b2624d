"""Puts into words what moderators set and did: one line for each entry of the audit trail."""

import json
from typing import Any

from bot.chat.quoting import quoted
from bot.chat.sentences import LANGUAGES, Sentences
from bot.guilds import ServerSettings, plain
from bot.moderation import Entry

LINE = 400  # characters of a line; ten of them fit an embed's description
_SET = frozenset(ServerSettings.__dataclass_fields__)


def deed(entry: Entry, say: Sentences) -> str:
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


def line(entry: Entry, say: Sentences) -> str:
    """When, who, what."""
    return say.entry(entry.at, entry.by, deed(entry, say))


def overview(settings: ServerSettings, say: Sentences) -> list[str]:
    """Every setting with its value, one line each; limits of roles and people one by one."""
    lines = []
    for name in ServerSettings.__dataclass_fields__:
        stored = plain(getattr(settings, name))
        if name in ("roles", "people"):
            kind = "role" if name == "roles" else "person"
            targets = [(_target(f"{kind}:{key}", say), rule) for key, rule in stored.items()]
            lines += [say.deed(name, target, value(name, rule, say)) for target, rule in targets]
        else:
            lines.append(say.deed(name, "", value(name, stored, say)))
    return lines


def limits(settings: ServerSettings, say: Sentences) -> list[str]:
    """As `overview`, of the limits that are set."""
    empty = ServerSettings(
        everyone=settings.everyone,
        together=settings.together,
        roles=settings.roles,
        people=settings.people,
    )
    wanted = ("everyone", "together", "roles", "people")
    heads = tuple(say.deed(name, "", "") for name in wanted)
    return [
        line for line in overview(empty, say) if line.startswith(heads) and not line.endswith(f" {say.NONE}")
    ]


def value(what: str, stored: Any, say: Sentences) -> str:
    """A setting's value (as JSON holds it) for people."""
    if what == "channels" and not stored:
        return say.EVERYWHERE
    if what == "language":
        return LANGUAGES[stored].LANGUAGE if stored in LANGUAGES else say.OWN_LANGUAGE
    if stored is None or stored in ([], {}):
        return say.NONE
    if isinstance(stored, bool):
        return say.YES if stored else say.NO
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
