"""From what somebody chose to a dream in line: defaults, checks, the answer. Every way to a dream is this."""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from dataclasses import replace

import discord

from bot.chat.access import asker, obstacle
from bot.chat.answers.answer import answer, think
from bot.chat.answers.refusals import Refusal, refusal
from bot.chat.attachments import MAX_ATTACHMENT, Unreachable, fetch, objection
from bot.chat.downloads import TooLarge
from bot.chat.language import common, personal
from bot.chat.parts import parts_of
from bot.chat.wording import worded
from bot.community.choices import MAX_CANDIDATES, MIN_CANDIDATES
from bot.dreams.dream import Dream, Wish, checked
from bot.dreams.store import AlreadyStored
from bot.servers.settings import Allowance
from engine import Recipe
from engine.settings import MAX_SEED

log = logging.getLogger(__name__)

POSTED_S = 600.0  # seconds; an interaction can be followed up for 900 (Discord reference, 2026-08)


def new_seed() -> int:
    """One that nobody chose, 0..MAX_SEED."""
    return secrets.randbelow(MAX_SEED + 1)


def plain_wish(interaction: discord.Interaction, prompt: str) -> Wish:
    """These words, dreamt where they were said, as their author prefers it, with a new seed."""
    parts = parts_of(interaction)
    preference = parts.preferences.of(interaction.user.id)
    language = parts.moderation.settings(interaction.guild_id).language
    return Wish(
        prompt=prompt,
        seed=new_seed(),
        steps=None,
        model=parts.model,
        author_id=interaction.user.id,
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id or 0,  # there is none only where `obstacle` refuses
        origin=interaction.id,
        language=common(interaction, preferred=language).CODE,
        size=_preferred_size(interaction, preference.size),
        preset=preference.preset,
        spoiler=preference.spoiler,
    )


def _preferred_size(interaction: discord.Interaction, size: int | None) -> int | None:
    """What somebody prefers asks for nothing: where it is more than they may, they get what they may."""
    parts = parts_of(interaction)
    settings = parts.moderation.settings(interaction.guild_id)
    most = settings.allowance(interaction.user.id, asker(interaction).roles, Allowance()).size
    return None if size is not None and most is not None and size > most else size


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
    """What gives the very same picture: the models, steps and size too that it was dreamt with."""
    wish = same_wish(interaction, dream)
    if not dream.recipe:
        return wish
    recipe = Recipe.from_json(dream.recipe)
    size = recipe.settings.get("size")  # also where a limit made it smaller than was wished
    return replace(
        wish, model=recipe.model, steps=recipe.steps, size=wish.size if size is None else int(size)
    )


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
    parts = parts_of(interaction)
    say = personal(interaction)
    sentence = obstacle(interaction, say) or (objection(attachment, say) if attachment else None)
    if sentence is None and candidates is not None and not MIN_CANDIDATES <= candidates <= MAX_CANDIDATES:
        sentence = say.out_of_range(MIN_CANDIDATES, MAX_CANDIDATES)
    if sentence is not None:
        log.debug("interaction %d: refused, %s", interaction.id, sentence)
        await answer(interaction, sentence)
        return
    try:
        sound = [checked(_in_words(interaction, wish)) for wish in wishes]
        if attachment is None:
            first = await _submit(interaction, sound, candidates)
        else:
            first = await _submit_with(attachment, interaction, sound, candidates)
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
        paused = parts.moderation.settings(interaction.guild_id).paused
        place = parts.worker.places().get(first)
        await answer(interaction, say.LINE_PAUSED if paused else say.queued(place))
        posting = parts.presenter.posted(first)
    else:
        await answer(interaction, say.choice_queued(candidates))
        posting = parts.steering.posted(first)
    try:
        async with asyncio.timeout(POSTED_S):
            posted = await posting
    except TimeoutError:
        return  # Discord has trouble; the message comes when it can
    if not posted:
        await answer(interaction, say.NO_CHANNEL)


async def _submit(
    interaction: discord.Interaction,
    wishes: Sequence[Wish],
    candidates: int | None,
    image: bytes | None = None,
) -> int:
    """Store it, and give the id of the dream (a story's first one), or of the choice. Raises `Refusal` …"""
    parts = parts_of(interaction)
    if candidates is None:
        return (await parts.worker.submit_story(wishes, asker(interaction), image=image))[0].id
    return (await parts.choices.submit(wishes[0], candidates, asker(interaction), image=image)).id


async def _submit_with(
    attachment: discord.Attachment,
    interaction: discord.Interaction,
    wishes: Sequence[Wish],
    candidates: int | None,
) -> int:
    """As `_submit`, with a picture: nothing is fetched for whoever may not dream, and not for all at once."""
    parts = parts_of(interaction)
    await _check(interaction, wishes, candidates)
    await think(interaction)  # fetching may take longer than an answer may
    async with parts.intake.turn(interaction.user.id):
        await _check(interaction, wishes, candidates)  # whoever waited may have had others stored meanwhile
        image = await fetch(attachment)
        return await _submit(interaction, wishes, candidates, image)


async def _check(interaction: discord.Interaction, wishes: Sequence[Wish], candidates: int | None) -> None:
    parts = parts_of(interaction)
    if candidates is None:
        await parts.worker.check(wishes, asker(interaction))
    else:
        await parts.choices.check(wishes[0], candidates, asker(interaction))
