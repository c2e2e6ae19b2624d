"""Hears of votes; finds those that were cast or taken back while the bot was away, under copies too."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from time import time

import discord
from discord.ext import commands

from bot.background import OnDemand
from bot.chat.listeners.listener import Listener
from bot.chat.messages.poster import Outcome
from bot.chat.parts import Parts
from bot.community.emoji import meant
from bot.database.connection import StoreError
from bot.database.outbox import Kind
from bot.dreams.dream import Dream, DreamState

log = logging.getLogger(__name__)

RECOUNT_S = 14 * 24 * 3600  # seconds; votes under dreams older than that are not looked for again
RECOUNT_MOST = 100  # dreams whose reactions are read again at once, and as many of those that hang in public
RECOUNT_LATER = 5000  # newest dreams that are read again in all, the others without haste …
RECOUNT_PACE_S = 1.0  # … this many seconds apart
QUIET_S = 120.0  # seconds without a vote under a message after which it is read once more
QUIET_MOST = 1000  # messages that wait for that
# Somebody may vote before the database knows what a new message shows: seconds until it is asked again.
AGAIN_S = (1.0, 5.0, 30.0, 300.0, 1800.0)
AGAIN_MOST = 1000  # messages that are asked for again at a time
REACT_S = 24 * 3600  # seconds in which a dream that has none of our reactions still gets them


_Event = discord.RawReactionActionEvent | discord.RawReactionClearEvent | discord.RawReactionClearEmojiEvent


class Rereading(OnDemand):
    """Reads what stands under messages once more, after a while: nobody waits for Discord meanwhile."""

    def __init__(self, parts: Parts, pauses_s: Callable[[], Sequence[float]], *, most: int) -> None:
        """`pauses_s`: seconds before each try, until it shows a dream; `most`: messages at a time."""
        super().__init__()
        self._parts = parts
        self._pauses_s = pauses_s
        self._most = most
        self._timers: dict[int, asyncio.TimerHandle] = {}  # by message
        self._due: dict[int, tuple[int, int]] = {}  # messages to be read: their channel, and which try it is

    def __contains__(self, message_id: int) -> bool:
        return message_id in self._timers or message_id in self._due

    def put(self, message_id: int, channel_id: int, tries: int = 1) -> None:
        """Read it after the pause before this try, and not before."""
        self._forget(message_id)
        pauses_s = self._pauses_s()
        if tries <= len(pauses_s) and len(self._timers) + len(self._due) < self._most:
            loop, due = asyncio.get_running_loop(), partial(self._is_due, message_id, channel_id, tries)
            self._timers[message_id] = loop.call_later(pauses_s[tries - 1], due)

    async def close(self) -> None:
        for message_id in list(self._timers):
            self._forget(message_id)
        await super().close()

    def _forget(self, message_id: int) -> None:
        self._due.pop(message_id, None)
        if timer := self._timers.pop(message_id, None):
            timer.cancel()

    def _is_due(self, message_id: int, channel_id: int, tries: int) -> None:
        del self._timers[message_id]
        self._due[message_id] = channel_id, tries
        self.begin()

    async def _run(self) -> None:
        while self._due:
            message_id, (channel_id, tries) = next(iter(self._due.items()))
            del self._due[message_id]
            await self._look(message_id, channel_id, tries)
            await asyncio.sleep(RECOUNT_PACE_S)

    async def _look(self, message_id: int, channel_id: int, tries: int) -> None:
        try:
            if await _read_under(self._parts, message_id, channel_id):
                return
            tries += 1
        except StoreError as error:
            log.warning("Votes under message %d are read later: %s", message_id, error)
        except Exception:
            # A fault with one must not keep the others out.
            log.exception("A fault of ours while the votes under message %d were read", message_id)
            return
        if message_id not in self:  # else somebody voted meanwhile
            self.put(message_id, channel_id, tries)


class VoteListener(Listener):
    """Puts what happens into the inbox, in the order in which it happens."""

    def __init__(self, *, client: discord.Client, parts: Parts) -> None:
        super().__init__(client=client, parts=parts)
        # Two processes that hear of the same votes may not store them in one order, one of them may end in
        # between, and Discord itself loses an event now and then.
        self._voted = Rereading(parts, lambda: (QUIET_S,), most=QUIET_MOST)
        self._unknown = Rereading(parts, lambda: AGAIN_S, most=AGAIN_MOST)

    async def cog_unload(self) -> None:
        """The client closes; the next start counts anew."""
        await self._voted.close()
        await self._unknown.close()

    @commands.Cog.listener()
    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        is_own = self.client.user is not None and event.user_id == self.client.user.id
        if is_own or not self.parts.votes.are(str(event.emoji), event.guild_id):
            return  # what is no vote waits for nothing
        vote = partial(
            self.parts.votes.add,
            message_id=event.message_id,
            guild_id=event.guild_id,
            person=event.user_id,
            is_bot=event.member is not None and event.member.bot,
            emoji=str(event.emoji),
            burst=event.burst,
        )
        self.parts.inbox.put("A vote", partial(self._add, vote, event))

    async def _add(self, vote: Callable[[], Awaitable[bool]], event: discord.RawReactionActionEvent) -> None:
        ours = (None, self.client.user.id if self.client.user else None)  # None: Discord does not say
        if await vote():
            self._voted.put(event.message_id, event.channel_id)
        elif event.message_author_id in ours and event.message_id not in self._unknown:
            self._unknown.put(event.message_id, event.channel_id)

    @commands.Cog.listener()
    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        gone = partial(
            self.parts.votes.remove,
            message_id=event.message_id,
            person=event.user_id,
            emoji=str(event.emoji),
            burst=event.burst,
        )
        self.parts.inbox.put("A vote", partial(self._remove, gone, event))

    async def _remove(self, gone: Callable[[], Awaitable[bool]], event: _Event) -> None:
        if await gone():
            self._voted.put(event.message_id, event.channel_id)

    @commands.Cog.listener()
    async def on_raw_reaction_clear(self, event: discord.RawReactionClearEvent) -> None:
        gone = partial(self.parts.votes.remove, message_id=event.message_id)
        self.parts.inbox.put("A vote", partial(self._remove, gone, event))

    @commands.Cog.listener()
    async def on_raw_reaction_clear_emoji(self, event: discord.RawReactionClearEmojiEvent) -> None:
        gone = partial(self.parts.votes.remove, message_id=event.message_id, emoji=str(event.emoji))
        self.parts.inbox.put("A vote", partial(self._remove, gone, event))


async def recount(parts: Parts) -> None:
    """Read the reactions of the newest dreams again, and of those with copies. Raises `StoreError`.

    `recount_others` does the others.
    """
    recent = await parts.store.recent(since=time() - RECOUNT_S, most=RECOUNT_MOST)
    hung = await parts.copies.in_public(most=RECOUNT_MOST)
    for dream in {dream.id: dream for dream in [*hung, *recent]}.values():
        await _recount(parts, dream)


async def recount_others(parts: Parts) -> None:
    """Read the reactions of the dreams that `recount` left, the newest first. Raises `StoreError`."""
    recent = await parts.store.recent(since=time() - RECOUNT_S, most=RECOUNT_LATER)
    for dream in reversed(recent[:-RECOUNT_MOST]):
        now = await parts.store.get(dream.id)  # minutes may have passed
        if now is not None and now.is_shown:
            await _recount(parts, now)
            await asyncio.sleep(RECOUNT_PACE_S)


async def _recount(parts: Parts, dream: Dream) -> None:
    assert dream.message_id is not None  # there are no others among them
    if not await _read(parts, dream, dream, 0):
        return
    for channel_id, copy_id in await parts.copies.of(dream.id):
        await _read(parts, dream, replace(dream, channel_id=channel_id, message_id=copy_id), copy_id)


async def _read_under(parts: Parts, message_id: int, channel_id: int) -> bool:
    """As `_read`; False also where the message shows no dream, as far as is known yet."""
    found = await parts.store.shown_at(message_id)
    if found is None:
        return False
    dream, copy_id = found
    shown = replace(dream, channel_id=channel_id, message_id=message_id)
    return await _read(parts, dream, shown, copy_id)


async def _read(parts: Parts, dream: Dream, shown: Dream, copy_id: int) -> bool:
    """Read what stands under the dream or a copy of it. Whether it is there."""
    message_id, votes = shown.message_id or 0, parts.votes
    counts = await votes.counting(dream)
    async with votes.reading(message_id) as reading:
        outcome, found = await parts.poster.given(shown, counts)
        if outcome is Outcome.SHOWN:
            await votes.replace(dream, found.people, copy_id=copy_id, reading=reading)
    if outcome is not Outcome.SHOWN:
        log.info("dream %d: votes under message %d stay as they are", dream.id, message_id)
        return False
    fresh = dream.ended_at is not None and dream.ended_at > time() - REACT_S
    if copy_id == 0 and fresh and dream.state is DreamState.DONE:
        emoji = parts.moderation.settings(dream.guild_id).vote_emoji
        if any(meant(one) not in found.own for one in emoji):
            await parts.outbox.adopt(Kind.REACTIONS, dream.id)
    return True
