"""Sends pictures to those who asked for them by a reaction; each is owed (`bot.chat.messages.outbox`)."""

import aiohttp
import discord

from bot.chat.messages.exhibit import Sight, exhibit
from bot.chat.messages.outbox import Hopeless, Later, believe
from bot.chat.messages.poster import FIND_MOST, TOO_LARGE, Outcome, show_fitting
from bot.database.outbox import Owed
from bot.dreams.dream import Dream, Picture
from bot.dreams.sendings import Sendings
from bot.dreams.showing import Occasion, Visibility
from bot.dreams.store import Store
from bot.queue.turnstile import Turnstile
from bot.sentences import spoken

TAKES_NONE = 50007  # of a person who lets us send no direct messages (Discord reference, 2026-08)
NONCE = 25  # characters (Discord reference, 2026-08)


class SentPictures:
    """Live. Whoever takes no messages from us gets none; what may not leave its channel stays there."""

    def __init__(
        self, *, client: discord.Client, store: Store, sendings: Sendings, sight: Sight, outlet: Turnstile
    ) -> None:
        """`outlet`: of many at once, one picture at a time is in memory."""
        self._client = client
        self._store = store
        self._sendings = sendings
        self._sight = sight
        self._outlet = outlet

    async def ask(self, dream: Dream, person: int) -> bool:
        """Whether it is to be sent; then it is owed. Raises `StoreError`."""
        allowed = await self._sight.showing(dream, Occasion.SENT)
        if allowed.visibility is Visibility.WITHHELD or not await self._store.has_picture(dream.id):
            return False
        return await self._sendings.claim(person, dream.id)

    async def send(self, owed: Owed) -> None:
        """Send it. Raises `Later`, `Hopeless`, `StoreError`."""
        person = owed.key.person
        async with self._outlet.whenever():
            dream = await self._store.get(owed.subject)
            if dream is None or dream.erased:
                return
            if self._sendings.refuses(person):
                raise Hopeless("the person takes no messages")
            try:
                channel = await self._client.create_dm(discord.Object(person))
                outcome = await self._sent(dream, channel, owed)
            except discord.Forbidden as error:
                if error.code != TAKES_NONE:
                    believe(owed, f"not for us, says Discord: {error}")
                self._sendings.refused(person)
                raise Hopeless(f"the person takes no messages: {error}") from error
            except (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError) as error:
                raise Later(f"not sent: {error}") from error
            if outcome is Outcome.TOO_LARGE:
                believe(owed, "its picture is too large, says Discord")
                raise Hopeless("its picture is too large")

    async def _sent(self, dream: Dream, channel: discord.DMChannel, owed: Owed) -> Outcome:
        """GONE: there is nothing to send. Raises what discord.py does."""
        stored = await self._store.picture(dream.id)
        allowed = await self._sight.showing(dream, Occasion.SENT)
        stem, alt_text = f"dream-{dream.id}", spoken(dream.language).alt_text(dream.prompt)
        if exhibit(stored, allowed, stem=stem, alt_text=alt_text) is None:
            return Outcome.GONE

        async def show(picture: Picture | None) -> tuple[Outcome, int | None]:
            shown = exhibit(picture, allowed, stem=stem, alt_text=alt_text)
            if shown is None:
                return Outcome.TOO_LARGE, None
            if not (owed.again and await self._is_there(channel, shown.filename)):
                try:
                    await channel.send(file=shown.file(), nonce=f"{owed.subject}-{owed.key.person}"[:NONCE])
                except discord.HTTPException as error:
                    if error.status == TOO_LARGE:
                        return Outcome.TOO_LARGE, None
                    raise
            return Outcome.SHOWN, None

        outcome, _ = await show_fitting(stored, discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES, show)
        return outcome

    async def _is_there(self, channel: discord.DMChannel, filename: str) -> bool:
        """Whether somebody sent it, in this or a smaller form, and could not remember that."""
        name = filename.rpartition(".")[0]
        async for message in channel.history(limit=FIND_MOST):
            if any(one.filename.rpartition(".")[0] == name for one in message.attachments):
                return True
        return False
