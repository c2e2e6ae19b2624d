"""`/moderate channels`, `nsfw`, `gallery`, `wall`, `log`, `halloffame`, `votetime`, `emoji`, `language`."""

import re
import unicodedata
from dataclasses import replace

import discord
from discord import app_commands

from bot.chat.access import POSTING, lacking_in
from bot.chat.answers.answer import answer, think
from bot.chat.commands.moderate.group import (
    Guarded,
    change,
    moderate,
)
from bot.chat.commands.moderate.trial import tried
from bot.chat.language import personal
from bot.chat.listeners.reaction_commands import AWAY, SEND
from bot.chat.parts import parts_of
from bot.chat.reactions import distinct
from bot.community.emoji import meant
from bot.sentences import ENGLISH, LANGUAGES
from bot.servers.settings import (
    FAME_VOTES,
    MAX_VOTE_EMOJI,
    VOTE_EMOJI,
    VOTE_S,
    NsfwPolicy,
    ServerSettings,
)

_CUSTOM = re.compile(r"<a?:\w{2,32}:(\d{17,20})>")
_EMOJI_PARTS = frozenset(("So", "Sk", "Sm", "Po", "Mn", "Me", "Cf"))  # what emoji are made of

channels = Guarded(name="channels", description=ENGLISH.COMMAND_CHANNELS, parent=moderate)


@channels.command(name="allow", description=ENGLISH.COMMAND_CHANNELS_ALLOW)
@app_commands.describe(channel=ENGLISH.COMMAND_CHANNEL)
async def channels_allow(interaction: discord.Interaction, channel: discord.abc.GuildChannel) -> None:
    await change(interaction, lambda old: replace(old, channels=_with(old.channels, channel.id)))


@channels.command(name="disallow", description=ENGLISH.COMMAND_CHANNELS_DISALLOW)
@app_commands.describe(channel=ENGLISH.COMMAND_CHANNEL)
async def channels_disallow(interaction: discord.Interaction, channel: discord.abc.GuildChannel) -> None:
    await change(
        interaction,
        lambda old: replace(old, channels=tuple(one for one in old.channels if one != channel.id)),
    )


@moderate.command(name="nsfw", description=ENGLISH.COMMAND_NSFW)
@app_commands.describe(policy=ENGLISH.COMMAND_NSFW_POLICY)
@app_commands.choices(
    policy=[app_commands.Choice(name=ENGLISH.NSFW[policy], value=policy.value) for policy in NsfwPolicy]
)
async def nsfw(interaction: discord.Interaction, policy: str) -> None:
    if policy in list(NsfwPolicy):
        unchecked = not parts_of(interaction).worker.checks_pictures
        more = personal(interaction).UNCHECKED if unchecked else ""
        await change(interaction, lambda old: replace(old, nsfw=NsfwPolicy(policy)), more=more)
    else:
        await answer(interaction, personal(interaction).BAD_OPTION)


@moderate.command(name="gallery", description=ENGLISH.COMMAND_GALLERY)
@app_commands.describe(channel=ENGLISH.COMMAND_TARGET)
async def gallery(interaction: discord.Interaction, channel: discord.TextChannel | None = None) -> None:
    if await _can_post(interaction, channel):
        await change(interaction, lambda old: replace(old, gallery_channel=_id(channel)))


@moderate.command(name="wall", description=ENGLISH.COMMAND_WALL)
@app_commands.describe(on=ENGLISH.COMMAND_WALL_ON, links=ENGLISH.COMMAND_WALL_LINKS)
async def wall(interaction: discord.Interaction, on: bool, links: bool | None = None) -> None:
    more = "" if parts_of(interaction).has_wall else personal(interaction).NO_WALL
    await change(interaction, lambda old: _with_wall(old, on, links), more=more)


@moderate.command(name="log", description=ENGLISH.COMMAND_LOG)
@app_commands.describe(channel=ENGLISH.COMMAND_TARGET)
async def log(interaction: discord.Interaction, channel: discord.TextChannel | None = None) -> None:
    if await _can_post(interaction, channel):
        await change(interaction, lambda old: replace(old, log_channel=_id(channel)))


@moderate.command(name="halloffame", description=ENGLISH.COMMAND_HALL_OF_FAME)
@app_commands.describe(channel=ENGLISH.COMMAND_HALL_CHANNEL, votes=ENGLISH.COMMAND_VOTES)
async def halloffame(
    interaction: discord.Interaction,
    channel: discord.TextChannel | None = None,
    votes: app_commands.Range[int, FAME_VOTES.low, FAME_VOTES.high] | None = None,
) -> None:
    if votes is not None and not FAME_VOTES.fits(votes):
        await answer(interaction, personal(interaction).out_of_range(*FAME_VOTES.ends))
    elif await _can_post(interaction, channel):
        await change(interaction, lambda old: _with_hall(old, channel, votes))


