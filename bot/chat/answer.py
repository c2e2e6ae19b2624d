"""Answers an interaction with one sentence that only its user sees. A failed answer undoes nothing."""

import logging
from collections.abc import Awaitable
from typing import Any

import discord

from bot.chat.language import personal
from bot.database import StoreError

log = logging.getLogger(__name__)


async def answer(
    interaction: discord.Interaction,
    sentence: str = "",
    *,
    embed: discord.Embed | None = None,
    view: discord.ui.View | None = None,
) -> None:
    """Say it as the first answer, or as a follow-up when there was one.

    Discord takes none after 3 s (10062), nor a second first one (40060, e.g. beside an overlapping process).
    """
    shown: dict[str, Any] = {"embed": embed, "view": view}
    shown = {name: part for name, part in shown.items() if part is not None}
    try:
        if interaction.response.is_done():
            await interaction.followup.send(sentence, ephemeral=True, **shown)
        else:
            await interaction.response.send_message(sentence, ephemeral=True, **shown)
    except discord.HTTPException as error:
        log.info("interaction %d: not answered, %s", interaction.id, error)


async def answering(interaction: discord.Interaction, work: Awaitable[str | None]) -> None:
    """Do what a button is for and say what it gives; whatever happens, the click is answered."""
    say = personal(interaction)
    try:
        sentence = await work
    except StoreError as error:
        log.warning("interaction %d: not possible just now: %s", interaction.id, error)
        sentence = say.store_trouble(error)
    except Exception:
        # The click must be answered; the log has the rest.
        log.exception("interaction %d failed", interaction.id)
        sentence = say.APOLOGY
    if sentence is not None:
        await answer(interaction, sentence)
