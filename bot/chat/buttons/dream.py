"""The buttons under a dream's message: which stand there when."""

import re
from typing import Self

import discord

from bot.chat.buttons.button import PersistentButton
from bot.dreams.dream import Dream
from bot.sentences import Sentences


class DreamButton(PersistentButton, template=r"dream:(?P<id>[0-9]{1,18}):(?P<action>[a-z]{1,20})"):
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
        super().__init__(f"dream:{dream_id}:{action}", label, style=style, row=row)
        self.dream_id = dream_id
        self.action = action

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        return cls(int(match["id"]), match["action"], "…")


def live_view(dream: Dream, say: Sentences) -> discord.ui.View:
    """Of a dream that waits or is being dreamt."""
    return discord.ui.View(timeout=None).add_item(DreamButton(dream.id, "cancel", say.CANCEL))


def ended_view(
    dream: Dream, say: Sentences, *, has_picture: bool, is_let_go: bool = False
) -> discord.ui.View:
    """Of a dream that is over; only with a picture there is something to go on from.

    `is_let_go`: its picture is kept no longer, and can be dreamt again.
    """
    above = [("again", say.AGAIN), ("edit", say.EDIT)]
    above[:0] = [("repeat", say.REPEAT)] if is_let_go else []
    below = [("delete", say.DELETE)]
    if has_picture:
        above[1:1] = [("vary", say.VARY), ("continue", say.CONTINUE)]
        below[:0] = [("timelapse", say.TIMELAPSE), ("recipe", say.RECIPE)]
    view = discord.ui.View(timeout=None)
    for row, buttons in enumerate((above, below)):
        for action, label in buttons:
            view.add_item(DreamButton(dream.id, action, label, row=row))
    return view