@moderate.command(name="votetime", description=ENGLISH.COMMAND_VOTE_TIME)
@app_commands.describe(seconds=ENGLISH.COMMAND_VOTE_SECONDS)
async def votetime(
    interaction: discord.Interaction, seconds: app_commands.Range[int, VOTE_S.low, VOTE_S.high]
) -> None:
    if VOTE_S.fits(seconds):
        await change(interaction, lambda old: replace(old, vote_s=seconds))
    else:
        await answer(interaction, personal(interaction).out_of_range(*VOTE_S.ends))


@moderate.command(name="emoji", description=ENGLISH.COMMAND_EMOJI)
@app_commands.describe(emoji=ENGLISH.COMMAND_EMOJI_EMOJI)
async def emoji(
    interaction: discord.Interaction, emoji: app_commands.Range[str, 1, 300] | None = None
) -> None:
    """Nothing is kept that Discord does not take as a reaction."""
    say = personal(interaction)
    if emoji is None:
        await change(interaction, lambda old: replace(old, vote_emoji=VOTE_EMOJI))
        return
    await think(interaction)
    chosen = distinct(emoji.split())
    if not 1 <= len(chosen) <= MAX_VOTE_EMOJI or not all([await _is_emoji(interaction, c) for c in chosen]):
        await answer(interaction, say.NOT_EMOJI)
        return
    if used := [one for one in chosen if meant(one) in (meant(AWAY), meant(SEND))]:
        await answer(interaction, say.emoji_in_use(" ".join(used)))
        return
    trial = await tried(interaction, chosen)
    if trial.lacking:
        names = ", ".join(say.PERMISSIONS[key] for key in trial.lacking)
        await answer(interaction, say.lacking_in(interaction.channel_id or 0, names))
    elif trial.hindered:
        await answer(interaction, say.EMOJI_NOT_TRIED)
    elif trial.refused:
        await answer(interaction, say.emoji_refused(" ".join(trial.refused)))
    else:
        await change(interaction, lambda old: replace(old, vote_emoji=trial.taken))


@moderate.command(name="language", description=ENGLISH.COMMAND_LANGUAGE)
@app_commands.describe(language=ENGLISH.COMMAND_LANGUAGE_LANGUAGE)
@app_commands.choices(
    language=[
        app_commands.Choice(name=f"{say.LANGUAGE} ({code})", value=code) for code, say in LANGUAGES.items()
    ]
)
async def language(interaction: discord.Interaction, language: str | None = None) -> None:
    if language is None or language in LANGUAGES:
        await change(interaction, lambda old: replace(old, language=language or ""))
    else:
        await answer(interaction, personal(interaction).BAD_OPTION)


def _with_hall(old: ServerSettings, channel: discord.TextChannel | None, votes: int | None) -> ServerSettings:
    """Only the votes leave the hall where it is; neither takes it away."""
    if votes is None:
        return replace(old, fame_channel=_id(channel))
    return replace(old, fame_channel=_id(channel) or old.fame_channel, fame_votes=votes)


def _with_wall(old: ServerSettings, on: bool, links: bool | None) -> ServerSettings:
    """A wall that is taken away takes its links along: whoever wants one again says anew what it tells."""
    return replace(old, wall=on, wall_links=on and (old.wall_links if links is None else links))


def _with(channels: tuple[int, ...], channel: int) -> tuple[int, ...]:
    return channels if channel in channels else (*channels, channel)


def _id(channel: discord.TextChannel | None) -> int | None:
    return None if channel is None else channel.id


async def _can_post(interaction: discord.Interaction, channel: discord.TextChannel | None) -> bool:
    """Whether the bot could show pictures there; if not, the person has been told what it lacks."""
    lacking = [] if channel is None else lacking_in(channel, POSTING)
    if channel is not None and lacking:
        say = personal(interaction)
        names = ", ".join(say.PERMISSIONS[key] for key in lacking)
        await answer(interaction, say.lacking_in(channel.id, names))
    return not lacking


async def _is_emoji(interaction: discord.Interaction, text: str) -> bool:
    """Whether it is one of this server's emoji, or of Discord's as far as its characters tell."""
    custom = _CUSTOM.fullmatch(text)
    if custom is not None and interaction.guild is not None:
        try:
            await interaction.guild.fetch_emoji(int(custom[1]))
        except discord.HTTPException:
            return False
        return True
    if len(text) == 2 and all("\U0001f1e6" <= c <= "\U0001f1ff" for c in text):  # a flag
        return True
    if text[1:].strip("\ufe0f") == "\u20e3":  # a digit on a key
        return text[0] in "0123456789#*"
    parts = {unicodedata.category(c) for c in text}
    return (
        len(text) <= 12 and not text.isascii() and bool(parts & {"So", "Sm", "Po"}) and parts <= _EMOJI_PARTS
    )
