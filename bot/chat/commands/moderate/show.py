"""`/moderate show` and `audit`: what is set, and who set it."""

import re
from typing import Self

import discord

from bot.chat.answers.answer import answer, turn
from bot.chat.buttons.button import PersistentButton
from bot.chat.buttons.click import clicked
from bot.chat.commands.moderate.group import (
    check,
    guild_id,
    moderate,
    settings,
    within,
)
from bot.chat.language import personal
from bot.chat.parts import parts_of
from bot.sentences import ENGLISH, Sentences, audit_log

PAGE = 10  # entries
_DESCRIPTION = 4000  # characters; an embed's description holds 4096


@moderate.command(name="show", description=ENGLISH.COMMAND_SHOW)
async def show(interaction: discord.Interaction) -> None:
    say = personal(interaction)
    unchecked = not parts_of(interaction).worker.checks_pictures
    text = within(audit_log.overview(settings(interaction), say, unchecked=unchecked), _DESCRIPTION)
    await answer(interaction, embed=discord.Embed(title=say.SETTINGS_TITLE, description=text))


@moderate.command(name="audit", description=ENGLISH.COMMAND_AUDIT)
async def audit(interaction: discord.Interaction) -> None:
    embed, view = await _page(interaction, None)
    await answer(interaction, embed=embed, view=view)


class AuditButton(PersistentButton, template=r"moderate:audit:(?P<before>[0-9]{1,18})"):
    """Turns to the entries before one of them; 0: to the newest."""

    def __init__(self, before: int, say: Sentences = ENGLISH, *, disabled: bool = False) -> None:
        label = say.OLDER if before else say.NEWEST
        super().__init__(f"moderate:audit:{before}", label, disabled=disabled)
        self.before = before

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        return cls(int(match["before"]))


@clicked(AuditButton)
async def turn_to(button: AuditButton, interaction: discord.Interaction, say: Sentences) -> None:
    check(interaction)
    await turn(interaction, *await _page(interaction, button.before or None))


async def _page(
    interaction: discord.Interaction, before: int | None
) -> tuple[discord.Embed, discord.ui.View]:
    say, moderation = personal(interaction), parts_of(interaction).moderation
    found = await moderation.audit(guild_id(interaction), before=before, most=PAGE + 1)
    entries = found[:PAGE]
    text = within([audit_log.line(entry, say) for entry in entries], _DESCRIPTION) or say.NO_CHANGES
    view = discord.ui.View(timeout=None)
    view.add_item(AuditButton(0, say, disabled=before is None))
    if len(found) > PAGE:
        view.add_item(AuditButton(entries[-1].id, say))
    return discord.Embed(title=say.AUDIT_TITLE, description=text), view
