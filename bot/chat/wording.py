"""What people wrote, as words: names in the place of mentions and of a server's own emoji."""

import re
from typing import Any

import discord

from engine.prompt import without_markup

_PHRASING = re.compile("[|｜:：<>]")  # of a prompt: a name must not part it


def worded(interaction: discord.Interaction, text: str) -> str:
    """The text as it is checked, stored, shown and dreamt. Whom or what Discord does not name is left out."""
    spoken = without_markup(text, lambda kind, number: _name(interaction, kind, number))
    return text if spoken == text else re.sub(" {2,}", " ", spoken).strip()


def _name(interaction: discord.Interaction, kind: str, number: int) -> str:
    told = _told(interaction, kind, number) or _kept(interaction, kind, number)
    return " ".join(_PHRASING.sub(" ", told).split())


def _told(interaction: discord.Interaction, kind: str, number: int) -> str:
    """The name that came with the command."""
    data: dict[str, Any] = dict(interaction.data or {})
    resolved: dict[str, Any] = data.get("resolved") or {}

    def value(table: str, *keys: str) -> str:
        entry = dict(dict(resolved.get(table) or {}).get(str(number)) or {})
        return next((str(entry[key]) for key in keys if entry.get(key)), "")

    if kind == "#":
        return value("channels", "name")
    if kind == "@&":
        return value("roles", "name")
    return value("members", "nick") or value("users", "global_name", "username")


def _kept(interaction: discord.Interaction, kind: str, number: int) -> str:
    """The name that the bot knows of its server."""
    guild = interaction.guild
    found: Any = None
    if kind == "#":
        found = guild and guild.get_channel_or_thread(number)
    elif kind == "@&":
        found = guild and guild.get_role(number)
    elif number == interaction.user.id:
        found = interaction.user
    else:
        found = (guild and guild.get_member(number)) or interaction.client.get_user(number)
    return "" if found is None else str(getattr(found, "display_name", None) or found.name)
