"""`english/page.py` in Italian."""

from bot.sentences.english.page import Page


class Pagina(Page):
    SKIP = "Vai al contenuto"
    BACK = "Torna ai sogni"

    PAGE_NOT_FOUND = "Qui non c'è nulla, o non c'è più."
    PAGE_TOO_OLD = "Questa pagina non è aggiornata. Ricaricala e riprova."
    PAGE_TOO_FAST = "Troppo in fretta per me. Riprova tra un attimo."
    PAGE_TOO_LARGE = "È più di quanto io possa prendere in una volta."
    PAGE_OTHER_HOST = "Non rispondo a questo indirizzo. Usa quello che ho scritto all'avvio."
    PAGE_NOT_ALLOWED = "Questa pagina non è aperta a te."
    PAGE_BAD_REQUEST = "Non ho capito. Torna indietro e riprova."
