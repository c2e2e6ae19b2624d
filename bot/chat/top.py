"""/top: the best dreams of a server, for whoever asks, with pictures and pages that outlive a restart."""

import io
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import discord
from discord import app_commands
from PIL import Image

from bot.chat.answer import answer, think
from bot.chat.language import personal
from bot.chat.quoting import ALT_TEXT, plain, quoted
from bot.chat.refusals import Refusal, refusal
from bot.chat.sentences import ENGLISH, Sentences
from bot.chat.unpacking import one_at_a_time
from bot.chat.visibility import is_age_restricted, visible
from bot.tops import By, Period, Place, View

if TYPE_CHECKING:
    from bot.chat.client import OneiroClient

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
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=r"top:(?P<by>picture|dreamer|prompt):(?P<period>day|week|month|ever):(?P<page>[0-9]{1,6})",
):
    """Turns to a page."""

    def __init__(self, page: Page, label: str) -> None:
        custom_id = f"top:{page.by}:{page.period}:{page.number}"
        super().__init__(discord.ui.Button(label=label, custom_id=custom_id))
        self.page = page

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,
        item: discord.ui.Item[discord.ui.View],
        match: re.Match[str],
        /,
    ) -> Self:
        return cls(Page(By(match["by"]), Period(match["period"]), int(match["page"])), "▶")

    async def callback(self, interaction: discord.Interaction) -> None:
        try:
            await interaction.response.defer()
        except discord.HTTPException as error:
            log.info("interaction %d: not deferred, %s", interaction.id, error)
            return
        await _show(interaction, self.page, personal(interaction))


async def _show(interaction: discord.Interaction, page: Page, say: Sentences) -> None:
    """Let the interaction's answer be this page."""
    client: OneiroClient = interaction.client  # type: ignore[assignment]  # there is only this one
    assert interaction.guild_id is not None  # the command is for servers
    try:
        channels = visible(interaction, await client.tops.channels(interaction.guild_id))
        adults = is_age_restricted(interaction.guild, interaction.channel_id)
        if not adults:
            channels = {c for c in channels if not is_age_restricted(interaction.guild, c)}
        view = View(interaction.guild_id, channels, flagged=adults)
        places, total = await client.tops.page(view, page.by, page.period, page=page.number, size=page.size)
        async with client.outlet.turn(interaction.user.id):
            pictures = await _pictures(client, places if page.by is By.PICTURE else places[:1])
    except Refusal as error:
        log.info("interaction %d: no ranking, %s", interaction.id, error)
        await answer(interaction, refusal(error, say))
        return
    embeds, files = _embeds(page, places, pictures, say)
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


async def _pictures(client: "OneiroClient", places: list[Place]) -> dict[int, bytes]:
    """Small JPEGs of the best dreams that hide nothing, by dream."""
    found = {}
    for place in places:
        picture = None if place.best.spoiler else await client.store.picture(place.best.id)
        if picture is not None:
            found[place.best.id] = await one_at_a_time(_small, picture.content)
    return found


def _small(content: bytes) -> bytes:
    with Image.open(io.BytesIO(content)) as picture:
        image = picture.convert("RGB")
        image.thumbnail((SIDE, SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def _embeds(
    page: Page, places: list[Place], pictures: dict[int, bytes], say: Sentences
) -> tuple[list[discord.Embed], list[discord.File]]:
    files = [
        discord.File(
            io.BytesIO(content), f"dream-{place.best.id}.jpg",
            description=plain(say.alt_text(place.best.prompt), ALT_TEXT),
        )
        for place in places if (content := pictures.get(place.best.id))
    ]  # fmt: skip
    if not places:
        return [], []
    title = say.top_title(page.by.value, page.period.value)
    if page.by is not By.PICTURE:
        lines = "\n".join(_line(page.by, place, say) for place in places)
        embed = discord.Embed(title=title, description=lines, colour=_GOLD)
        if files:
            embed.set_thumbnail(url=f"attachment://{files[0].filename}")
        return [embed], files
    embeds = []
    for place in places:
        embed = discord.Embed(description=_line(page.by, place, say), colour=_GOLD)
        if place.best.id in pictures:
            embed.set_image(url=f"attachment://dream-{place.best.id}.jpg")
        embeds.append(embed)
    embeds[0].title = title
    return embeds, files


def _line(by: By, place: Place, say: Sentences) -> str:
    dream = place.best
    medal = _MEDALS.get(place.number, f"**{place.number}.**")
    link = f"https://discord.com/channels/{dream.guild_id}/{dream.channel_id}/{dream.message_id}"
    words = f"[{quoted(dream.prompt, SHOWN_PROMPT)}]({link})"
    match by:
        case By.PICTURE:
            said = say.top_picture(words, place.votes, dream.author_id)
        case By.DREAMER:
            said = say.top_dreamer(dream.author_id, place.votes, place.dreams, words)
        case By.PROMPT:
            said = say.top_prompt(words, place.votes, place.dreams)
    return f"{medal} {said}"
