"""Which language somebody is answered in, and a channel is spoken to."""

from collections.abc import Iterator

import discord
from discord import app_commands

from bot.chat.parts import parts_of
from bot.sentences import ENGLISH, LANGUAGES, Sentences, spoken

MAX_NAME, MAX_DESCRIPTION = 32, 100  # characters; Discord reference, 2026-08

_PLACES = app_commands.TranslationContextLocation
# Names stay what they are: a command has one name for everybody who talks about it, and Discord hides the
# subcommands of a group whose own name is translated (discord-api-docs 5105, open in 2026-11).
_TRANSLATED = {
    _PLACES.command_description,
    _PLACES.group_description,
    _PLACES.parameter_description,
    _PLACES.choice_name,
}


def personal(interaction: discord.Interaction, *, preferred: str | None = None) -> Sentences:
    """For an answer that one person sees: `preferred`, else what they set, else what their Discord speaks."""
    parts = parts_of(interaction)
    return spoken(preferred, parts.preferences.of(interaction.user.id).language, interaction.locale.value)


def common(interaction: discord.Interaction, *, preferred: str | None = None) -> Sentences:
    """The sentences for what the whole channel sees: the server's choice, else its Discord's language."""
    return spoken(preferred, interaction.guild_locale.value if interaction.guild_locale else None)


class Translator(app_commands.Translator):
    """Knows each English text of a command in the other languages: the sentence of the same name."""

    def __init__(self) -> None:
        self._texts = {code: dict(_pairs(say)) for code, say in LANGUAGES.items() if say is not ENGLISH}

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """None leaves the English text."""
        menu = isinstance(context.data, app_commands.ContextMenu)  # there the name is all that people see
        if not (menu or context.location in _TRANSLATED):
            return None
        return self._texts.get(locale.value.split("-")[0], {}).get(string.message)


def _pairs(say: Sentences) -> Iterator[tuple[str, str]]:
    """Each English text and what it is in this language: sentences, and words that stand in a table."""
    for name in dir(ENGLISH):
        english, other = getattr(ENGLISH, name), getattr(say, name)
        if isinstance(english, str):
            yield english, other
        elif isinstance(english, dict):
            yield from ((text, other[key]) for key, text in english.items() if isinstance(text, str))
