"""The English sentences, by what they are about."""

from bot.chat.sentences.english.commands import Commands
from bot.chat.sentences.english.community import Community
from bot.chat.sentences.english.dreams import Dreams


class English(Commands, Dreams, Community):
    """Everything said in English."""

    CODE = "en"
    LANGUAGE = "English"
