"""One's own dreams, page by page, for whoever they belong to. The buttons work after any restart."""

import logging
import re
from typing import Self

import discord

from bot.chat.answers.answer import answer, claim
from bot.chat.language import personal
from bot.chat.parts import parts_of
from bot.chat.quoting import quoted
from bot.chat.sentences import Sentences
from bot.database.connection import StoreError
from bot.dreams.dream import Dream

log = logging.getLogger(__name__)

PAGE = 10  # dreams
SHOWN_PROMPT = 80  # characters of each; escaping may double them


async def mine_page(interaction: discord.Interaction, *, page: int) -> tuple[discord.Embed, discord.ui.View]:
    """A page of this person's dreams, 1 for the newest, and its buttons. Raises `StoreError`."""
    say, parts, person = personal(interaction), parts_of(interaction), interaction.user.id
    total = await parts.store.count_by(person)
    pages = max(1, -(-total // PAGE))
    page = min(max(page, 1), pages)
    shown = (await parts.store.by(person, most=page * PAGE))[(page - 1) * PAGE :]
    told = await parts.sight.listed(interaction, shown)
    lines = [_line(dream, told[dream.id].link, say) for dream in shown]
    embed = discord.Embed(title=say.MINE, description="\n".join(lines) or say.MINE_NONE)
    if pages > 1:
        embed.set_footer(text=say.page(page, pages))
    view = discord.ui.View(timeout=None)
    for turn, label in ((page - 1, "◀"), (page + 1, "▶")):
        if 1 <= turn <= pages and pages > 1:
            view.add_item(MineButton(turn, label))
    return embed, view


class MineButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"mine:(?P<page>[0-9]{1,6})"
):
    """Turns to a page of one's own dreams: whoever clicks sees their own."""

    def __init__(self, page: int, label: str) -> None:
        super().__init__(discord.ui.Button(label=label, custom_id=f"mine:{page}"))
        self.page = page

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,
        item: discord.ui.Item[discord.ui.View],
        match: re.Match[str],
        /,
    ) -> Self:
        return cls(int(match["page"]), "▶")

    async def callback(self, interaction: discord.Interaction) -> None:
        claim(interaction)
        try:
            embed, view = await mine_page(interaction, page=self.page)
            await interaction.response.edit_message(embed=embed, view=view)
        except StoreError as error:
            await answer(interaction, personal(interaction).store_trouble(error))
        except discord.HTTPException as error:
            log.info("interaction %d: its page is not turned, %s", interaction.id, error)


def _line(dream: Dream, link: str, say: Sentences) -> str:
    """'`12` a bowl of cherries · 31.5 · jump', as far as there is each."""
    parts = [f"`{dream.id}` {quoted(dream.prompt, SHOWN_PROMPT)}"]
    if dream.score is not None:
        parts.append(say.score(dream.score))
    if link:
        parts.append(say.jump(link))
    return " · ".join(parts)
