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
from bot.dreams.dream import DreamState
from bot.queue.worker import Cancelled
from bot.sentences import ENGLISH, Sentences
from bot.sentences.quoting import plain

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
    line = parts_of(interaction).server_line
    return say.cleared(await line.clear(guild_id(interaction), button.person or None, by=interaction.user.id))


@moderate.command(name="cancel", description=ENGLISH.COMMAND_CANCEL)
@app_commands.describe(dream=ENGLISH.COMMAND_DREAM_ID)
async def cancel(interaction: discord.Interaction, dream: int) -> None:
    say, line = personal(interaction), parts_of(interaction).server_line
    outcome = await line.cancel(guild_id(interaction), dream, by=interaction.user.id)
    said = {
        None: say.NOT_IN_LINE,
        Cancelled.OVER: say.ALREADY_OVER,
        Cancelled.WITHDRAWN: say.WITHDRAWN,
        Cancelled.STOPPING: say.STOPPING,
    }
    await answer(interaction, said[outcome])


@moderate.command(name="front", description=ENGLISH.COMMAND_FRONT)
@app_commands.describe(dream=ENGLISH.COMMAND_DREAM_ID)
async def front(interaction: discord.Interaction, dream: int) -> None:
    say, line = personal(interaction), parts_of(interaction).server_line
    done = await line.move_to_front(guild_id(interaction), dream, by=interaction.user.id)
    await answer(interaction, say.moved(dream) if done else say.NOT_IN_LINE)


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
