"""A button that belongs to a dream. Its id says which and what, so it works after any restart.

What a click does is an action, found by its name: `@action("again")`.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import discord

from bot.chat.access import may_tidy, unseen
from bot.chat.answers.answer import answer, answering
from bot.chat.language import personal
from bot.chat.sentences import Sentences
from bot.dreams.dream import Dream

if TYPE_CHECKING:
    from bot.chat.client import OneiroClient


@dataclass(frozen=True, slots=True)
class Click:
    """Somebody's click on a button of a dream that they may see."""

    interaction: discord.Interaction
    client: "OneiroClient"
    say: Sentences
    dream: Dream

    @property
    def may_tidy(self) -> bool:
        """Whether they may end and delete the dream: its author or a moderator."""
        return may_dispose(self.interaction, self.client, self.dream)

    async def answer(self, sentence: str) -> None:
        await answer(self.interaction, sentence)


DISPOSING = frozenset(("cancel", "delete", "erase", "banauthor"))  # they show nothing of the dream
Action = Callable[[Click], Awaitable[None]]  # answers the click
_ACTIONS: dict[str, Action] = {}


def action(name: str) -> Callable[[Action], Action]:
    """What a click on a button with this name (a-z) does."""

    def register(does: Action) -> Action:
        _ACTIONS[name] = does
        return does

    return register


def may_dispose(interaction: discord.Interaction, client: "OneiroClient", dream: Dream) -> bool:
    """Whether this person may end and delete the dream."""
    return interaction.user.id == dream.author_id or (
        interaction.guild_id == dream.guild_id
        and may_tidy(interaction, client.moderation.settings(dream.guild_id))
    )


class DreamButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"dream:(?P<id>[0-9]{1,18}):(?P<action>[a-z]{1,20})",
):
    """Does an action with a dream; one that it does not know gets a sentence."""

    def __init__(
        self,
        dream_id: int,
        action: str,
        label: str | None = None,
        *,
        style: discord.ButtonStyle = discord.ButtonStyle.secondary,
        row: int | None = None,
    ) -> None:
        super().__init__(
            discord.ui.Button(label=label, style=style, custom_id=f"dream:{dream_id}:{action}", row=row)
        )
        self.dream_id = dream_id
        self.action = action

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,
        item: discord.ui.Item[discord.ui.View],
        match: re.Match[str],
        /,
    ) -> Self:
        return cls(int(match["id"]), match["action"], "…")

    async def callback(self, interaction: discord.Interaction) -> None:
        client: OneiroClient = interaction.client  # type: ignore[assignment]  # there is only this one
        await answering(interaction, self._do(interaction, client, personal(interaction)))

    async def _do(
        self, interaction: discord.Interaction, client: "OneiroClient", say: Sentences
    ) -> str | None:
        """What to answer; None when the action has done so."""
        does = _ACTIONS.get(self.action)
        if does is None:
            return say.UNKNOWN_BUTTON
        dream = await client.store.get(self.dream_id)
        if dream is None:
            return say.UNKNOWN_DREAM
        if dream.erased:
            return say.DELETED_ALREADY
        # Who may end it needs to see nothing of it: a report's buttons stand in another channel.
        ends = self.action in DISPOSING and may_dispose(interaction, client, dream)
        if not ends and (refused := await unseen(interaction, dream, say.UNKNOWN_DREAM)):
            return refused
        await does(Click(interaction, client, say, dream))
        return None
