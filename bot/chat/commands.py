"""The slash commands. Each checks, calls one thing, answers."""

import asyncio
import logging
import secrets
from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.chat.access import asker, obstacle
from bot.chat.answer import answer
from bot.chat.language import common, personal
from bot.chat.moderate.group import NotAModerator
from bot.chat.refusals import Refusal, refusal
from bot.chat.sentences import ENGLISH, Sentences
from bot.dreams import Dream, Wish, checked
from bot.store import AlreadyStored
from engine.settings import MAX_PROMPT, MAX_SEED, MAX_STEPS

if TYPE_CHECKING:
    from bot.chat.client import OneiroClient

log = logging.getLogger(__name__)

POSTED_S = 600.0  # seconds; an interaction can be followed up for 900 (Discord reference, 2026-08)


@app_commands.command(name="dream", description=ENGLISH.COMMAND)
@app_commands.describe(prompt=ENGLISH.COMMAND_PROMPT, seed=ENGLISH.COMMAND_SEED, steps=ENGLISH.COMMAND_STEPS)
@app_commands.allowed_installs(guilds=True, users=False)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)  # a DM gets a sentence
async def dream(
    interaction: discord.Interaction,
    prompt: app_commands.Range[str, 1, MAX_PROMPT],
    seed: app_commands.Range[int, 0, MAX_SEED] | None = None,
    steps: app_commands.Range[int, 1, MAX_STEPS] | None = None,
) -> None:
    """Put a dream in line and say where it stands; its own message in the channel shows the rest."""
    client: OneiroClient = interaction.client  # type: ignore[assignment]  # there is only this one
    say = personal(interaction)
    try:
        queued = await _queue(interaction, client, say, prompt=prompt, seed=seed, steps=steps)
    except AlreadyStored:
        log.info("interaction %d: another process took it", interaction.id)
        return
    except (*Refusal, _Refused) as error:
        log.debug("interaction %d: refused, %r", interaction.id, error)
        await answer(interaction, str(error) if isinstance(error, _Refused) else refusal(error, say))
        return
    place = client.worker.places().get(queued.id)
    await answer(interaction, say.queued(place))
    try:
        async with asyncio.timeout(POSTED_S):
            posted = await client.presenter.posted(queued.id)
    except TimeoutError:
        return  # Discord has trouble; the message comes when it can
    if not posted:
        await answer(interaction, say.NO_CHANNEL)


class _Refused(Exception):
    """This dream cannot be shown here; the argument is the sentence."""


async def _queue(
    interaction: discord.Interaction,
    client: "OneiroClient",
    say: Sentences,
    *,
    prompt: str,
    seed: int | None,
    steps: int | None,
) -> Dream:
    sentence = obstacle(interaction, say)
    if sentence is not None:
        raise _Refused(sentence)
    settings = client.moderation.settings(interaction.guild_id)
    assert interaction.channel_id is not None  # there is none only where `obstacle` refuses
    return await client.worker.submit(
        checked(
            Wish(
                prompt=prompt,
                seed=secrets.randbelow(MAX_SEED + 1) if seed is None else seed,
                steps=client.default_steps if steps is None else steps,
                model=client.model,
                author_id=interaction.user.id,
                guild_id=interaction.guild_id,
                channel_id=interaction.channel_id,
                origin=interaction.id,
                language=common(interaction, preferred=settings.language).CODE,
            )
        ),
        asker(interaction),
    )


class Tree(app_commands.CommandTree["OneiroClient"]):
    """The commands, with one apology for whatever was not expected."""

    async def on_error(
        self, interaction: discord.Interaction["OneiroClient"], error: app_commands.AppCommandError, /
    ) -> None:
        if isinstance(error, NotAModerator):
            await answer(interaction, personal(interaction).NOT_A_MODERATOR)
        elif isinstance(cause := getattr(error, "original", error), Refusal):
            log.debug("interaction %d: refused, %r", interaction.id, cause)
            await answer(interaction, refusal(cause, personal(interaction)))
        elif isinstance(error, app_commands.TransformerError):
            await answer(interaction, personal(interaction).BAD_OPTION)
        else:
            log.error("interaction %d failed", interaction.id, exc_info=error)
            await answer(interaction, personal(interaction).APOLOGY)
