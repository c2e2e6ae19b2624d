"""`english/manners.py` in Italian."""

from collections.abc import Sequence

from bot.sentences.english.manners import Manners
from bot.sentences.numbers import listed, moment


class Maniere(Manners):
    COMMAND_QUEUE = "Chi è in fila, perché in quest'ordine e a che punto sei."
    REPORT_COMMAND = "Segnala questo sogno"

    WELCOME = (
        "Ciao! Sogno immagini a partire dalle parole. Prova `/dream una ciotola di ciliegie` e vota con le "
        "reazioni. Chi modera mi configura con `/moderate`."
    )
    QUEUE_TITLE = "La fila"
    WHY_SO = "Ci si alterna: nessuno deve aspettare tutti i sogni di qualcun altro."
    LINE_PAUSED = "Chi modera ha messo in pausa i sogni qui; la fila riprende quando li riattiva."
    PAUSED_BY_MODERATORS = "In attesa; chi modera ha messo in pausa i sogni qui."

    NOT_A_DREAM = "Questo non è un mio sogno."
    NO_REPORTS = "Questo server non ha un canale per le segnalazioni; scrivi direttamente a chi modera."
    REPORTED = "Grazie; ho avvisato chi modera."
    REPORTED_BEFORE = "Hai già segnalato questo sogno; chi modera lo sa."
    REPORT_TITLE = "Sogno segnalato"
    DELETE_IT, BAN_AUTHOR = "Eliminalo", "Vieta i sogni all'autore"
    WITHHELD = (
        "Il controllo ha trovato inadatta quest'immagine; secondo le regole del server non viene mostrata."
    )
    FOR_ADULTS = "È in un canale con limite d'età: guardalo lì."
    GALLERY_LINK = "Al sogno"

    def presence(self, waiting: int) -> str:
        if waiting == 0:
            return "Sogno di /dream"
        return "Un sogno in fila" if waiting == 1 else f"{waiting} sogni in fila"

    def in_the_queue(
        self, place: int | None, author_id: int, words: str, ready_at: float | None = None
    ) -> str:
        ready = "" if ready_at is None else f" · {moment(ready_at)}"
        return f"{'▸' if place is None else f'{place}.'} <@{author_id}>: {words}{ready}"

    def more_in_line(self, count: int) -> str:
        return f"… e altri {count}"

    def elsewhere(self, count: int) -> str:
        return f"… e {'un altro sogno' if count == 1 else f'altri {count} sogni'} altrove nel server"

    def why_so(self, elsewhere: int) -> str:
        return (
            "I server si alternano, e in ognuno le persone: nessuno deve aspettare tutti "
            f"i sogni di qualcun altro. In fila altrove: {elsewhere}."
        )

    def your_places(self, places: Sequence[int]) -> str:
        word = "Il tuo posto" if len(places) == 1 else "I tuoi posti"
        return f"{word} in fila: {listed([str(place) for place in places], 'e')}."

    def report(self, author_id: int, reporter: int, words: str, link: str) -> str:
        return f"Un sogno di <@{author_id}>, segnalato da <@{reporter}>: {words}\n{link}"
