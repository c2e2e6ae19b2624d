"""Buttons. Each carries its dream's id, so it works after any restart without being registered again."""

import logging
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

import discord

from bot.chat.access import may_tidy
from bot.chat.answer import answer
from bot.chat.language import personal
from bot.chat.sentences import ENGLISH, Sentences
from bot.database import StoreError
from bot.worker import Cancelled

if TYPE_CHECKING:
    from bot.chat.client import OneiroClient

log = logging.getLogger(__name__)

_ANSWERS: dict[Cancelled, Callable[[Sentences], str]] = {
    Cancelled.WITHDRAWN: lambda say: say.WITHDRAWN,
    Cancelled.STOPPING: lambda say: say.STOPPING,
    Cancelled.OVER: lambda say: say.ALREADY_OVER,
}


class CancelButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"dream:(?P<id>[0-9]{1,18}):cancel",
):
    """Ends a dream, waiting or running, for its author or a moderator."""

    def __init__(self, dream_id: int, say: Sentences = ENGLISH) -> None:
        super().__init__(
            discord.ui.Button(
                label=say.CANCEL,
                style=discord.ButtonStyle.secondary,
                custom_id=f"dream:{dream_id}:cancel",
            )
        )
        self.dream_id = dream_id

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,
        item: discord.ui.Item[discord.ui.View],
        match: re.Match[str],
        /,
    ) -> Self:
        return cls(int(match["id"]))

    async def callback(self, interaction: discord.Interaction) -> None:
        client: OneiroClient = interaction.client  # type: ignore[assignment]  # there is only this one
        say = personal(interaction)
        try:
            sentence = await self._cancel(interaction, client, say)
        except StoreError as error:
            log.warning("dream %d: cannot be cancelled just now: %s", self.dream_id, error)
            sentence = say.store_trouble(error)
        except Exception:
            # The click must be answered whatever happens; the log has the rest.
            log.exception("dream %d: a click on its cancel button failed", self.dream_id)
            sentence = say.APOLOGY
        await answer(interaction, sentence)

    async def _cancel(self, interaction: discord.Interaction, client: "OneiroClient", say: Sentences) -> str:
        dream = await client.store.get(self.dream_id)
        if dream is None:
            return say.UNKNOWN_DREAM
        if interaction.user.id != dream.author_id and not (
            interaction.guild_id == dream.guild_id
            and may_tidy(interaction, client.moderation.settings(dream.guild_id))
        ):
            return say.NOT_YOURS
        return _ANSWERS[await client.worker.cancel(dream.id)](say)


def cancel_view(dream_id: int, say: Sentences) -> discord.ui.View:
    """The buttons of a dream that is not over."""
    return discord.ui.View(timeout=None).add_item(CancelButton(dream_id, say))
