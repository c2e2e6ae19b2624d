"""Pictures that people attach: refused by size and type before they are fetched, then made plain."""

import asyncio
import logging
from collections import OrderedDict

import aiohttp
import discord

from bot.dreams.image_prompts import MAX_BYTES, plain_picture
from bot.sentences import Sentences
from engine.pictures.decoding import MAX_PIXELS, too_large

log = logging.getLogger(__name__)

MAX_ATTACHMENT = MAX_BYTES
FETCH_S = 30.0  # seconds
TYPES = (
    *(
        "image/png",
        "image/apng",
        "image/vnd.mozilla.apng",
        "image/jpeg",
        "image/jpg",
        "image/webp",
        "image/avif",
    ),
    *("image/gif", "image/bmp", "image/x-ms-bmp"),
)
KEPT_PICTURES = 1000  # chosen pictures whose form is not yet sent; older ones are forgotten


class Unreachable(Exception):
    """The picture cannot be fetched from Discord."""


def first_picture(message: discord.Message) -> discord.Attachment | None:
    """The first attachment that is a picture, or else the first; None when there is none."""
    pictures = [attached for attached in message.attachments if is_picture(attached)]
    return next(iter(pictures or message.attachments), None)


def is_picture(attachment: discord.Attachment) -> bool:
    """Whether Discord takes it for a picture that we can read. A type that it does not name is tried."""
    kind = (attachment.content_type or "").split(";")[0].strip().lower()
    return kind in TYPES or not kind


def objection(attachment: discord.Attachment, say: Sentences) -> str | None:
    """The sentence that says why this is not even fetched; None when it is worth it."""
    if not is_picture(attachment):
        return say.NOT_A_PICTURE
    if attachment.size > MAX_ATTACHMENT:
        return say.picture_too_large(MAX_ATTACHMENT // 2**20)
    if (attachment.width or 0) * (attachment.height or 0) > MAX_PIXELS:  # the file's own header is read later
        return say.engine(too_large().said)
    return None


class ChosenPictures:
    """Pictures for which a form is being filled in: the form's id → the picture. A restart forgets them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, discord.Attachment] = OrderedDict()

    def keep(self, form: int, picture: discord.Attachment) -> None:
        self._kept[form] = picture
        while len(self._kept) > KEPT_PICTURES:
            self._kept.popitem(last=False)

    def of(self, form: int) -> discord.Attachment | None:
        return self._kept.get(form)


async def fetch(attachment: discord.Attachment) -> bytes:
    """The picture as a JPEG of at most 1024 pixels a side, upright, without whatever else the file held.

    Raises `Unreachable`, `TooLarge`, or `engine.BadRequest` when it is no picture after all.
    """
    try:
        async with asyncio.timeout(FETCH_S):
            data = await attachment.read()
    except (discord.HTTPException, aiohttp.ClientError, TimeoutError) as error:
        log.info("attachment %d: not fetched: %r", attachment.id, error)
        raise Unreachable from error
    return await plain_picture(data)
