"""The Italian sentences, by what they are about: friendly, and on first-name terms."""

from bot.chat.sentences.english import English
from bot.chat.sentences.italian.buttons import Pulsanti
from bot.chat.sentences.italian.collection import Raccolta
from bot.chat.sentences.italian.commands import Comandi
from bot.chat.sentences.italian.community import Comunita
from bot.chat.sentences.italian.contests import Concorsi
from bot.chat.sentences.italian.dreams import Sogni
from bot.chat.sentences.italian.manners import Maniere
from bot.chat.sentences.italian.moderation import Moderazione
from bot.chat.sentences.italian.refusals import Rifiuti


class Italian(Comandi, Sogni, Pulsanti, Raccolta, Moderazione, Maniere, Comunita, Concorsi, Rifiuti, English):
    """Everything said in Italian."""

    CODE = "it"
    LANGUAGE = "Italiano"
