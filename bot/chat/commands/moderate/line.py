"""`/moderate pause`, `resume`, `drain`, `clear`, `cancel`, `front`: this server's part of the line."""

import re
from dataclasses import replace
from typing import Self

import discord
from discord import app_commands

from bot.chat.answers.answer import answer
from bot.chat.buttons.button import PersistentButton
from bot.chat.buttons.click import clicked
from bot.chat.commands.moderate.group import (
    change,
    check,
    guild_id,
    is_allowed,
    moderate,
)
from bot.chat.language import personal
from bot.chat.parts import parts_of
from bot.chat.quoting import plain
from bot.chat.sentences import ENGLISH, Sentences
from bot.dreams.dream import Dream, DreamState
from bot.queue.worker import Cancelled

_SUGGESTIONS = 25  # Discord shows no more choices


@moderate.command(name="pause", description=ENGLISH.COMMAND_PAUSE)
async def pause(interaction: discord.Interaction) -> None:
    await change(interaction, lambda old: replace(old, paused=True))


@moderate.command(name="drain", description=ENGLISH.COMMAND_DRAIN)
async def drain(interaction: discord.Interaction) -> None:
    await change(interaction, lambda old: replace(old, draining=True))


@moderate.command(name="resume", description=ENGLISH.COMMAND_RESUME)
async def resume(interaction: discord.Interaction) -> None:
    await change(interaction, lambda old: replace(old, paused=False, draining=False))


@moderate.command(name="clear", description=ENGLISH.COMMAND_CLEAR)
@app_commands.describe(person=ENGLISH.COMMAND_CLEAR_PERSON)
async def clear(interaction: discord.Interaction, person: discord.User | None = None) -> None:
    say, parts = personal(interaction), parts_of(interaction)
    whose = person.id if person is not None else None
    count = parts.worker.waiting(guild_id(interaction), whose)
    if count == 0:
        await answer(interaction, say.LINE_EMPTY)
    else:
        view = discord.ui.View(timeout=None).add_item(ClearButton(whose or 0, say))
        await answer(interaction, say.sure(count), view=view)


class ClearButton(PersistentButton, template=r"moderate:clear:(?P<id>[0-9]{1,20})"):
    """Clears the line, of one person or (0) of everybody."""

    def __init__(self, person: int, say: Sentences = ENGLISH) -> None:
        super().__init__(f"moderate:clear:{person}", say.CLEAR, style=discord.ButtonStyle.danger)
        self.person = person

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        return cls(int(match["id"]))


@clicked(ClearButton)
async def clear_now(button: ClearButton, interaction: discord.Interaction, say: Sentences) -> str:
    check(interaction)
    return say.cleared(await withdraw(interaction, button.person or None))


async def withdraw(interaction: discord.Interaction, person: int | None) -> int:
    """Take all dreams (of this person) out of this server's line, and note it. Raises `StoreError`."""
    parts = parts_of(interaction)
    count = await parts.worker.clear(guild_id(interaction), person, by=interaction.user.id)
    if count:
        target = "" if person is None else f"person:{person}"
        await parts.moderation.note(
            guild_id(interaction), by=interaction.user.id, what="clear", target=target, new=str(count)
        )
    return count


@moderate.command(name="cancel", description=ENGLISH.COMMAND_CANCEL)
@app_commands.describe(dream=ENGLISH.COMMAND_DREAM_ID)
async def cancel(interaction: discord.Interaction, dream: int) -> None:
    say, parts = personal(interaction), parts_of(interaction)
    if await _here(interaction, dream) is None:
        await answer(interaction, say.NOT_IN_LINE)
        return
    outcome = await parts.worker.cancel(dream, by=interaction.user.id)
    if outcome is Cancelled.OVER:
        await answer(interaction, say.ALREADY_OVER)
        return
    await parts.moderation.note(
        guild_id(interaction), by=interaction.user.id, what="cancel", target=f"dream:{dream}"
    )
    await answer(interaction, say.WITHDRAWN if outcome is Cancelled.WITHDRAWN else say.STOPPING)


@moderate.command(name="front", description=ENGLISH.COMMAND_FRONT)
@app_commands.describe(dream=ENGLISH.COMMAND_DREAM_ID)
async def front(interaction: discord.Interaction, dream: int) -> None:
    say, parts = personal(interaction), parts_of(interaction)
    if await _here(interaction, dream) is None or not await parts.worker.move_to_front(dream):
        await answer(interaction, say.NOT_IN_LINE)
        return
    await parts.moderation.note(
        guild_id(interaction), by=interaction.user.id, what="front", target=f"dream:{dream}"
    )
    await answer(interaction, say.moved(dream))


@cancel.autocomplete("dream")
async def _any_dream(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[int]]:
    return await _suggested(interaction, current, (DreamState.QUEUED, DreamState.DREAMING))


@front.autocomplete("dream")
async def _waiting_dream(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[int]]:
    return await _suggested(interaction, current, (DreamState.QUEUED,))


async def _suggested(
    interaction: discord.Interaction, current: str, states: tuple[DreamState, ...]
) -> list[app_commands.Choice[int]]:
    if not is_allowed(interaction):  # a command's own check does not guard its suggestions
        return []
    dreams = await parts_of(interaction).store.in_server(guild_id(interaction), states)
    told = await parts_of(interaction).sight.listed(interaction, dreams)
    words = {dream.id: plain(dream.prompt, 80) if told[dream.id].tells else "…" for dream in dreams}
    named = [(f"{id} · {text}", id) for id, text in words.items()]
    found = [(name, id) for name, id in named if current.casefold() in name.casefold()]
    return [app_commands.Choice(name=name, value=id) for name, id in found[:_SUGGESTIONS]]


async def _here(interaction: discord.Interaction, dream_id: int) -> Dream | None:
    """This server's dream with this id."""
    if not 0 < dream_id < 2**63:
        return None
    dream = await parts_of(interaction).store.get(dream_id)
    return dream if dream is not None and dream.guild_id == interaction.guild_id else None
