"""One's own dreams, page by page, for whoever they belong to. The buttons work after any restart."""

import re
from typing import Self

import discord

from bot.chat.answers.answer import turn
from bot.chat.buttons.button import PersistentButton
from bot.chat.buttons.click import clicked
from bot.chat.language import personal
from bot.chat.parts import parts_of
from bot.dreams.dream import Dream
from bot.sentences import Sentences
from bot.sentences.quoting import quoted

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
    for number, label in ((page - 1, "◀"), (page + 1, "▶")):
        if 1 <= number <= pages and pages > 1:
            view.add_item(MineButton(number, label))
    return embed, view


class MineButton(PersistentButton, template=r"mine:(?P<page>[0-9]{1,6})"):
    """Turns to a page of one's own dreams: whoever clicks sees their own."""

    def __init__(self, page: int, label: str) -> None:
        super().__init__(f"mine:{page}", label)
        self.page = page

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        return cls(int(match["page"]), "▶")


@clicked(MineButton)
async def turn_to(button: MineButton, interaction: discord.Interaction, say: Sentences) -> None:
    await turn(interaction, *await mine_page(interaction, page=button.page))


def _line(dream: Dream, link: str, say: Sentences) -> str:
    """'`12` a bowl of cherries · 31.5 · jump', as far as there is each."""
    parts = [f"`{dream.id}` {quoted(dream.prompt, SHOWN_PROMPT)}"]
    if dream.score is not None:
        parts.append(say.score(dream.score))
    if link:
        parts.append(say.jump(link))
    return " · ".join(parts)
