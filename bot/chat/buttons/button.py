"""A button that outlives a restart: its id says all that a click needs. What a click does it is told later.

So a message can show a button without knowing what it does: see `bot.chat.buttons.click.clicked`.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Self

import discord


class PersistentButton(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"(?!)"):
    """Each subclass names the pattern of its ids, its `template`, and reads what an id says: `of`."""

    on_click: ClassVar[Callable[[Any, discord.Interaction], Awaitable[None]]]  # set by `clicked`

    def __init__(
        self,
        custom_id: str,
        label: str | None,
        *,
        style: discord.ButtonStyle = discord.ButtonStyle.secondary,
        row: int | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(
            discord.ui.Button(label=label, style=style, custom_id=custom_id, row=row, disabled=disabled)
        )

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        """The button with this id; how it looks does not matter any more."""
        raise NotImplementedError

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,
        item: discord.ui.Item[discord.ui.View],
        match: re.Match[str],
        /,
    ) -> Self:
        return cls.of(match)

    async def callback(self, interaction: discord.Interaction) -> None:
        await type(self).on_click(self, interaction)
