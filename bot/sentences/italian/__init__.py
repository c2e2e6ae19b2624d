"""The Italian sentences, by what they are about: friendly, and on first-name terms."""

from bot.sentences.english import English
from bot.sentences.italian.buttons import Pulsanti
from bot.sentences.italian.collection import Raccolta
from bot.sentences.italian.commands import Comandi
from bot.sentences.italian.community import Comunita
from bot.sentences.italian.contests import Concorsi
from bot.sentences.italian.dreams import Sogni
from bot.sentences.italian.manners import Maniere
from bot.sentences.italian.moderation import Moderazione
from bot.sentences.italian.page import Pagina
from bot.sentences.italian.privacy import Riservatezza
from bot.sentences.italian.refusals import Rifiuti
from bot.sentences.italian.status import Stato
from bot.sentences.italian.wall import Parete


class Italian(
    Comandi,
    Sogni,
    Pulsanti,
    Raccolta,
    Moderazione,
    Maniere,
    Comunita,
    Concorsi,
    Pagina,
    Riservatezza,
    Rifiuti,
    Stato,
    Parete,
    English,
):
    """Everything said in Italian."""

    CODE = "it"
    LANGUAGE = "Italiano"
