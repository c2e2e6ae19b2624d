"""Answers an interaction with one sentence that only its user sees. A failed answer undoes nothing."""

import logging

import discord

log = logging.getLogger(__name__)


async def answer(interaction: discord.Interaction, sentence: str) -> None:
    """Say it as the first answer, or as a follow-up when there was one.

    Discord takes none after 3 s (10062), nor a second first one (40060, e.g. beside an overlapping process).
    """
    try:
        if interaction.response.is_done():
            await interaction.followup.send(sentence, ephemeral=True)
        else:
            await interaction.response.send_message(sentence, ephemeral=True)
    except discord.HTTPException as error:
        log.info("interaction %d: not answered, %s", interaction.id, error)
