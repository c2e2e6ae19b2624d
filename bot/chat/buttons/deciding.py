"""What a click on a choice's buttons does: the vote ends now, or the whole choice."""

import discord

from bot.chat.access import may_tidy
from bot.chat.buttons.choice import ChoiceButton
from bot.chat.buttons.click import clicked
from bot.chat.parts import parts_of
from bot.chat.sentences import Sentences
from bot.community.choices import ChoiceState


@clicked(ChoiceButton)
async def end(button: ChoiceButton, interaction: discord.Interaction, say: Sentences) -> str:
    """End a vote, or the whole choice, for its author or a moderator."""
    parts = parts_of(interaction)
    choice = await parts.choices.get(button.choice_id)
    if choice is None:
        return say.UNKNOWN_DREAM
    settings = parts.moderation.settings(choice.guild_id)
    here = interaction.guild_id == choice.guild_id
    if interaction.user.id != choice.author_id and not (here and may_tidy(interaction, settings)):
        return say.NOT_YOUR_CHOICE
    if choice.state.is_over:
        return say.ALREADY_DECIDED
    by = interaction.user.id
    if button.act == "cancel":
        done, sentence = await parts.choices.cancel(choice.id), say.WITHDRAWN
    elif choice.state is not ChoiceState.VOTING:
        return say.NOT_VOTING
    else:
        done, sentence = await parts.choices.end_vote(choice.id, by), say.DECIDING
    if not done:
        return say.ALREADY_DECIDED
    first = next(iter(await parts.choices.candidates(choice.id)), None)  # whose number people know
    number = first.id if first else choice.id
    await parts.moderation.note_about(choice, by=by, what=button.act, number=number)
    return sentence
