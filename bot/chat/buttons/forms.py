"""Forms with words to fill in. Their answers are read from the interaction alone, so they outlive a restart.

discord.py forgets a form when the process ends; a form's custom id says all that its answer needs.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import discord

from bot.chat.access import obstacle, unseen
from bot.chat.answers.answer import answer, show
from bot.chat.asking import order, usual
from bot.chat.attachments import objection
from bot.chat.language import personal
from bot.chat.parts import parts_of
from bot.dreams.dream import Dream
from bot.dreams.onward import reworded
from bot.sentences import Sentences
from engine.settings import MAX_PROMPT

log = logging.getLogger(__name__)

MAX_TITLE = 45  # characters (Discord reference, 2026-08)
PROMPT, AVOID, BEGIN = "prompt", "avoid", "begin"  # the fields' custom ids
AFRESH, FROM_HERE = "afresh", "from_here"

_EDIT = re.compile(r"edit:(?P<id>[0-9]{1,18})")
_PICTURE = re.compile(r"picture:(?P<id>[0-9]{1,20})")


async def show_edit_form(interaction: discord.Interaction, dream: Dream, *, continuable: bool) -> None:
    """Ask for other words; `continuable`: they may be dreamt on from the dream's picture."""
    say = personal(interaction)
    form = discord.ui.Modal(title=say.EDIT_TITLE[:MAX_TITLE], custom_id=f"edit:{dream.id}")
    form.add_item(_words(say, dream.prompt))
    form.add_item(_avoided(say, dream.avoid))
    if continuable:
        begin = discord.ui.Select[discord.ui.Modal](custom_id=BEGIN)
        begin.add_option(label=say.BEGIN_AFRESH, value=AFRESH, default=True)
        begin.add_option(label=say.BEGIN_FROM_HERE, value=FROM_HERE)
        form.add_item(discord.ui.Label(text=say.BEGIN_LABEL, component=begin))
    await show(interaction, form)


async def show_picture_form(interaction: discord.Interaction, picture: discord.Attachment | None) -> None:
    """Ask what shall become of a picture, unless it cannot be used."""
    parts = parts_of(interaction)
    say = personal(interaction)
    sentence = obstacle(interaction, say) or (objection(picture, say) if picture else say.NO_PICTURE_HERE)
    if sentence is not None or picture is None:
        await answer(interaction, sentence or say.NO_PICTURE_HERE)
        return
    parts.chosen_pictures.keep(interaction.id, picture)
    form = discord.ui.Modal(title=say.PICTURE_TITLE[:MAX_TITLE], custom_id=f"picture:{interaction.id}")
    form.add_item(_words(say, ""))
    form.add_item(_avoided(say, ""))
    await show(interaction, form)


async def take(interaction: discord.Interaction) -> bool:
    """Read a form that somebody sent. False when it is none of ours. Raises a kind of `Refusal`."""
    custom_id = str(_data(interaction).get("custom_id", ""))
    if match := _EDIT.fullmatch(custom_id):
        await _edited(interaction, int(match["id"]))
    elif match := _PICTURE.fullmatch(custom_id):
        await _pictured(interaction, int(match["id"]))
    else:
        return False
    return True


async def _edited(interaction: discord.Interaction, dream_id: int) -> None:
    parts = parts_of(interaction)
    dream = await parts.store.get(dream_id)
    refused = await unseen(interaction, dream, personal(interaction).UNKNOWN_DREAM)
    if dream is None or refused:
        await answer(interaction, refused)
        return
    fields = dict(_fields(interaction))
    what = await reworded(
        dream,
        fields.get(PROMPT, ""),
        fields.get(AVOID, ""),
        from_here=fields.get(BEGIN) == FROM_HERE,
        store=parts.store,
    )
    await order(interaction, what)


async def _pictured(interaction: discord.Interaction, form: int) -> None:
    parts = parts_of(interaction)
    picture = parts.chosen_pictures.of(form)
    if picture is None:
        await answer(interaction, personal(interaction).PICTURE_FORGOTTEN)
        return
    fields = dict(_fields(interaction))
    what = replace(usual(interaction, fields.get(PROMPT, "")), avoid=fields.get(AVOID, ""))
    await order(interaction, what, attachment=picture)


def _words(say: Sentences, default: str) -> discord.ui.Label[discord.ui.Modal]:
    field = discord.ui.TextInput[discord.ui.Modal](
        custom_id=PROMPT,
        style=discord.TextStyle.paragraph,
        default=default or None,
        placeholder=say.COMMAND_PROMPT[:100],
        max_length=MAX_PROMPT,
    )
    return discord.ui.Label(text=say.PROMPT_LABEL, component=field)


def _avoided(say: Sentences, default: str) -> discord.ui.Label[discord.ui.Modal]:
    field = discord.ui.TextInput[discord.ui.Modal](
        custom_id=AVOID, default=default or None, required=False, max_length=MAX_PROMPT
    )
    return discord.ui.Label(text=say.AVOID_LABEL, component=field)


def _fields(interaction: discord.Interaction) -> Iterator[tuple[str, str]]:
    """What was filled in, by the fields' custom ids; of a choice, what was chosen."""
    pending: list[Any] = [_data(interaction)]
    while pending:
        component = pending.pop()
        if not isinstance(component, dict):  # from a changed client, as all that does not fit below
            continue
        inner, chosen = component.get("components"), component.get("values")
        pending += inner if isinstance(inner, list) else []
        pending.append(component.get("component"))
        value = component.get("value") or (chosen[0] if isinstance(chosen, list) and chosen else "")
        if isinstance(component.get("custom_id"), str) and isinstance(value, str):
            yield component["custom_id"], value


def _data(interaction: discord.Interaction) -> dict[str, Any]:
    return dict(interaction.data or {})
