"""`/moderate contest`: begins and ends what `/contest` lets everybody take part in."""

import logging

import discord
from discord import app_commands

from bot.chat.access import obstacle
from bot.chat.answers.answer import answer
from bot.chat.commands.moderate.group import (
    Guarded,
    guild_id,
    moderate,
    settings,
)
from bot.chat.language import common, personal
from bot.chat.messages.contest_message import GOLD, about
from bot.chat.parts import parts_of
from bot.chat.wording import worded
from bot.community.contests import (
    DAY_S,
    MAX_DAYS,
    MAX_THEME,
    MIN_DAYS,
    AlreadyRunning,
)
from bot.dreams.dream import tidy
from bot.queue.limits import are_allowed
from bot.sentences import ENGLISH

log = logging.getLogger(__name__)

contest = Guarded(name="contest", description=ENGLISH.COMMAND_MODERATE_CONTEST, parent=moderate)


@contest.command(name="start", description=ENGLISH.COMMAND_CONTEST_START)
@app_commands.describe(theme=ENGLISH.COMMAND_CONTEST_THEME, days=ENGLISH.COMMAND_CONTEST_DAYS)
async def start(
    interaction: discord.Interaction,
    theme: app_commands.Range[str, 1, MAX_THEME],
    days: app_commands.Range[int, MIN_DAYS, MAX_DAYS] = 7,
) -> None:
    """Begin one, and say so to everybody in the channel."""
    parts, say = parts_of(interaction), personal(interaction)
    subject = tidy(worded(interaction, theme))[:MAX_THEME]
    refused = obstacle(interaction, say)
    if not refused and not are_allowed(settings(interaction), subject):
        refused = say.BANNED_WORDS
    if refused or not subject:
        await answer(interaction, refused or say.CONTEST_THEME)
        return
    if not MIN_DAYS <= days <= MAX_DAYS:
        await answer(interaction, say.out_of_range(MIN_DAYS, MAX_DAYS))
        return
    assert interaction.channel_id is not None  # `obstacle` refuses
    speak = common(interaction, preferred=settings(interaction).language)
    try:
        begun = await parts.contests.start(
            guild_id=guild_id(interaction),
            channel_id=interaction.channel_id,
            theme=subject,
            language=speak.CODE,
            by=interaction.user.id,
            span_s=days * DAY_S,
        )
    except AlreadyRunning:
        await answer(interaction, say.CONTEST_RUNS)
        return
    parts.contest_messages.moved(begun.id)
    await parts.moderation.note(
        guild_id(interaction), by=interaction.user.id, what="contest", new=begun.theme
    )
    embed = discord.Embed(title=speak.CONTEST_TITLE, description=about(begun, speak), colour=GOLD)
    try:
        await interaction.response.send_message(embed=embed)
    except discord.HTTPException as error:
        log.info("contest %d: begun, but not announced: %s", begun.id, error)


@contest.command(name="end", description=ENGLISH.COMMAND_CONTEST_END)
async def end(interaction: discord.Interaction) -> None:
    """End the running contest before its time."""
    parts, say = parts_of(interaction), personal(interaction)
    running = await parts.contests.running(guild_id(interaction))
    if running is None or not await parts.contests.finish(running.id, now=True):
        await answer(interaction, say.NO_CONTEST)
        return
    parts.contest_messages.moved(running.id)
    await parts.moderation.note(
        guild_id(interaction), by=interaction.user.id, what="contest_end", new=running.theme
    )
    await answer(interaction, say.contest_ended(running.channel_id))
