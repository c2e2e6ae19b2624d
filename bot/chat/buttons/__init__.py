"""The buttons under a dream's message: which stand there when, and what a click does."""

import discord

from bot.chat.buttons import cancel, leftovers, onward  # noqa: F401 - they register their actions
from bot.chat.buttons.button import DreamButton, may_dispose
from bot.chat.sentences import Sentences
from bot.dreams.dream import Dream

__all__ = ["DreamButton", "ended_view", "live_view", "may_dispose"]


def live_view(dream: Dream, say: Sentences) -> discord.ui.View:
    """Of a dream that waits or is being dreamt."""
    return discord.ui.View(timeout=None).add_item(DreamButton(dream.id, "cancel", say.CANCEL))


def ended_view(dream: Dream, say: Sentences, *, has_picture: bool) -> discord.ui.View:
    """Of a dream that is over; only with a picture there is something to go on from."""
    above = [("again", say.AGAIN), ("edit", say.EDIT)]
    below = [("delete", say.DELETE)]
    if has_picture:
        above[1:1] = [("vary", say.VARY), ("continue", say.CONTINUE)]
        below[:0] = [("timelapse", say.TIMELAPSE), ("recipe", say.RECIPE)]
    view = discord.ui.View(timeout=None)
    for row, buttons in enumerate((above, below)):
        for action, label in buttons:
            view.add_item(DreamButton(dream.id, action, label, row=row))
    return view
