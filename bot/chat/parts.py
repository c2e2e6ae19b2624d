"""What commands, buttons and listeners work with, as one value, and the one way from an interaction to it.

Built in `bot.parts`. Nothing that is named here knows commands, clicks or the client that hears them.
"""

from dataclasses import dataclass
from typing import Protocol, cast

import discord

from bot.chat.attachments import ChosenPictures
from bot.chat.inbox import Inbox
from bot.chat.messages.choices import ChoiceMessages
from bot.chat.messages.contests import ContestMessages
from bot.chat.messages.deletions import Deletions
from bot.chat.messages.dreams import DreamMessages
from bot.chat.messages.exhibit import Sight
from bot.chat.messages.gallery import Gallery
from bot.chat.messages.moderation_log import ModerationLog
from bot.chat.messages.outbox import Outbox
from bot.chat.messages.poster import Poster
from bot.chat.messages.sent_pictures import SentPictures
from bot.heart import Heart
from bot.queue.turnstile import Turnstile


@dataclass(frozen=True, kw_only=True)
class Parts(Heart):
    """Live, for one connection to Discord."""

    sight: Sight
    poster: Poster
    outbox: Outbox
    sent_pictures: SentPictures
    dream_messages: DreamMessages
    choice_messages: ChoiceMessages
    contest_messages: ContestMessages
    gallery: Gallery
    deletions: Deletions
    moderation_log: ModerationLog
    inbox: Inbox
    outlet: Turnstile  # what is kept of dreams, some megabytes each, on its way to a person
    chosen_pictures: ChosenPictures


class _Client(Protocol):
    parts: Parts


def parts_of(interaction: discord.Interaction) -> Parts:
    """Of the client that hears the interaction: there is only this one."""
    return cast(_Client, interaction.client).parts
