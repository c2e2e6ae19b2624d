"""`english/wall.py` in Italian."""

from typing import ClassVar

from bot.sentences.english.wall import Wall


class Parete(Wall):
    COMMAND_WALL = "Se i sogni finiti di questo server stanno sulla parete pubblica, visibili a tutto il web."
    COMMAND_WALL_ON = "Sì: quelli dei canali che qui tutti possono leggere."
    COMMAND_WALL_LINKS = "Se ognuno rimanda al suo messaggio, il che rivela il server e il canale."
    NO_WALL = "Non c'è ancora una parete pubblica: chi mi gestisce non l'ha aperta."
    BAD_NAME = "Questo server non permette quel nome; scegline un altro."

    WALL_TITLE = "La parete"
    WALL_LEAD = "Immagini sognate dalle parole, insieme, in chat."
    WALL_SKIP = "Alle immagini"
    WALL_NAV = "Le pagine della parete"
    WALL_NEWEST, WALL_RANDOM, WALL_CONTESTS = "Più recenti", "A caso", "Concorsi"
    WALL_BEST_OF = "I migliori"
    WALL_PERIODS: ClassVar[dict[str, str]] = {
        "day": "del giorno",
        "week": "della settimana",
        "month": "del mese",
        "ever": "di sempre",
    }
    WALL_SEARCH, WALL_SEARCH_FOR, WALL_SEARCH_HINT = "Cerca", "Parole da cercare", "Una casa rossa"
    WALL_EMPTY = "Qui non c'è ancora niente."
    WALL_NO_VOTES = "In questo periodo nessun sogno ha ancora ricevuto voti."
    WALL_MORE, WALL_BACK = "Altri sogni", "Indietro"
    WALL_FEED = "Feed dei nuovi sogni"
    WALL_ABOUT = (
        "Qui stanno i sogni finiti dei server che lo vogliono, dai canali che lì tutti possono leggere."
    )
    WALL_QUIET = "In questo momento nessuno sta sognando."
    WALL_FRESH = "Ci sono nuovi sogni: mostrali"

    WALL_SCORE, WALL_SEED, WALL_STEPS, WALL_MODEL, WALL_AVOIDED = (
        "Punteggio",
        "Seme",
        "Passi",
        "Modello",
        "Senza",
    )
    WALL_DREAMT, WALL_VOTES = "Sognato", "Voti"
    WALL_RECIPE = "Ricetta"
    WALL_COPY_WORDS, WALL_COPY_COMMAND, WALL_COPY_LINE = "Copia le parole", "Copia /dream", "Copia il comando"
    WALL_COPIED = "Copiato"
    WALL_COMMAND, WALL_LINE = "Su Discord", "Nel terminale"
    WALL_FILM, WALL_STOP_FILM, WALL_NO_FILM = (
        "Guarda il filmato",
        "Ferma il filmato",
        "Il suo filmato non è più conservato.",
    )
    WALL_PICTURE, WALL_DOWNLOADS, WALL_GET_FILM = "Immagine (PNG)", "Scarica", "Filmato (WebP)"
    WALL_LET_GO = "La sua immagine non è più conservata. Quello che sta sotto «Ricetta» la sogna di nuovo."
    WALL_FAMILY = "Famiglia"
    WALL_KIN: ClassVar[dict[str, str]] = {
        "varied": "variato",
        "continued": "continuato",
        "remixed": "rifatto con altre parole",
        "blended": "mescolato",
    }
    WALL_THIS_ONE = "Questo sogno"
    WALL_MESSAGE = "Guardalo su Discord"

    WALL_RUNS, WALL_ENDED = "In corso", "Concluso"
    WALL_NO_CONTESTS, WALL_NO_ENTRIES = (
        "Non ci sono ancora stati concorsi.",
        "Nessun sogno di questo concorso sta qui.",
    )
    WALL_WINNER = "Vincitore"

    WALL_NOT_FOUND = "Qui non c'è niente"
    WALL_NOT_FOUND_WHY = "L'indirizzo è sbagliato, o quello che stava qui è stato tolto."
    WALL_TROUBLE = "La parete non si può mostrare in questo momento"
    WALL_TROUBLE_WHY = "Riprova tra poco."

    def wall_votes(self, count: int) -> str:
        return "1 voto" if count == 1 else f"{count} voti"

    def wall_by(self, name: str) -> str:
        return f"di {name}"

    def wall_best(self, period: str) -> str:
        return f"I migliori {self.WALL_PERIODS[period]}"

    def wall_found(self, words: str) -> str:
        return f"Sogni con «{words}»"

    def wall_nothing_with(self, words: str) -> str:
        return f"Qui nessun sogno contiene le parole «{words}»."

    def wall_page(self, number: int) -> str:
        return f"Pagina {number}"

    def wall_alt(self, prompt: str) -> str:
        return f"Un'immagine sognata: {prompt}"

    def wall_film_alt(self, prompt: str) -> str:
        return f"Come l'immagine ha preso forma: {prompt}"

    def wall_now(self, waiting: int, percent: int | None) -> str:
        done = "" if percent is None else f", al {percent}%"
        line = {0: "nessuno aspetta", 1: "un altro in fila"}.get(waiting, f"altri {waiting} in fila")
        return f"Un sogno prende forma{done}; {line}."

    def wall_with(self, words: str) -> str:
        return f"con «{words}»"

    def wall_in_contest(self, theme: str) -> str:
        return f"Nel concorso «{theme}»"

    def wall_contest(self, theme: str) -> str:
        return f"Concorso: {theme}"

    def wall_dreams_by(self, name: str) -> str:
        return f"Sogni di {name}"
