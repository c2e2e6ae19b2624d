"""/top: the best dreams of a server, for whoever asks, with pictures and pages that outlive a restart."""

import io
import logging
import re
from dataclasses import dataclass
from typing import Self

import discord
from discord import app_commands
from PIL import Image

from bot.chat.answers.answer import answer, think
from bot.chat.buttons.button import PersistentButton
from bot.chat.buttons.click import clicked
from bot.chat.language import personal
from bot.chat.messages.exhibit import Exhibit, exhibit
from bot.chat.parts import parts_of
from bot.community.ranking import (
    By,
    Period,
    Place,
    Scope,
)
from bot.dreams.dream import Picture
from bot.dreams.showing import Visibility, address
from bot.sentences import ENGLISH, Sentences, telling
from bot.sentences.quoting import quoted
from bot.unpacking import one_at_a_time

log = logging.getLogger(__name__)

PICTURES = 3  # places of a page with a picture each
LINES = 10  # places of a page without
SIDE = 512  # pixels; a page's pictures shall come quickly
SHOWN_PROMPT = 200  # characters
_GOLD = 0xF1C40F
_MEDALS = {1: "🥇", 2: "🥈", 3: "🥉"}

_BY = [app_commands.Choice(name=getattr(ENGLISH, f"TOP_BY_{by.name}"), value=by.value) for by in By]
_PERIODS = [app_commands.Choice(name=getattr(ENGLISH, f"TOP_{p.name}"), value=p.value) for p in Period]


@dataclass(frozen=True, slots=True)
class Page:
    """Which page of which ranking."""

    by: By = By.PICTURE
    period: Period = Period.WEEK
    number: int = 0

    @property
    def size(self) -> int:
        """Places on it."""
        return PICTURES if self.by is By.PICTURE else LINES


@app_commands.command(name="top", description=ENGLISH.COMMAND_TOP)
@app_commands.describe(by=ENGLISH.COMMAND_TOP_BY, period=ENGLISH.COMMAND_TOP_PERIOD)
@app_commands.choices(by=_BY, period=_PERIODS)
@app_commands.guild_only()
async def top(interaction: discord.Interaction, by: str = By.PICTURE, period: str = Period.WEEK) -> None:
    """The first page, for the one who asks alone: others may see fewer channels."""
    say = personal(interaction)
    if by not in list(By) or period not in list(Period):  # from a changed client
        await answer(interaction, say.BAD_OPTION)
        return
    await think(interaction)
    await _show(interaction, Page(By(by), Period(period)), say)


class PageButton(
    PersistentButton,
    template=r"top:(?P<by>picture|dreamer|prompt):(?P<period>day|week|month|ever):(?P<page>[0-9]{1,6})",
):
    """Turns to a page."""

    def __init__(self, page: Page, label: str) -> None:
        super().__init__(f"top:{page.by}:{page.period}:{page.number}", label)
        self.page = page

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        return cls(Page(By(match["by"]), Period(match["period"]), int(match["page"])), "▶")


@clicked(PageButton)
async def turn_to(button: PageButton, interaction: discord.Interaction, say: Sentences) -> None:
    try:
        await interaction.response.defer()
    except discord.HTTPException as error:
        log.info("interaction %d: not deferred, %s", interaction.id, error)
        return
    await _show(interaction, button.page, say)


async def _show(interaction: discord.Interaction, page: Page, say: Sentences) -> None:
    """Let the interaction's answer be this page. Raises `Refusal`."""
    parts = parts_of(interaction)
    assert interaction.guild_id is not None  # the command is for servers
    all_channels = await parts.ranking.channels(interaction.guild_id)
    channels = await parts.sight.listable(interaction, all_channels)
    view = Scope(interaction.guild_id, channels, flagged=parts.sight.lists_unsafe(interaction))
    places, total = await parts.ranking.page(view, page.by, page.period, page=page.number, size=page.size)
    async with parts.outlet.turn(interaction.user.id):
        best = places if page.by is By.PICTURE else places[:1]
        pictures = await _pictures(interaction, best, say)
        kept = await parts.store.with_pictures([place.best.id for place in places])
    embeds, files = _embeds(page, places, pictures, say, kept=kept)
    try:
        await interaction.edit_original_response(
            content=None if places else say.NO_TOP, embeds=embeds, attachments=files, view=_view(page, total)
        )
    except discord.HTTPException as error:
        log.info("interaction %d: not answered, %s", interaction.id, error)


def _view(page: Page, total: int) -> discord.ui.View:
    """Buttons to the neighbours of a page, where there are any."""
    view = discord.ui.View(timeout=None)
    if page.number > 0:
        view.add_item(PageButton(Page(page.by, page.period, page.number - 1), "◀"))
    if (page.number + 1) * page.size < total:
        view.add_item(PageButton(Page(page.by, page.period, page.number + 1), "▶"))
    return view


async def _pictures(
    interaction: discord.Interaction, places: list[Place], say: Sentences
) -> dict[int, Exhibit]:
    """Small JPEGs of the best dreams that hide nothing, by dream."""
    parts = parts_of(interaction)
    allowed = await parts.sight.listed(interaction, [place.best for place in places])
    found = {}
    for dream in (place.best for place in places):
        picture = (
            await parts.store.picture(dream.id) if allowed[dream.id].visibility is Visibility.OPEN else None
        )
        if picture is None:
            continue
        small = Picture(await one_at_a_time(_small, picture.content), "jpg")
        alt_text = say.alt_text(dream.prompt)
        shown = exhibit(small, allowed[dream.id], stem=f"dream-{dream.id}", alt_text=alt_text)
        if shown is not None:
            found[dream.id] = shown
    return found


def _small(content: bytes) -> bytes:
    with Image.open(io.BytesIO(content)) as picture:
        image = picture.convert("RGB")
        image.thumbnail((SIDE, SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def _embeds(
    page: Page, places: list[Place], pictures: dict[int, Exhibit], say: Sentences, *, kept: set[int]
) -> tuple[list[discord.Embed], list[discord.File]]:
    shown = [pictures[place.best.id] for place in places if place.best.id in pictures]
    files = [one.file() for one in shown]
    if not places:
        return [], []
    title = say.top_title(page.by.value, page.period.value)
    if page.by is not By.PICTURE:
        lines = "\n".join(_line(page.by, place, say) for place in places)
        embed = discord.Embed(title=title, description=lines, colour=_GOLD)
        for one in shown:
            one.hang_in(embed, small=True)
        return [embed], files
    embeds = []
    for place in places:
        embed = discord.Embed(description=_line(page.by, place, say), colour=_GOLD)
        if place.best.id in pictures:
            pictures[place.best.id].hang_in(embed)
        elif let_go := telling.let_go(place.best, say, has_picture=place.best.id in kept):
            embed.description = f"{embed.description}\n*{let_go}*"
        embeds.append(embed)
    embeds[0].title = title
    return embeds, files


def _line(by: By, place: Place, say: Sentences) -> str:
    dream = place.best
    medal = _MEDALS.get(place.number, f"**{place.number}.**")
    words = f"[{quoted(dream.prompt, SHOWN_PROMPT)}]({address(dream)})"
    match by:
        case By.PICTURE:
            said = say.top_picture(words, place.votes, dream.author_id)
        case By.DREAMER:
            said = say.top_dreamer(dream.author_id, place.votes, place.dreams, words)
        case By.PROMPT:
            said = say.top_prompt(words, place.votes, place.dreams)
    return f"{medal} {said}"
