"""Answers an interaction with something that only its user sees. A failed answer undoes nothing."""

import logging
from collections.abc import Awaitable
from typing import Any

import aiohttp
import discord

from bot.chat.access import NotAModerator
from bot.chat.language import personal
from bot.database.connection import StoreError
from bot.sentences.refusals import Refusal, refusal

log = logging.getLogger(__name__)


async def answer(
    interaction: discord.Interaction,
    sentence: str = "",
    *,
    embed: discord.Embed | None = None,
    file: discord.File | None = None,
    view: discord.ui.View | None = None,
) -> None:
    """Say it as the first answer, or as a follow-up when there was one.

    Discord takes none after 3 s (10062), nor a second first one (40060, e.g. beside an overlapping process),
    and no follow-up after 15 min (50027).
    """
    if interaction.client.is_closed():
        log.info("interaction %d: not answered, we are stopping", interaction.id)
        return
    shown: dict[str, Any] = {"content": sentence or None, "embed": embed, "file": file, "view": view}
    shown = {name: part for name, part in shown.items() if part is not None}
    try:
        if interaction.response.is_done():
            await interaction.followup.send(ephemeral=True, **shown)
        else:
            await interaction.response.send_message(ephemeral=True, **shown)
    except (discord.HTTPException, aiohttp.ClientError, TimeoutError) as error:
        log.info("interaction %d: not answered, %r", interaction.id, error)


async def answering(interaction: discord.Interaction, work: Awaitable[str | None]) -> None:
    """Do what a button is for and say what it gives; whatever happens, the click is answered."""
    claim(interaction)
    say = personal(interaction)
    try:
        sentence = await work
    except StoreError as error:
        log.warning("interaction %d: not possible just now: %s", interaction.id, error)
        sentence = say.store_trouble(error)
    except NotAModerator:
        sentence = say.NOT_A_MODERATOR
    except Refusal as error:
        log.debug("interaction %d: refused, %r", interaction.id, error)
        sentence = refusal(error, say)
    except Exception:
        # The click must be answered; the log has the rest.
        log.exception("interaction %d failed", interaction.id)
        sentence = say.APOLOGY
    if sentence is not None:
        await answer(interaction, sentence)


def claim(interaction: discord.Interaction) -> None:
    """Whoever calls this answers the interaction, however long it takes."""
    interaction.extras["claimed"] = True


def is_claimed(interaction: discord.Interaction) -> bool:
    """Whether somebody answers it, or has done so."""
    return interaction.response.is_done() or "claimed" in interaction.extras


async def think(interaction: discord.Interaction) -> None:
    """Say that the answer takes a moment; whoever cannot be told so is answered all the same, if possible."""
    try:
        await interaction.response.defer(ephemeral=True, thinking=True)
    except discord.HTTPException as error:
        log.info("interaction %d: not deferred, %s", interaction.id, error)


async def turn(interaction: discord.Interaction, embed: discord.Embed, view: discord.ui.View) -> None:
    """Let the message that was clicked show another page."""
    try:
        await interaction.response.edit_message(embed=embed, view=view)
    except (discord.HTTPException, aiohttp.ClientError, TimeoutError) as error:
        log.info("interaction %d: its page is not turned, %r", interaction.id, error)


async def show(interaction: discord.Interaction, form: discord.ui.Modal) -> None:
    """Show a form to fill in; it can only be the first answer."""
    try:
        await interaction.response.send_modal(form)
    except (discord.HTTPException, aiohttp.ClientError, TimeoutError) as error:
        log.info("interaction %d: its form is not shown, %r", interaction.id, error)


async def suggest_nothing(interaction: discord.Interaction) -> None:
    """Answer somebody who types with no suggestions."""
    try:
        await interaction.response.autocomplete([])
    except (discord.HTTPException, aiohttp.ClientError, TimeoutError) as error:
        log.info("interaction %d: no suggestions, %r", interaction.id, error)
