"""`english/status.py` in Italian."""

from typing import ClassVar

from bot.sentences.english.status import Status


class Stato(Status):
    STATUS_TITLE = "Come va"
    STATUS_READY = "Funziona tutto."
    STATUS_ENGINES = "Motori che stanno sognando"
    STATUS_LINE = "Sogni in fila"
    STATUS_OLDEST = "Attesa più lunga adesso, in secondi"
    STATUS_STATES: ClassVar[dict[str, str]] = {
        "queued": "In attesa",
        "dreaming": "In corso",
        "done": "Finiti",
        "failed": "Non riusciti",
        "cancelled": "Annullati",
    }
    STATUS_DATABASE = "Dimensione della banca dati e suo limite, in MB"
    STATUS_FREE = "Spazio libero sul disco, in MB"
    STATUS_DREAMS = "Sogni al giorno"
    STATUS_WAITS = "Attesa mediana in fila, in secondi"
    STATUS_PACE = "Passi al secondo, mediana"
