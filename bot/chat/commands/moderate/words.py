"""`/moderate words`: what prompts may not hold."""

from dataclasses import replace

import discord
from discord import app_commands

from bot.chat.answers.answer import answer
from bot.chat.commands.moderate.group import (
    Guarded,
    change,
    is_allowed,
    moderate,
    settings,
    within,
)
from bot.chat.language import personal
from bot.chat.wording import worded
from bot.sentences import ENGLISH
from bot.sentences.quoting import plain, quoted
from bot.servers.banned_words import (
    MAX_PATTERN,
    BadPattern,
    BadRule,
    are_one,
    checked_pattern,
    checked_word,
    offence,
)
from bot.servers.settings import MAX_WORDS, ServerSettings
from engine.settings import MAX_PROMPT

_SUGGESTIONS = 25  # Discord shows no more choices

words = Guarded(name="words", description=ENGLISH.COMMAND_WORDS, parent=moderate)


@words.command(name="add", description=ENGLISH.COMMAND_WORDS_ADD)
@app_commands.describe(text=ENGLISH.COMMAND_WORDS_TEXT, pattern=ENGLISH.COMMAND_WORDS_PATTERN)
async def words_add(
    interaction: discord.Interaction, text: app_commands.Range[str, 1, MAX_PATTERN], pattern: bool = False
) -> None:
    say, now = personal(interaction), settings(interaction)
    try:
        rule = checked_pattern(text) if pattern else checked_word(text)
    except BadPattern:
        await answer(interaction, say.BAD_PATTERN)
    except BadRule:
        await answer(interaction, say.PATTERN_TOO_WIDE if pattern else say.BAD_WORD)
    else:
        if len(now.words) + len(now.patterns) >= MAX_WORDS:
            await answer(interaction, say.TOO_MANY_WORDS)
        else:
            await change(interaction, lambda old: _added(old, rule, pattern))


@words.command(name="remove", description=ENGLISH.COMMAND_WORDS_REMOVE)
@app_commands.describe(text=ENGLISH.COMMAND_WORDS_TEXT)
async def words_remove(interaction: discord.Interaction, text: str) -> None:
    now = settings(interaction)
    if _without(now, text) == now:
        await answer(interaction, personal(interaction).NO_SUCH_WORD)
        return
    await change(interaction, lambda old: _without(old, text))


@words_remove.autocomplete("text")
async def _banned(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
    if not is_allowed(interaction):  # a command's own check does not guard its suggestions
        return []
    rules = settings(interaction).words + settings(interaction).patterns
    found = [rule for rule in rules if current.casefold() in rule.casefold() and len(rule) <= 100]
    return [app_commands.Choice(name=plain(rule, 100), value=rule) for rule in found[:_SUGGESTIONS]]


@words.command(name="list", description=ENGLISH.COMMAND_WORDS_LIST)
async def words_list(interaction: discord.Interaction) -> None:
    say, now = personal(interaction), settings(interaction)
    lines = [f"- {quoted(word, MAX_PATTERN)}" for word in now.words]
    lines += [f"- /{quoted(pattern, MAX_PATTERN)}/" for pattern in now.patterns]
    await answer(interaction, within(lines) or say.NO_WORDS)


@words.command(name="test", description=ENGLISH.COMMAND_WORDS_TEST)
@app_commands.describe(prompt=ENGLISH.COMMAND_WORDS_PROMPT)
async def words_test(
    interaction: discord.Interaction, prompt: app_commands.Range[str, 1, MAX_PROMPT]
) -> None:
    say, now = personal(interaction), settings(interaction)
    found = offence(worded(interaction, prompt), now.words, now.patterns)
    await answer(
        interaction, say.WORDS_ALLOWED if found is None else say.words_banned(quoted(found, MAX_PATTERN))
    )


def _added(old: ServerSettings, rule: str, pattern: bool) -> ServerSettings:
    if pattern:
        return old if rule in old.patterns else replace(old, patterns=(*old.patterns, rule))
    known = any(are_one(rule, word) for word in old.words)
    return old if known else replace(old, words=(*old.words, rule))


def _without(old: ServerSettings, text: str) -> ServerSettings:
    """A word goes however it is written: an emoji as it is pasted, too."""
    return replace(
        old,
        words=tuple(word for word in old.words if word != text and not are_one(text, word)),
        patterns=tuple(pattern for pattern in old.patterns if pattern != text),
    )
