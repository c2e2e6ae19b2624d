"""From what somebody chose to a dream in line: defaults, checks, the answer. Every way to a dream is this."""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import discord

from bot.chat.access import asker, obstacle
from bot.chat.answer import answer, think
from bot.chat.attachments import Unreachable, fetch, objection
from bot.chat.language import common, personal
from bot.chat.refusals import Refusal, refusal
from bot.chat.wording import worded
from bot.dreams import Dream, Wish, checked
from bot.store import AlreadyStored
from engine import Recipe
from engine.settings import MAX_SEED

if TYPE_CHECKING:
    from bot.chat.client import OneiroClient

log = logging.getLogger(__name__)

POSTED_S = 600.0  # seconds; an interaction can be followed up for 900 (Discord reference, 2026-08)


def new_seed() -> int:
    """One that nobody chose, 0..MAX_SEED."""
    return secrets.randbelow(MAX_SEED + 1)


def plain_wish(interaction: discord.Interaction, prompt: str) -> Wish:
    """These words, dreamt where they were said, as their author prefers it, with a new seed."""
    client: OneiroClient = interaction.client  # type: ignore[assignment]  # there is only this one
    preference = client.preferences.of(interaction.user.id)
    language = client.moderation.settings(interaction.guild_id).language
    return Wish(
        prompt=prompt,
        seed=new_seed(),
        steps=None if preference.preset else client.default_steps,
        model=client.model,
        author_id=interaction.user.id,
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id or 0,  # there is none only where `obstacle` refuses
        origin=interaction.id,
        language=common(interaction, preferred=language).CODE,
        size=preference.size,
        preset=preference.preset,
        spoiler=preference.spoiler,
    )


def same_wish(interaction: discord.Interaction, dream: Dream) -> Wish:
    """What was wished for in this dream, seed and beginning too, now by whoever asks and where they ask."""
    return replace(
        plain_wish(interaction, dream.prompt),
        seed=dream.seed,
        steps=dream.steps,
        model=dream.model,
        avoid=dream.avoid,
        size=dream.size,
        preset=dream.preset,
        spoiler=dream.spoiler,
        image_id=dream.image_id,
        begin=dream.begin,
        parent_id=dream.parent_id,
        other_id=dream.other_id,
        strength=dream.strength,
    )


def exact_wish(interaction: discord.Interaction, dream: Dream) -> Wish:
    """What gives the very same picture: the models and steps too that it was dreamt with."""
    wish = same_wish(interaction, dream)
    if not dream.recipe:
        return wish
    recipe = Recipe.from_json(dream.recipe)
    return replace(wish, model=recipe.model, steps=recipe.steps)


def _in_words(interaction: discord.Interaction, wish: Wish) -> Wish:
    return replace(wish, prompt=worded(interaction, wish.prompt), avoid=worded(interaction, wish.avoid))


async def order(
    interaction: discord.Interaction,
    wishes: Sequence[Wish],
    *,
    attachment: discord.Attachment | None = None,
    candidates: int | None = None,
) -> None:
    """Put a dream (or the chapters of a story) in line and say where it stands, or say why not.

    The dream's own message in the channel shows the rest. `attachment`: the first one's image prompt;
    `candidates`: beginnings of it, between which the channel chooses.
    """
    client: OneiroClient = interaction.client  # type: ignore[assignment]  # there is only this one
    say = personal(interaction)
    sentence = obstacle(interaction, say) or (objection(attachment, say) if attachment else None)
    if sentence is not None:
        log.debug("interaction %d: refused, %s", interaction.id, sentence)
        await answer(interaction, sentence)
        return
    try:
        sound = [checked(_in_words(interaction, wish)) for wish in wishes]
        image: bytes | None = None
        if attachment is not None:
            await think(interaction)  # fetching may take longer than an answer may
            image = await fetch(attachment)
        if candidates is None:
            stored = await client.worker.submit_story(sound, asker(interaction), image=image)
        else:
            choice = await client.choices.submit(sound[0], candidates, asker(interaction), image=image)
    except AlreadyStored:
        log.info("interaction %d: another process took it", interaction.id)
        return
    except Unreachable:
        await answer(interaction, say.PICTURE_UNREACHABLE)
        return
    except Refusal as error:
        log.debug("interaction %d: refused, %r", interaction.id, error)
        await answer(interaction, refusal(error, say))
        return
    if candidates is None:
        paused = client.moderation.settings(interaction.guild_id).paused
        place = client.worker.places().get(stored[0].id)
        await answer(interaction, say.LINE_PAUSED if paused else say.queued(place))
        posting = client.presenter.posted(stored[0].id)
    else:
        await answer(interaction, say.choice_queued(candidates))
        posting = client.steering.posted(choice.id)
    try:
        async with asyncio.timeout(POSTED_S):
            posted = await posting
    except TimeoutError:
        return  # Discord has trouble; the message comes when it can
    if not posted:
        await answer(interaction, say.NO_CHANNEL)
