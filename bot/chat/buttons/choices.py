"""The buttons under a choice: decide now, and cancel. They carry its id and work after any restart."""

import re
from typing import TYPE_CHECKING, Self

import discord

from bot.chat.access import may_tidy
from bot.chat.answers.answer import answering
from bot.chat.language import personal
from bot.chat.sentences import ENGLISH, Sentences
from bot.community.choices import ChoiceState

if TYPE_CHECKING:
    from bot.chat.client import OneiroClient


class ChoiceButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"choice:(?P<id>[0-9]{1,18}):(?P<act>decide|cancel)",
):
    """Ends a vote, or the whole choice, for its author or a moderator."""

    def __init__(self, choice_id: int, act: str, say: Sentences = ENGLISH) -> None:
        decide = act == "decide"
        super().__init__(
            discord.ui.Button(
                label=say.DECIDE_NOW if decide else say.CANCEL,
                style=discord.ButtonStyle.primary if decide else discord.ButtonStyle.secondary,
                custom_id=f"choice:{choice_id}:{act}",
            )
        )
        self.choice_id = choice_id
        self.act = act

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,
        item: discord.ui.Item[discord.ui.View],
        match: re.Match[str],
        /,
    ) -> Self:
        return cls(int(match["id"]), match["act"])

    async def callback(self, interaction: discord.Interaction) -> None:
        client: OneiroClient = interaction.client  # type: ignore[assignment]  # there is only this one
        await answering(interaction, self._act(interaction, client, personal(interaction)))

    async def _act(self, interaction: discord.Interaction, client: "OneiroClient", say: Sentences) -> str:
        choice = await client.choices.get(self.choice_id)
        if choice is None:
            return say.UNKNOWN_DREAM
        settings = client.moderation.settings(choice.guild_id)
        here = interaction.guild_id == choice.guild_id
        if interaction.user.id != choice.author_id and not (here and may_tidy(interaction, settings)):
            return say.NOT_YOUR_CHOICE
        if choice.state.is_over:
            return say.ALREADY_DECIDED
        by = interaction.user.id
        if self.act == "cancel":
            done, sentence = await client.choices.cancel(choice.id), say.WITHDRAWN
        elif choice.state is not ChoiceState.VOTING:
            return say.NOT_VOTING
        else:
            done, sentence = await client.choices.end_vote(choice.id, by), say.DECIDING
        if not done:
            return say.ALREADY_DECIDED
        first = next(iter(await client.choices.candidates(choice.id)), None)  # whose number people know
        number = first.id if first else choice.id
        await client.moderation.note_about(choice, by=by, what=self.act, number=number)
        return sentence


def choice_view(choice_id: int, say: Sentences, *, voting: bool) -> discord.ui.View:
    """The buttons of a choice that is not over."""
    view = discord.ui.View(timeout=None)
    if voting:
        view.add_item(ChoiceButton(choice_id, "decide", say))
    return view.add_item(ChoiceButton(choice_id, "cancel", say))
