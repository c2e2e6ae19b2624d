"""The English sentences, by what they are about."""

from bot.chat.sentences.english.buttons import Buttons
from bot.chat.sentences.english.collection import Collection
from bot.chat.sentences.english.commands import Commands
from bot.chat.sentences.english.community import Community
from bot.chat.sentences.english.contests import Contests
from bot.chat.sentences.english.dreams import Dreams
from bot.chat.sentences.english.manners import Manners
from bot.chat.sentences.english.moderation import Moderation
from bot.chat.sentences.english.refusals import Refusals


class English(Commands, Dreams, Buttons, Collection, Moderation, Manners, Community, Contests, Refusals):
    """Everything said in English."""

    CODE = "en"
    LANGUAGE = "English"
