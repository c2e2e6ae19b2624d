"""What a click on a choice's buttons does: the vote ends now, or the whole choice."""

import discord

from bot.chat.buttons.choice import ChoiceButton
from bot.chat.buttons.click import clicked, moderates
from bot.chat.parts import parts_of
from bot.queue.limits import Refused
from bot.sentences import Sentences
from bot.sentences.refusals import refusal


@clicked(ChoiceButton)
async def end(button: ChoiceButton, interaction: discord.Interaction, say: Sentences) -> str:
    """End a vote, or the whole choice, for its author or a moderator."""
    parts = parts_of(interaction)
    choice = await parts.choices.get(button.choice_id)
    if choice is None:
        return say.UNKNOWN_DREAM
    by, may = interaction.user.id, moderates(interaction, choice)
    try:
        if button.act == "cancel":
            await parts.ending.cancel_choice(choice, by=by, moderates=may)
            return say.WITHDRAWN
        await parts.ending.end_vote(choice, by=by, moderates=may)
        return say.DECIDING
    except Refused as error:
        return refusal(error, say)
