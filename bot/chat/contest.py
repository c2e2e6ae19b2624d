"""/contest: a moderator sets a theme and a span, dreams enter, the votes under them decide."""

import logging
from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.chat.access import is_moderator, obstacle
from bot.chat.answer import answer
from bot.chat.language import common, personal
from bot.chat.quoting import plain, quoted
from bot.chat.sentences import ENGLISH, Sentences, spoken
from bot.chat.visibility import is_age_restricted, is_public
from bot.chat.wording import worded
from bot.contests import DAY_S, MAX_DAYS, MAX_THEME, MIN_DAYS, AlreadyRunning, Contest
from bot.database import StoreError
from bot.dreams import Dream, tidy
from bot.limits import are_allowed

if TYPE_CHECKING:
    from bot.chat.client import OneiroClient

log = logging.getLogger(__name__)

MAX_CHOICE = 100  # characters of a suggestion (Discord reference, 2026-08)
SHOWN = 10  # entries
SHOWN_PROMPT = 150  # characters
_GOLD = 0xF1C40F

contest = app_commands.Group(name="contest", description=ENGLISH.COMMAND_CONTEST, guild_only=True)


def _client(interaction: discord.Interaction) -> "OneiroClient":
    client: OneiroClient = interaction.client  # type: ignore[assignment]  # there is only this one
    return client


def _moderates(interaction: discord.Interaction) -> bool:
    return is_moderator(interaction, _client(interaction).moderation.settings(interaction.guild_id))


@contest.command(name="start", description=ENGLISH.COMMAND_CONTEST_START)
@app_commands.describe(theme=ENGLISH.COMMAND_CONTEST_THEME, days=ENGLISH.COMMAND_CONTEST_DAYS)
async def start(
    interaction: discord.Interaction,
    theme: app_commands.Range[str, 1, MAX_THEME],
    days: app_commands.Range[int, MIN_DAYS, MAX_DAYS] = 7,
) -> None:
    """Begin one, and say so to everybody in the channel."""
    client, say = _client(interaction), personal(interaction)
    about = tidy(worded(interaction, theme))[:MAX_THEME]
    settings = client.moderation.settings(interaction.guild_id)
    refused = obstacle(interaction, say) if _moderates(interaction) else say.NOT_A_MODERATOR
    if not refused and not are_allowed(settings, about):
        refused = say.BANNED_WORDS
    if refused or not about:
        await answer(interaction, refused or say.CONTEST_THEME)
        return
    assert interaction.guild_id is not None and interaction.channel_id is not None  # `obstacle` refuses
    speak = common(interaction, preferred=settings.language)
    try:
        begun = await client.contests.start(
            guild_id=interaction.guild_id,
            channel_id=interaction.channel_id,
            theme=about,
            language=speak.CODE,
            by=interaction.user.id,
            span_s=min(max(days, MIN_DAYS), MAX_DAYS) * DAY_S,
        )
    except AlreadyRunning:
        await answer(interaction, say.CONTEST_RUNS)
        return
    except StoreError as error:
        await answer(interaction, say.store_trouble(error))
        return
    client.jury.moved(begun.id)
    embed = discord.Embed(title=speak.CONTEST_TITLE, description=_about(begun, speak), colour=_GOLD)
    try:
        await interaction.response.send_message(embed=embed)
    except discord.HTTPException as error:
        log.info("contest %d: begun, but not announced: %s", begun.id, error)


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
    client = _client(interaction)
    running = await client.contests.running(interaction.guild_id or 0)
    if running is None:
        return say.NO_CONTEST
    mine = await client.contests.candidates(running, interaction.user.id)
    chosen = next((one for one in mine if dream_id is None or one.id == dream_id), None)
    if chosen is None:
        return say.NOTHING_TO_ENTER if dream_id is None else say.NOT_TO_ENTER
    if not _may_hang(interaction, running, chosen):
        return say.NOT_FOR_ALL
    if not are_allowed(client.moderation.settings(interaction.guild_id), chosen.prompt, chosen.avoid):
        return say.BANNED_WORDS
    if not await client.contests.enter(running, chosen):
        return say.NO_CONTEST
    return say.entered(quoted(chosen.prompt, SHOWN_PROMPT))


