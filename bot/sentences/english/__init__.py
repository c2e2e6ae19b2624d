"""The English sentences, by what they are about."""

from bot.sentences.english.buttons import Buttons
from bot.sentences.english.collection import Collection
from bot.sentences.english.commands import Commands
from bot.sentences.english.community import Community
from bot.sentences.english.contests import Contests
from bot.sentences.english.dreams import Dreams
from bot.sentences.english.manners import Manners
from bot.sentences.english.moderation import Moderation
from bot.sentences.english.page import Page
from bot.sentences.english.privacy import Privacy
from bot.sentences.english.refusals import Refusals
from bot.sentences.english.status import Status
from bot.sentences.english.wall import Wall


class English(
    Commands,
    Dreams,
    Buttons,
    Collection,
    Moderation,
    Manners,
    Community,
    Contests,
    Page,
    Privacy,
    Refusals,
    Status,
    Wall,
):
    """Everything said in English."""

    CODE = "en"
    LANGUAGE = "English"
