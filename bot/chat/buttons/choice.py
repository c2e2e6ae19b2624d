"""The buttons under a choice: decide now, and cancel. They carry its id and work after any restart."""

import re
from typing import Self

import discord

from bot.chat.buttons.button import PersistentButton
from bot.sentences import ENGLISH, Sentences


class ChoiceButton(PersistentButton, template=r"choice:(?P<id>[0-9]{1,18}):(?P<act>decide|cancel)"):
    """Ends a vote, or the whole choice, for its author or a moderator."""

    def __init__(self, choice_id: int, act: str, say: Sentences = ENGLISH) -> None:
        decide = act == "decide"
        super().__init__(
            f"choice:{choice_id}:{act}",
            say.DECIDE_NOW if decide else say.CANCEL,
            style=discord.ButtonStyle.primary if decide else discord.ButtonStyle.secondary,
        )
        self.choice_id = choice_id
        self.act = act

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        return cls(int(match["id"]), match["act"])


def choice_view(choice_id: int, say: Sentences, *, voting: bool) -> discord.ui.View:
    """The buttons of a choice that is not over."""
    view = discord.ui.View(timeout=None)
    if voting:
        view.add_item(ChoiceButton(choice_id, "decide", say))
    return view.add_item(ChoiceButton(choice_id, "cancel", say))