def _may_hang(interaction: discord.Interaction, running: Contest, dream: Dream) -> bool:
    """Whether everybody who reads the contest's channel may see the dream."""
    guild = interaction.guild
    if guild is None or not (dream.channel_id == running.channel_id or is_public(guild, dream.channel_id)):
        return False
    for_adults = bool(dream.flagged) or is_age_restricted(guild, dream.channel_id)
    return is_age_restricted(guild, running.channel_id) or not for_adults


@enter.autocomplete("dream")
async def suggest(interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[int]]:
    """One's own dreams since the contest began."""
    client = _client(interaction)
    try:
        running = await client.contests.running(interaction.guild_id or 0)
        mine = await client.contests.candidates(running, interaction.user.id) if running else []
    except StoreError:
        return []
    found = [one for one in mine if typed.lower() in one.prompt.lower() or typed in str(one.id)]
    return [
        app_commands.Choice(name=plain(f"{one.id}: {one.prompt}", MAX_CHOICE), value=one.id) for one in found
    ]


@contest.command(name="show", description=ENGLISH.COMMAND_CONTEST_SHOW)
async def show(interaction: discord.Interaction) -> None:
    """The running contest and who leads, or how the last one ended."""
    client, say = _client(interaction), personal(interaction)
    try:
        last = await client.contests.last(interaction.guild_id or 0)
        found = await client.contests.entries(last.id) if last else []
    except StoreError as error:
        await answer(interaction, say.store_trouble(error))
        return
    if last is None:
        await answer(interaction, say.NO_CONTEST)
        return
    lines = [
        f"**{number}.** "
        + say.top_picture(f"[{quoted(one.dream.prompt, SHOWN_PROMPT)}]({_link(one.dream)})", one.votes,
                          one.dream.author_id)
        for number, one in enumerate(found[:SHOWN], start=1)
    ]  # fmt: skip
    head = (
        _about(last, say)
        if last.running_in
        else say.contest_was(quoted(last.theme, MAX_THEME), round(last.ends_at))
    )
    text = "\n".join([head, "", *(lines or [say.NO_ENTRIES])])
    embed = discord.Embed(title=say.CONTEST_TITLE, description=text, colour=_GOLD)
    try:
        await interaction.response.send_message(embed=embed, ephemeral=True)
    except discord.HTTPException as error:
        log.info("interaction %d: not answered, %s", interaction.id, error)


@contest.command(name="end", description=ENGLISH.COMMAND_CONTEST_END)
async def end(interaction: discord.Interaction) -> None:
    """End the running contest before its time."""
    client, say = _client(interaction), personal(interaction)
    if not _moderates(interaction):
        await answer(interaction, say.NOT_A_MODERATOR)
        return
    try:
        running = await client.contests.running(interaction.guild_id or 0)
        ended = running is not None and await client.contests.finish(running.id, now=True)
    except StoreError as error:
        await answer(interaction, say.store_trouble(error))
        return
    if running is not None:
        client.jury.moved(running.id)
    await answer(interaction, say.contest_ended(running.channel_id) if running and ended else say.NO_CONTEST)


def winner_embed(over: Contest, dream: Dream | None, entries: int) -> discord.Embed:
    """How a contest ended, for its channel. `dream`: the winner."""
    say = spoken(over.language)
    theme = quoted(over.theme, MAX_THEME)
    if dream is None:
        text = say.contest_without_winner(theme, entries)
    else:
        words = f"[{quoted(dream.prompt, SHOWN_PROMPT)}]({_link(dream)})"
        text = say.contest_won(theme, dream.author_id, over.winner_votes or 0, words)
    return discord.Embed(title=say.CONTEST_OVER, url=winner_url(over), description=text, colour=_GOLD)


def winner_url(over: Contest) -> str:
    """By which the announcement is found again: an address of the channel that is this contest's own."""
    return f"https://discord.com/channels/{over.guild_id}/{over.channel_id}?contest={over.id}"


def _about(running: Contest, say: Sentences) -> str:
    return say.contest_about(quoted(running.theme, MAX_THEME), round(running.ends_at))


def _link(dream: Dream) -> str:
    return f"https://discord.com/channels/{dream.guild_id}/{dream.channel_id}/{dream.message_id}"
