"""What a click does, told to the buttons; of a dream's button it is an action, found by its name.

`@clicked(MineButton)` for a kind of button; `@action("again")` for one action of a dream's.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import discord

from bot.chat.access import may_tidy, unseen
from bot.chat.answers.answer import answer, answering
from bot.chat.buttons.button import PersistentButton
from bot.chat.buttons.dream import DreamButton
from bot.chat.language import personal
from bot.chat.parts import Parts, parts_of
from bot.community.choices import Choice
from bot.dreams.dream import Dream
from bot.dreams.ending import may_end
from bot.sentences import Sentences

Kind = TypeVar("Kind", bound=PersistentButton)
Does = Callable[[Kind, discord.Interaction, Sentences], Awaitable[str | None]]


def clicked(kind: type[Kind]) -> Callable[[Does[Kind]], Does[Kind]]:
    """What a click on such a button does. It gives the sentence to answer with; None when it has answered."""

    def register(does: Does[Kind]) -> Does[Kind]:
        async def click(button: Kind, interaction: discord.Interaction) -> None:
            await answering(interaction, does(button, interaction, personal(interaction)))

        kind.on_click = click
        return does

    return register


@dataclass(frozen=True, slots=True)
class Click:
    """Somebody's click on a button of a dream that they may see."""

    interaction: discord.Interaction
    parts: Parts
    say: Sentences
    dream: Dream

    @property
    def moderates(self) -> bool:
        """Whether they may end and delete other people's dreams where this one was asked for."""
        return moderates(self.interaction, self.dream)

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


def moderates(interaction: discord.Interaction, thing: Dream | Choice) -> bool:
    """Whether this person may end and delete other people's dreams where this one was asked for."""
    settings = parts_of(interaction).moderation.settings(thing.guild_id)
    return interaction.guild_id == thing.guild_id and may_tidy(interaction, settings)


@clicked(DreamButton)
async def do(button: DreamButton, interaction: discord.Interaction, say: Sentences) -> str | None:
    """What to answer; None when the action has done so."""
    parts = parts_of(interaction)
    does = _ACTIONS.get(button.action)
    if does is None:
        return say.UNKNOWN_BUTTON
    dream = await parts.store.get(button.dream_id)
    if dream is None:
        return say.UNKNOWN_DREAM
    if dream.erased:
        return say.DELETED_ALREADY
    # Who may end it needs to see nothing of it: a report's buttons stand in another channel.
    may = may_end(dream, interaction.user.id, moderates=moderates(interaction, dream))
    ends = button.action in DISPOSING and may
    if not ends and (refused := await unseen(interaction, dream, say.UNKNOWN_DREAM)):
        return refused
    await does(Click(interaction, parts, say, dream))
    return None
