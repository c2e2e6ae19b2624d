"""The tree of commands: looks at what comes before a command reads it, and answers what it raises."""

import asyncio
import logging
from typing import Any

import discord
from discord import app_commands

from bot.chat.access import NotAModerator
from bot.chat.answers.answer import answer, suggest_nothing
from bot.chat.commands.moderate.group import check, moderate
from bot.chat.commands.options import objection
from bot.chat.language import personal
from bot.sentences.refusals import Refusal, refusal

log = logging.getLogger(__name__)

ANSWERED_S = 1.5  # seconds that a command may take to its answer when the bot stops


class Tree(app_commands.CommandTree[discord.Client]):
    """The commands, with one sentence for whatever was not expected."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._running: set[asyncio.Task[Any]] = set()  # commands on their way
        self._is_closed = False

    async def close(self) -> None:
        """Let commands come to their answers; what they wait for afterwards, nobody tells any more."""
        self._is_closed = True
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=ANSWERED_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _call(self, interaction: discord.Interaction) -> None:
        """Each command comes by here, in a task of discord.py's own."""
        task = asyncio.current_task()
        if self._is_closed or task is None:
            return  # an overlapping process may answer
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        await super()._call(interaction)

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        """Whether the command can be read at all; if not, whoever sent it is told."""
        sentence = objection(interaction, self, personal(interaction))
        if not sentence:
            return True
        log.info("interaction %d: not readable", interaction.id)
        if interaction.data is not None and interaction.data.get("name") == moderate.name:
            check(interaction)  # before anything else is said; raises `NotAModerator`
        if interaction.type is discord.InteractionType.autocomplete:
            await suggest_nothing(interaction)
        else:
            await answer(interaction, sentence)
        return False

    async def on_error(
        self, interaction: discord.Interaction, error: app_commands.AppCommandError, /
    ) -> None:
        say = personal(interaction)
        if isinstance(error, NotAModerator):
            await answer(interaction, say.NOT_A_MODERATOR)
        elif isinstance(cause := getattr(error, "original", error), Refusal):
            log.debug("interaction %d: refused, %r", interaction.id, cause)
            await answer(interaction, refusal(cause, say))
        elif isinstance(error, app_commands.TransformerError):
            await answer(interaction, say.BAD_OPTION)
        elif isinstance(error, app_commands.CommandNotFound | app_commands.CommandSignatureMismatch):
            log.info("interaction %d: of another version's commands: %s", interaction.id, error)
            await answer(interaction, say.OLD_COMMAND)
        else:
            log.error("interaction %d failed", interaction.id, exc_info=error)
            await answer(interaction, say.APOLOGY)
