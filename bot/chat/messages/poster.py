"""Sends and edits a dream's one channel message by its id, and names what came of it. Knows no pace.

Nothing here uses an interaction's token: that dies 15 minutes after the command, and dreams take longer.
"""

import io
import logging
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum, auto
from typing import Protocol

import aiohttp
import discord
from PIL import Image

from bot.chat.messages.dream_message import Content
from bot.chat.messages.exhibit import Sight
from bot.chat.messages.outbox import Later
from bot.chat.reactions import Given, Put, put_all, read
from bot.community.emoji import meant
from bot.dreams.dream import Dream, Picture
from bot.dreams.showing import Occasion, Showing
from bot.unpacking import one_at_a_time

log = logging.getLogger(__name__)

# Discord's error codes (developer documentation, 2026-08).
_ARCHIVED = 50083
_OLD = 30046
UNKNOWN_CHANNEL, UNKNOWN_MESSAGE = 10003, 10008
TOO_LARGE = 413  # HTTP
SMALLEST = 64  # pixels of a picture's longer side: below that it shows nothing
FIND_MOST = 100  # messages of a channel that are looked through; one request


class Outcome(Enum):
    """What came of showing something."""

    SHOWN = auto()  # the message shows it
    GONE = auto()  # the message, channel or server is deleted, or may not be written to: never try again
    ARCHIVED = auto()  # the thread is archived: edits fail, a new message would open it again
    OLD = auto()  # the message is older than an hour and was edited too often lately
    TOO_LARGE = auto()  # the picture does not fit
    FORBIDDEN = auto()  # of a deletion: the message may be there, but we may not reach it
    LATER = auto()  # Discord or the network has a moment; worth another try


class Shown(Protocol):
    """What has a message in a channel: a dream, a choice."""

    @property
    def id(self) -> int: ...

    @property
    def origin(self) -> int: ...

    @property
    def guild_id(self) -> int | None: ...

    @property
    def channel_id(self) -> int: ...

    @property
    def message_id(self) -> int | None: ...


