"""Cancel and delete: for the dream's author and moderators."""

from collections.abc import Callable
from functools import partial

import discord

from bot.chat.answers.answer import answer
from bot.chat.buttons.click import Click, action
from bot.chat.buttons.dream import DreamButton
from bot.chat.erasing import erase as erase_dream
from bot.dreams.ending import check_deletable
from bot.queue.worker import Cancelled
from bot.sentences import Sentences

_ANSWERS: dict[Cancelled, Callable[[Sentences], str]] = {
    Cancelled.WITHDRAWN: lambda say: say.WITHDRAWN,
    Cancelled.STOPPING: lambda say: say.STOPPING,
    Cancelled.OVER: lambda say: say.ALREADY_OVER,
}


@action("cancel")
async def cancel(click: Click) -> None:
    """End a dream, waiting or running, and keep its best picture."""
    by = click.interaction.user.id
    outcome = await click.parts.ending.cancel(click.dream, by=by, moderates=click.moderates)
    await click.answer(_ANSWERS[outcome](click.say))


@action("delete")
async def delete(click: Click) -> None:
    """Ask once whether the dream shall be deleted."""
    check_deletable(click.dream, click.interaction.user.id, moderates=click.moderates)
    sure = DreamButton(click.dream.id, "erase", click.say.DELETE_SURELY, style=discord.ButtonStyle.danger)
    view = discord.ui.View(timeout=None).add_item(sure)
    await answer(click.interaction, click.say.DELETE_QUESTION, view=view)


@action("erase")
async def erase(click: Click) -> None:
    """Delete the dream for good."""
    erased = await click.parts.ending.delete(
        click.dream,
        partial(erase_dream, click.parts),
        by=click.interaction.user.id,
        moderates=click.moderates,
    )
    await click.answer(click.say.DELETED if erased else click.say.NOT_DELETED)
