"""Cancel and delete: for the dream's author and moderators."""

from collections.abc import Callable

import discord

from bot.chat.answers.answer import answer
from bot.chat.buttons.click import Click, action
from bot.chat.buttons.dream import DreamButton
from bot.chat.erasing import erase as erase_dream
from bot.chat.sentences import Sentences
from bot.queue.worker import Cancelled

_ANSWERS: dict[Cancelled, Callable[[Sentences], str]] = {
    Cancelled.WITHDRAWN: lambda say: say.WITHDRAWN,
    Cancelled.STOPPING: lambda say: say.STOPPING,
    Cancelled.OVER: lambda say: say.ALREADY_OVER,
}


@action("cancel")
async def cancel(click: Click) -> None:
    """End a dream, waiting or running, and keep its best picture."""
    if not click.may_tidy:
        await click.answer(click.say.NOT_YOURS)
        return
    outcome = await click.parts.worker.cancel(click.dream.id, by=click.interaction.user.id)
    if outcome is not Cancelled.OVER:
        await _note(click, "cancel")
    await click.answer(_ANSWERS[outcome](click.say))


@action("delete")
async def delete(click: Click) -> None:
    """Ask once whether the dream shall be deleted."""
    if not click.may_tidy:
        await click.answer(click.say.NOT_YOURS_TO_DELETE)
    elif not click.dream.state.is_over:
        await click.answer(click.say.CANCEL_FIRST)
    else:
        sure = DreamButton(click.dream.id, "erase", click.say.DELETE_SURELY, style=discord.ButtonStyle.danger)
        view = discord.ui.View(timeout=None).add_item(sure)
        await answer(click.interaction, click.say.DELETE_QUESTION, view=view)


@action("erase")
async def erase(click: Click) -> None:
    """Delete the dream for good."""
    if not click.may_tidy:
        await click.answer(click.say.NOT_YOURS_TO_DELETE)
    elif not click.dream.state.is_over:
        await click.answer(click.say.CANCEL_FIRST)
    else:
        erased = await erase_dream(click.parts, click.dream)
        if erased:
            await _note(click, "delete")
        await click.answer(click.say.DELETED if erased else click.say.NOT_DELETED)


async def _note(click: Click, what: str) -> None:
    """What a moderator does with somebody else's dream stands in the audit trail."""
    await click.parts.moderation.note_about(click.dream, by=click.interaction.user.id, what=what)
