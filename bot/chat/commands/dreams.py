"""/dreams: one's own dreams, any dream one may see, and new ones made of them."""

import logging
from dataclasses import replace

import discord
from discord import app_commands

from bot.chat.access import unseen
from bot.chat.answers.answer import answer, answering, think
from bot.chat.asking import order, usual
from bot.chat.buttons.dream import ended_view
from bot.chat.buttons.pages import mine_page
from bot.chat.commands.dream import MAX_CHOICE, MAX_CHOICES, Prompt
from bot.chat.language import personal
from bot.chat.messages.dream_message import DreamMessage
from bot.chat.messages.poster import fitting
from bot.chat.parts import parts_of
from bot.database.connection import StoreError
from bot.dreams import onward
from bot.dreams.asking import story as story_of
from bot.dreams.dream import Dream
from bot.dreams.suggestions import RECENT
from bot.sentences import ENGLISH, telling
from bot.sentences.quoting import plain

log = logging.getLogger(__name__)

MAX_ID = 10**15  # beyond it Discord's numbers are not exact
SEPARATOR = "|"  # between a story's chapters
DreamId = app_commands.Range[int, 1, MAX_ID]
Percent = app_commands.Range[int, 0, 100]

dreams = app_commands.Group(
    name="dreams",
    description=ENGLISH.COMMAND_DREAMS,
    allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
    allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False),
)


async def suggest_dreams(interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[int]]:
    """One's own newest dreams, by number or words."""
    try:
        own = await parts_of(interaction).store.by(interaction.user.id, most=RECENT)
    except StoreError as error:
        log.info("interaction %d: no suggestions: %s", interaction.id, error)
        return []
    begun = str(typed).strip().lower()
    return [
        app_commands.Choice(name=plain(f"{dream.id}: {dream.prompt}", MAX_CHOICE), value=dream.id)
        for dream in own
        if str(dream.id).startswith(begun) or begun in dream.prompt.lower()
    ][:MAX_CHOICES]


@dreams.command(name="mine", description=ENGLISH.COMMAND_MINE)
async def mine(interaction: discord.Interaction) -> None:
    """One's own dreams, the newest first."""
    embed, view = await mine_page(interaction, page=1)
    await answer(interaction, embed=embed, view=view)


@dreams.command(name="show", description=ENGLISH.COMMAND_DREAM_SHOW)
@app_commands.describe(dream=ENGLISH.COMMAND_WHICH)
@app_commands.autocomplete(dream=suggest_dreams)
async def show(interaction: discord.Interaction, dream: DreamId) -> None:
    """A dream with its picture and buttons, for whoever asks alone."""
    found = await _found(interaction, dream)
    if found is not None:
        await answering(interaction, _show(interaction, found))


@dreams.command(name="repeat", description=ENGLISH.COMMAND_REPEAT)
@app_commands.describe(dream=ENGLISH.COMMAND_WHICH)
@app_commands.autocomplete(dream=suggest_dreams)
async def repeat(interaction: discord.Interaction, dream: DreamId) -> None:
    """The very same picture once more."""
    found = await _found(interaction, dream)
    if found is not None:
        await order(interaction, onward.exact(found))


@dreams.command(name="blend", description=ENGLISH.COMMAND_BLEND)
@app_commands.describe(
    first=ENGLISH.COMMAND_BLEND_FIRST,
    second=ENGLISH.COMMAND_BLEND_SECOND,
    prompt=ENGLISH.COMMAND_BLEND_PROMPT,
    share=ENGLISH.COMMAND_BLEND_SHARE,
)
@app_commands.autocomplete(first=suggest_dreams, second=suggest_dreams)
async def blend(
    interaction: discord.Interaction,
    first: DreamId,
    second: DreamId,
    prompt: Prompt | None = None,
    share: Percent = 50,
) -> None:
    """A dream that begins between two others."""
    one, other = await _found(interaction, first), None
    if one is not None:
        other = await _found(interaction, second)
    if one is None or other is None:
        return
    await answering(interaction, _blend(interaction, one, other, prompt, share / 100))


async def _blend(
    interaction: discord.Interaction, one: Dream, other: Dream, prompt: str | None, share: float
) -> None:
    store = parts_of(interaction).store
    await order(interaction, await onward.blended(one, other, prompt, share=share, store=store))


@dreams.command(name="story", description=ENGLISH.COMMAND_STORY)
@app_commands.describe(chapters=ENGLISH.COMMAND_STORY_CHAPTERS)
async def story(interaction: discord.Interaction, chapters: Prompt) -> None:
    """Several dreams, each of which begins where the one before ends."""
    await answering(interaction, _story(interaction, chapters))


async def _story(interaction: discord.Interaction, chapters: str) -> None:
    prompts = [chapter.strip() for chapter in chapters.split(SEPARATOR) if chapter.strip()]
    await order(interaction, *story_of(usual(interaction, chapters), prompts))


async def _found(interaction: discord.Interaction, dream_id: int) -> Dream | None:
    """The dream, if this person may see it; if not, the interaction is answered. Raises `StoreError`."""
    say = personal(interaction)
    dream = await parts_of(interaction).store.get(dream_id) if 0 < dream_id <= MAX_ID else None
    refused = await unseen(interaction, dream, say.no_such_dream(dream_id))
    if dream is None or refused:
        await answer(interaction, refused)
        return None
    return dream


async def _show(interaction: discord.Interaction, dream: Dream) -> None:
    await think(interaction)
    async with parts_of(interaction).outlet.turn(interaction.user.id):
        await _send(interaction, dream)


async def _send(interaction: discord.Interaction, dream: Dream) -> None:
    say, parts = personal(interaction), parts_of(interaction)
    stored = await parts.store.picture(dream.id)
    is_let_go = telling.is_let_go(dream, has_picture=stored is not None)
    picture = await fitting(stored, interaction.filesize_limit) if stored else None
    allowed = await parts.sight.asked(interaction, dream)
    content = DreamMessage(replace(dream, language=say.CODE), showing=allowed).content(picture)
    embed = content.embed
    if is_let_go:
        embed.description = f"{embed.description}\n\n{say.PICTURE_LET_GO}"
    if allowed.link:
        embed.add_field(name=say.WHERE, value=say.jump(allowed.link), inline=False)
    file = next(iter(content.files()), None)
    has_picture = file is not None
    view = (
        ended_view(dream, say, has_picture=has_picture, is_let_go=is_let_go) if dream.state.is_over else None
    )
    await answer(interaction, embed=embed, file=file, view=view)
