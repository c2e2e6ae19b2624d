"""Puts what somebody asks for in Discord before `bot.dreams.asking`, and says what comes of it."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import discord

from bot.chat.access import asker, obstacle
from bot.chat.answers.answer import answer, think
from bot.chat.attachments import MAX_ATTACHMENT, Unreachable, fetch, objection
from bot.chat.downloads import TooLarge
from bot.chat.language import common, personal
from bot.chat.parts import parts_of
from bot.chat.wording import worded
from bot.dreams.asking import Accepted
from bot.dreams.dream import What, Who
from bot.dreams.store import AlreadyStored
from bot.sentences.refusals import Refusal, refusal

log = logging.getLogger(__name__)

POSTED_S = 600.0  # seconds; an interaction can be followed up for 900 (Discord reference, 2026-08)


def who_asks(interaction: discord.Interaction) -> Who:
    """Whoever uses a command, where they do, in the language of those who read along."""
    preferred = parts_of(interaction).moderation.settings(interaction.guild_id).language
    return Who(
        author_id=interaction.user.id,
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id or 0,  # there is none only where `obstacle` refuses
        origin=interaction.id,
        language=common(interaction, preferred=preferred).CODE,
    )


def usual(interaction: discord.Interaction, prompt: str) -> What:
    """These words, dreamt as whoever asks prefers it, with a new seed."""
    return parts_of(interaction).asking.usual(prompt, who_asks(interaction), asker(interaction))


async def order(
    interaction: discord.Interaction,
    *whats: What,
    attachment: discord.Attachment | None = None,
    candidates: int | None = None,
) -> None:
    """Put a dream (or the chapters of a story) in line and say where it stands, or say why not.

    The dream's own message in the channel shows the rest. `attachment`: the first one's image prompt;
    `candidates`: beginnings of it, between which the channel chooses.
    """
    parts, say = parts_of(interaction), personal(interaction)
    sentence = obstacle(interaction, say) or (objection(attachment, say) if attachment else None)
    if sentence is not None:
        log.debug("interaction %d: refused, %s", interaction.id, sentence)
        await answer(interaction, sentence)
        return
    try:
        accepted = await _ask(interaction, whats, attachment, candidates)
    except AlreadyStored:
        log.info("interaction %d: another process took it", interaction.id)
        return
    except Unreachable:
        await answer(interaction, say.PICTURE_UNREACHABLE)
        return
    except TooLarge:
        await answer(interaction, say.picture_too_large(MAX_ATTACHMENT // 2**20))
        return
    except Refusal as error:
        log.debug("interaction %d: refused, %r", interaction.id, error)
        await answer(interaction, refusal(error, say))
        return
    if candidates is None:
        await answer(interaction, say.LINE_PAUSED if accepted.is_paused else say.queued(accepted.place))
        posting = parts.dream_messages.posted(accepted.id)
    else:
        await answer(interaction, say.choice_queued(candidates))
        posting = parts.choice_messages.posted(accepted.id)
    try:
        async with asyncio.timeout(POSTED_S):
            posted = await posting
    except TimeoutError:
        return  # Discord has trouble; the message comes when it can
    if not posted:
        await answer(interaction, say.NO_CHANNEL)


async def _ask(
    interaction: discord.Interaction,
    whats: Sequence[What],
    attachment: discord.Attachment | None,
    candidates: int | None,
) -> Accepted:
    asking, who, person = parts_of(interaction).asking, who_asks(interaction), asker(interaction)
    whats = [_in_words(interaction, what) for what in whats]
    if attachment is None:
        return await asking.ask(whats, who, person, candidates=candidates)
    await asking.check(whats, who, person, candidates=candidates)
    await think(interaction)  # fetching may take longer than an answer may
    return await asking.ask(whats, who, person, candidates=candidates, fetch=partial(fetch, attachment))


def _in_words(interaction: discord.Interaction, what: What) -> What:
    return replace(what, prompt=worded(interaction, what.prompt), avoid=worded(interaction, what.avoid))