class Poster:
    """Shows `Content` in channels of the connected client."""

    def __init__(self, *, client: discord.Client, sight: Sight) -> None:
        self._client = client
        self._sight = sight
        # Told what Discord does not know any more: the message or its channel.
        self.on_missing: list[Callable[[Shown], None]] = []

    def upload_limit(self, shown: Shown) -> int:
        """Bytes that one file may have in the dream's server."""
        guild = self._client.get_guild(shown.guild_id) if shown.guild_id else None
        return guild.filesize_limit if guild else discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES

    async def showing(
        self, dream: Dream, occasion: Occasion, *, channel_id: int | None = None, flagged: str | None = None
    ) -> Showing:
        """See `bot.chat.messages.exhibit.Sight`."""
        return await self._sight.showing(dream, occasion, channel_id=channel_id, flagged=flagged)

    async def hides(self, dream: Dream, channel_id: int) -> bool:
        """See `bot.chat.messages.exhibit.Sight`."""
        return await self._sight.hides(dream, channel_id)

    def names(self, reader: Dream, other: Dream) -> bool:
        """See `bot.chat.messages.exhibit.Sight`."""
        return self._sight.names(reader, other)

    async def show(self, shown: Shown, content: Content) -> tuple[Outcome, int | None]:
        """Edit the dream's message, or post it when there is none. Gives its id when it is shown."""
        if shown.message_id is None:
            return await self.post(shown, content)
        message = self._channel(shown).get_partial_message(shown.message_id)
        edit = message.edit(embed=content.embed, attachments=content.files(), view=content.view)
        return await self._attempt(shown, edit)

    async def post(
        self, shown: Shown, content: Content, *, nonce: str | None = None
    ) -> tuple[Outcome, int | None]:
        """Post a new message. Repeated with the same nonce within some minutes it gives the same message."""
        return await self._attempt(shown, self._send(shown, content, nonce or str(shown.origin)))

    async def _send(self, shown: Shown, content: Content, nonce: str) -> discord.Message:
        message = await self._channel(shown).send(
            embed=content.embed,
            files=content.files(),
            view=content.view or discord.ui.View(),
            nonce=nonce,
            reference=_reference(shown, content.reply_to),  # type: ignore[arg-type]  # None is its default
        )
        if message.embeds and message.embeds[0].description == content.embed.description:
            return message
        # An earlier attempt, whose answer was lost, had made it: it shows what was true then.
        return await message.edit(embed=content.embed, attachments=content.files(), view=content.view)

    async def answer(self, shown: Shown, text: str, *, person: int, nonce: str) -> Outcome:
        """Answer the dream's message with a text that notifies this person, whom it mentions, alone."""
        assert shown.message_id is not None
        only = discord.AllowedMentions(
            everyone=False, roles=False, users=[discord.Object(person)], replied_user=False
        )
        send = self._channel(shown).send(
            text, reference=_answer_to(shown, shown.message_id), allowed_mentions=only, nonce=nonce
        )
        outcome, _ = await self._attempt(shown, send)
        return outcome

    async def answered(self, shown: Shown) -> bool:
        """Whether `answer` did so already, as far as the channel's last messages tell. Raises `Later`."""

        def answers(message: discord.Message) -> bool:
            reference = message.reference
            return not message.embeds and reference is not None and reference.message_id == shown.message_id

        return await self._newest(shown, answers) is not None

    async def caption(self, shown: Shown, text: str) -> Outcome:
        """Let the dream's message have this text above it, and otherwise stay as it is."""
        assert shown.message_id is not None
        message = self._channel(shown).get_partial_message(shown.message_id)
        outcome, _ = await self._attempt(shown, message.edit(content=text))
        return outcome

    async def react(self, shown: Shown, emoji: Sequence[str]) -> Put:
        """Put reactions under its message, where they are not there yet. See `bot.chat.reactions.put_all`."""
        assert shown.message_id is not None
        return await put_all(self._channel(shown).get_partial_message(shown.message_id), emoji)

    async def votes(self, shown: Shown, emoji: Sequence[str]) -> tuple[Outcome, list[set[int]]]:
        """Who put each of these reactions under the message, bots left out."""
        found: list[set[int]] = [set() for _ in emoji]
        numbers = {meant(one): number for number, one in enumerate(emoji)}
        outcome, reactions = await self.given(shown, lambda one: meant(one) in numbers)
        for person, one, _ in reactions.people:
            found[numbers[meant(one)]].add(person)
        return outcome, found

    async def given(self, shown: Shown, wanted: Callable[[str], bool]) -> tuple[Outcome, Given]:
        """Every wanted reaction under the message."""
        assert shown.message_id is not None
        message_id, channel = shown.message_id, self._channel(shown)
        found = Given()

        async def look() -> discord.Message:
            nonlocal found
            message = await channel.fetch_message(message_id)
            found = await read(message, wanted)
            return message

        outcome, _ = await self._attempt(shown, look())
        return outcome, found

    async def delete(self, shown: Shown) -> Outcome:
        """Delete its message; GONE when there is none any more, FORBIDDEN when it may still be there."""
        assert shown.message_id is not None
        message = self._channel(shown).get_partial_message(shown.message_id)

        forbidden = False

        async def delete() -> discord.PartialMessage:
            nonlocal forbidden
            try:
                await message.delete()
            except discord.Forbidden:
                forbidden = True
                raise
            return message

        outcome, _ = await self._attempt(shown, delete())
        if forbidden:
            return Outcome.FORBIDDEN
        if outcome is Outcome.ARCHIVED and await self._opened(shown):
            outcome, _ = await self._attempt(shown, delete())
        return outcome

    async def _opened(self, shown: Shown) -> bool:
        """Whether an archived thread is open again: in it Discord lets nobody delete anything."""
        venues = self._sight.venues
        await venues.learn(shown.guild_id, [shown.channel_id])
        venue = venues.venue(shown.guild_id, shown.channel_id)
        if venue.known and venue.parent_id is None:
            return False  # it is none; of what only another process hears Discord itself says that it is one

        async def edit() -> discord.PartialMessage:
            await self._client.http.edit_channel(shown.channel_id, archived=False)
            return self._channel(shown).get_partial_message(shown.message_id or 0)

        outcome, _ = await self._attempt(shown, edit())
        return outcome is Outcome.SHOWN

    async def find(self, shown: Shown, url: str) -> int | None:
        """The newest message of ours, among the channel's last ones, whose embed links there.

        What an earlier process posted and could not remember any more. Raises `Later`.
        """
        return await self._newest(shown, lambda message: any(e.url == url for e in message.embeds))

    async def find_footer(self, shown: Shown, footer: str) -> int | None:
        """As `find`, the message whose embed has this footer and is no copy, which would link somewhere."""
        return await self._newest(
            shown, lambda message: any(e.footer.text == footer and not e.url for e in message.embeds)
        )

    async def find_button(self, shown: Shown, prefix: str) -> int | None:
        """As `find`, the message with a button whose `custom_id` begins so."""

        def fits(message: discord.Message) -> bool:
            rows = [row for row in message.components if isinstance(row, discord.ActionRow)]
            return any((one.custom_id or "").startswith(prefix) for row in rows for one in row.children)

        return await self._newest(shown, fits)

    async def _newest(self, shown: Shown, fits: Callable[[discord.Message], bool]) -> int | None:
        """The newest message of ours that fits, among the channel's last ones.

        None where we may not read them. Raises `Later` while nobody knows: what is posted all the same would
        be there twice.
        """
        me = self._client.user
        try:
            async for message in self._channel(shown).history(limit=FIND_MOST):
                if me is not None and message.author.id == me.id and fits(message):
                    return message.id
        except (discord.NotFound, discord.Forbidden) as error:
            log.info("%s: its channel cannot be read: %s", name_of(shown), error)
        except (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Later(f"its channel cannot be read: {error!r}") from error
        return None

    def _channel(self, shown: Shown) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(shown.channel_id, guild_id=shown.guild_id)

    async def _attempt(
        self, shown: Shown, call: Awaitable[discord.Message | discord.PartialMessage]
    ) -> tuple[Outcome, int | None]:
        try:
            message = await call
        except (discord.NotFound, discord.Forbidden) as error:
            log.info("%s: its message cannot be shown any more: %s", name_of(shown), error)
            if error.code in (UNKNOWN_CHANNEL, UNKNOWN_MESSAGE):
                for hear in self.on_missing:
                    hear(shown)
            return Outcome.GONE, None
        except discord.HTTPException as error:
            log.info("%s: not shown: %s", name_of(shown), error)
            if error.code in (_ARCHIVED, _OLD):
                return (Outcome.ARCHIVED if error.code == _ARCHIVED else Outcome.OLD), None
            return (Outcome.TOO_LARGE if error.status == TOO_LARGE else Outcome.LATER), None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.info("%s: not shown: %r", name_of(shown), error)
            return Outcome.LATER, None
        return Outcome.SHOWN, message.id


def _reference(shown: Shown, message_id: int | None) -> discord.MessageReference | None:
    """What a new message answers, if anything; an answer to a deleted one stands alone."""
    return None if message_id is None else _answer_to(shown, message_id)


def _answer_to(shown: Shown, message_id: int) -> discord.MessageReference:
    return discord.MessageReference(
        message_id=message_id, channel_id=shown.channel_id, fail_if_not_exists=False
    )


async def show_fitting(
    picture: Picture | None,
    limit: int,
    show: Callable[[Picture | None], Awaitable[tuple[Outcome, int | None]]],
) -> tuple[Outcome, int | None]:
    """Show a picture as large as Discord takes it, in the end without it: `show` is given it, or None.

    What Discord refused is the measure, whatever limit it names. `limit`: bytes.
    """
    picture = await fitting(picture, limit) if picture else None
    while True:
        outcome, message_id = await show(picture)
        if outcome is not Outcome.TOO_LARGE or picture is None:
            return outcome, message_id
        picture = await fitting(picture, len(picture.content) // 4)


async def fitting(picture: Picture, limit: int) -> Picture | None:
    """The picture within `limit` bytes: as it is, or as a JPEG, of half its size again and again if need be.

    None when none fits whose longer side has `SMALLEST` pixels or more.
    """
    if len(picture.content) <= limit:
        return picture
    return await one_at_a_time(_smaller, picture, limit)


def _smaller(picture: Picture, limit: int) -> Picture | None:
    with Image.open(io.BytesIO(picture.content)) as opened:
        image = opened.convert("RGB")
    while max(image.size) >= SMALLEST:
        for quality in (90, 75, 50):
            buffer = io.BytesIO()
            image.save(buffer, "JPEG", quality=quality)
            if buffer.tell() <= limit:
                return Picture(buffer.getvalue(), "jpg")
        image = image.resize((max(1, image.width // 2), max(1, image.height // 2)))
    return None


def name_of(shown: Shown) -> str:
    """For the log: 'dream 7'."""
    return f"{type(shown).__name__.lower()} {shown.id}"
