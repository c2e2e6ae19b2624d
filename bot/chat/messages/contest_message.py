"""What a contest's messages say: what it is about, who won."""

import discord

from bot.community.contests import MAX_THEME, Contest
from bot.dreams.dream import Dream
from bot.dreams.showing import Showing
from bot.sentences import Sentences, spoken
from bot.sentences.quoting import quoted

SHOWN_PROMPT = 150  # characters
GOLD = 0xF1C40F


def winner_embed(over: Contest, dream: Dream | None, allowed: Showing, entries: int) -> discord.Embed:
    """How a contest ended, for its channel. `dream`: the winner; `allowed`: what may be told of it."""
    say = spoken(over.language)
    theme = quoted(over.theme, MAX_THEME)
    if dream is None:
        text = say.contest_without_winner(theme, entries)
    else:
        words = words_of(dream, allowed) if allowed.tells else "…"
        # Of a deleted dream nothing is told, nor whose it was: they may be forgotten.
        author_id = 0 if dream.erased else dream.author_id
        text = say.contest_won(theme, author_id, over.winner_votes or 0, words)
    return discord.Embed(title=say.CONTEST_OVER, url=winner_url(over), description=text, colour=GOLD)


def winner_url(over: Contest) -> str:
    """By which the announcement is found again: an address of the channel that is this contest's own."""
    return f"https://discord.com/channels/{over.guild_id}/{over.channel_id}?contest={over.id}"


def about(running: Contest, say: Sentences) -> str:
    return say.contest_about(quoted(running.theme, MAX_THEME), round(running.ends_at))


def words_of(dream: Dream, allowed: Showing) -> str:
    words = quoted(dream.prompt, SHOWN_PROMPT)
    return f"[{words}]({allowed.link})" if allowed.link else words
