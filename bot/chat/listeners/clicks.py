"""Hears of forms, and of what nobody else answers: an old or foreign button must not just fail."""

import asyncio
import logging

import discord
from discord.ext import commands

from bot.chat.answers.answer import answer, is_claimed
from bot.chat.buttons.forms import take
from bot.chat.language import personal
from bot.chat.listeners.listener import Listener
from bot.sentences.refusals import Refusal, refusal

log = logging.getLogger(__name__)

PATIENCE_S = 2.0  # seconds after which a click that nobody answered gets a sentence; Discord waits for 3
_LOOKS = 20  # within that time, so that a click that was answered holds up nothing
_ANSWERABLE = (discord.InteractionType.component, discord.InteractionType.modal_submit)


class ClickListener(Listener):
    """discord.py itself hands commands and known buttons over."""

    patience_s = PATIENCE_S

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction) -> None:
        try:
            if interaction.type is discord.InteractionType.modal_submit and await take(interaction):
                return
        except Refusal as error:
            await answer(interaction, refusal(error, personal(interaction)))
        except Exception:
            # A form must be answered whatever happens; the log has the rest.
            log.exception("interaction %d: a form failed", interaction.id)
            await answer(interaction, personal(interaction).APOLOGY)
        if interaction.type in _ANSWERABLE:
            for _ in range(_LOOKS):
                if is_claimed(interaction):
                    return
                await asyncio.sleep(self.patience_s / _LOOKS)
            if not is_claimed(interaction):
                await answer(interaction, personal(interaction).UNKNOWN_BUTTON)
