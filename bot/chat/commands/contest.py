"""/contest: a moderator sets a theme and a span, dreams enter, the votes under them decide."""

import logging

import discord
from discord import app_commands

from bot.chat.answers.answer import answer
from bot.chat.language import personal
from bot.chat.messages.contest_message import GOLD, SHOWN_PROMPT, about, words_of
from bot.chat.parts import parts_of
from bot.community.contests import MAX_THEME, Contest
from bot.database.connection import StoreError
from bot.dreams.showing import (
    Occasion,
    Visibility,
    may_tell,
)
from bot.queue.limits import are_allowed
from bot.sentences import ENGLISH, Sentences
from bot.sentences.quoting import plain, quoted

log = logging.getLogger(__name__)

MAX_CHOICE = 100  # characters of a suggestion (Discord reference, 2026-08)
SHOWN = 10  # entries

contest = app_commands.Group(name="contest", description=ENGLISH.COMMAND_CONTEST, guild_only=True)


@contest.command(name="enter", description=ENGLISH.COMMAND_CONTEST_ENTER)
@app_commands.describe(dream=ENGLISH.COMMAND_CONTEST_DREAM)
async def enter(interaction: discord.Interaction, dream: int | None = None) -> None:
    """Enter one of one's own dreams, the newest one if none is named."""
    say = personal(interaction)
    try:
        await answer(interaction, await _enter(interaction, dream, say))
    except StoreError as error:
        await answer(interaction, say.store_trouble(error))


async def _enter(interaction: discord.Interaction, dream_id: int | None, say: Sentences) -> str:
    parts = parts_of(interaction)
    running = await parts.contests.running(interaction.guild_id or 0)
    if running is None:
        return say.NO_CONTEST
    if refused := await _unseen(interaction, running, say):
        return refused
    mine = await parts.contests.candidates(running, interaction.user.id)
    chosen = next((one for one in mine if dream_id is None or one.id == dream_id), None)
    if chosen is None:
        return say.NOTHING_TO_ENTER if dream_id is None else say.NOT_TO_ENTER
    allowed = await parts.sight.showing(chosen, Occasion.EXHIBITED, channel_id=running.channel_id)
    if allowed.visibility is Visibility.WITHHELD:
        return say.WITHHELD if allowed.tells else say.NOT_FOR_ALL
    if not are_allowed(parts.moderation.settings(interaction.guild_id), chosen.prompt, chosen.avoid):
        return say.BANNED_WORDS
    if not await parts.contests.enter(running, chosen):
        return say.NO_CONTEST
    return say.entered(quoted(chosen.prompt, SHOWN_PROMPT))


async def _unseen(interaction: discord.Interaction, one: Contest, say: Sentences) -> str:
    """What to say when this person may not be told here of a contest; '' when they may."""
    venues = parts_of(interaction).sight.venues
    reads = one.channel_id in await venues.read_by(interaction, {one.channel_id})
    home = venues.venue(one.guild_id, one.channel_id)
    if may_tell(home, venues.here(interaction), Occasion.LISTED, reads=reads):
        return ""
    return say.FOR_ADULTS if reads and home.adults else say.NO_CONTEST


@enter.autocomplete("dream")
async def suggest(interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[int]]:
    """One's own dreams since the contest began."""
    parts = parts_of(interaction)
    try:
        running = await parts.contests.running(interaction.guild_id or 0)
        if running is None or await _unseen(interaction, running, personal(interaction)):
            return []
        mine = await parts.contests.candidates(running, interaction.user.id)
    except StoreError:
        return []
    found = [one for one in mine if typed.lower() in one.prompt.lower() or typed in str(one.id)]
    return [
        app_commands.Choice(name=plain(f"{one.id}: {one.prompt}", MAX_CHOICE), value=one.id) for one in found
    ]


@contest.command(name="show", description=ENGLISH.COMMAND_CONTEST_SHOW)
async def show(interaction: discord.Interaction) -> None:
    """The running contest and who leads, or how the last one ended."""
    parts, say = parts_of(interaction), personal(interaction)
    try:
        last = await parts.contests.last(interaction.guild_id or 0)
        found = await parts.contests.entries(last.id) if last else []
    except StoreError as error:
        await answer(interaction, say.store_trouble(error))
        return
    refused = say.NO_CONTEST if last is None else await _unseen(interaction, last, say)
    if last is None or refused:
        await answer(interaction, refused)
        return
    told = await parts.sight.listed(interaction, [one.dream for one in found])
    seen = [(number, one) for number, one in enumerate(found, start=1) if told[one.dream.id].tells]
    lines = [
        f"**{number}.** "
        + say.top_picture(words_of(one.dream, told[one.dream.id]), one.votes, one.dream.author_id)
        for number, one in seen[:SHOWN]
    ]
    if len(seen) < len(found):
        lines.append(say.elsewhere(len(found) - len(seen)))
    head = (
        about(last, say)
        if last.running_in
        else say.contest_was(quoted(last.theme, MAX_THEME), round(last.ends_at))
    )
    text = "\n".join([head, "", *(lines or [say.NO_ENTRIES])])
    embed = discord.Embed(title=say.CONTEST_TITLE, description=text, colour=GOLD)
    try:
        await interaction.response.send_message(embed=embed, ephemeral=True)
    except discord.HTTPException as error:
        log.info("interaction %d: not answered, %s", interaction.id, error)
