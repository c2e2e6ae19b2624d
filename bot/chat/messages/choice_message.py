"""What a choice's channel message shows: its beginnings in one picture, the vote, and who decided."""

from collections.abc import Mapping, Sequence

import discord

from bot.chat.buttons.choice import choice_view
from bot.chat.messages.dream_message import SHOWN_PROMPT, Content
from bot.chat.messages.exhibit import exhibit
from bot.chat.messages.grid import grid
from bot.community.choices import (
    Choice,
    ChoiceState,
    Decision,
)
from bot.dreams.dream import Dream, Picture
from bot.dreams.showing import Showing
from bot.sentences import spoken, telling
from bot.sentences.quoting import quoted

NUMBERS = ("1️⃣", "2️⃣", "3️⃣", "4️⃣")  # what people vote with
_COLOURS = {
    ChoiceState.DREAMING: 0x9B59B6,  # purple
    ChoiceState.VOTING: 0xF1C40F,  # gold
    ChoiceState.DECIDED: 0xE91E63,  # cherry
    ChoiceState.OVER: 0x607D8B,  # blue grey
}


def draw(choice: Choice, candidates: Sequence[Dream], pictures: Mapping[int, bytes]) -> Picture | None:
    """The beginnings in one picture, a PNG; None while there is none. For a thread: it takes a moment.

    `pictures`: a file for each beginning that has one, by its number.
    """
    winner = Decision.from_json(choice.decision).winner if choice.decision else None
    cells = [pictures.get(dream.candidate) for dream in candidates]
    return Picture(grid(cells, winner=winner), "png") if pictures else None


def choice_content(
    choice: Choice, candidates: Sequence[Dream], drawn: Picture | None, allowed: Showing
) -> Content:
    """`drawn`: the beginnings' picture; `allowed`: how those in it may be shown."""
    say = spoken(choice.language)
    head = f"**{quoted(choice.prompt, SHOWN_PROMPT)}**\n{say.dreamer(choice.author_id)}"
    told = telling.choice_status(choice, candidates, say)
    embed = discord.Embed(description=f"{head}\n\n{told}", colour=_COLOURS[choice.state])
    view = None if choice.state.is_over else choice_view(choice.id, say, voting=choice.ends_at is not None)
    alt_text = say.grid_alt(len(candidates), choice.prompt)
    shown = exhibit(drawn, allowed, stem=f"choice-{choice.id}", alt_text=alt_text)
    if shown is not None:
        shown.hang_in(embed)
    return Content(embed, view, shown)
