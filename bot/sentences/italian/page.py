"""`english/page.py` in Italian."""

from typing import ClassVar

from bot.sentences.english.page import Page
from bot.sentences.numbers import duration


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
    NO_SCRIPT = "Qui i sogni si muovono: serve JavaScript. Tutto ciò che la pagina carica viene da qui."

    NAME_TITLE = "Come ti chiami?"
    NAME_INVITE = (
        "Di' che cosa vuoi vedere e guardalo prendere forma. Non serve un account: "
        "il nome mostra agli altri di chi è un sogno."
    )
    NAME_LABEL, NAME_BUTTON = "Il tuo nome", "Entra"
    NAME_TAKEN = "Qui qualcuno si chiama già così, o quasi. Scegli un altro nome."
    PASSWORD_TITLE = "Chi è?"
    PASSWORD_NEEDED = "Chi gestisce questo canale ha una password per gli ospiti. Inseriscila per entrare."
    PASSWORD_LABEL, PASSWORD_BUTTON = "La password", "Entra"
    WRONG_PASSWORD = "La password non è questa. Riprova."
    NO_NAME_YET = "Ricarica la pagina e prima scegli un nome."
    ONLY_MODERATORS = "Questo può farlo solo chi modera."

    PAGE_WORDS: ClassVar[dict[str, str]] = {
        "channel": "sogni",
        "moderator": "modera",
        "no limit": "non impostato",
        "hint": "una ciotola di ciliegie",
    }
    NO_DREAMS_YET = "Qui nessuno ha ancora sognato. Che cosa ti piacerebbe vedere?"
    MORE_COMMANDS = "Scrivi / per vedere che cos'altro so fare."
    TEXT_LABEL = "Il tuo sogno, o un comando"
    SEND, SURPRISE, ATTACH = "Sogna", "Sorprendimi", "Da un'immagine"
    DETACH = "Senza l'immagine"
    SUGGESTIONS, ANSWERS = "Suggerimenti", "Lo vedi solo tu"
    CLOSE, KEEP_IT, EARLIER = "Chiudi", "Tienilo", "Sogni precedenti"
    HIDDEN_PICTURE = "Mostra l'immagine nascosta"
    FILM_OFF = "Immagine"
    AWAY = "Connessione persa. Riprovo …"

    PREFERENCES, SAVED = "Preferenze", "Salvato."
    PREFERENCES_HINT = "Come saranno i tuoi sogni, se non dici altro."
    SPOILER_LABEL = "Nascosti finché qualcuno non ci clicca sopra"

    MODERATE = "Modera"
    MODERATE_ASK = "Modera qui"
    MODERATE_QUESTION = "Con questo link diventi chi modera questo canale. Funziona una volta sola."
    SAVE, LIMITS_TITLE, PEOPLE_TITLE, WORDS_TITLE = "Salva", "Limiti", "Persone", "Parole vietate"
    EACH_PERSON, EACH_GUEST, ALL_TOGETHER = "Ogni persona", "Ogni ospite", "Tutti insieme"
    GUESTS_HINT = "Gli ospiti entrano con la password e sognano solo con il piccolo modello incluso."
    BAN, UNBAN, BAN_REASON, BAN_HOURS = "Escludi", "Riammetti", "Motivo", "Ore"
    PAUSE, RESUME, FRONT = "Metti in pausa", "Riprendi", "In testa"
    WORDS_HINT = "Una per riga; un * all'inizio o alla fine sta per qualsiasi lettera."
    CONTEST_BEGIN, CONTEST_STOP, CONTEST_DAYS = "Comincia un concorso", "Chiudilo ora", "Giorni"

    def too_many_passwords(self, wait_s: int) -> str:
        return f"Troppe password sbagliate. Riprova tra {duration(wait_s)}."

    def no_name(self, most: int) -> str:
        return f"Un nome ha almeno una lettera o una cifra, e al massimo {most} caratteri."

    def unknown_command(self, name: str) -> str:
        return f"Non conosco il comando /{name}. Scrivi / per vederli tutti, o di' che cosa sognare."

    def bad_value(self, option: str) -> str:
        return f"Mi serve un altro valore per {option}. Scrivi il nome e i due punti per vedere quali vanno."

    def vote_with(self, emoji: str, votes: int) -> str:
        return f"Vota con {emoji}; finora {votes}"

    def choose(self, number: int, votes: int) -> str:
        return f"Vota per il numero {number}; finora {votes}"

    def grew_from(self, dream_id: int) -> str:
        return f"dal sogno {dream_id}"

    def page_help(self) -> str:
        return (
            "Di' semplicemente che cosa vuoi vedere: `una ciotola di ciliegie`.\n"
            "`/dream una volpe avoid:nebbia preset:thorough` · le opzioni appaiono mentre scrivi.\n"
            "`/dream un castello candidates:4` sogna quattro inizi; tutti votano quale continua.\n"
            "`/dreams story un uovo | un pulcino | una gallina` racconta una storia.\n"
            "`/dreams blend first:1 second:2` sogna un'immagine tra due.\n"
            "Più frasi con un peso: `una casa:2 | un albero | nebbia:-0.5`.\n"
            "Sotto un sogno finito: **Ancora** lo sogna di nuovo, **Varia** lo cambia, "
            "**Continua** va avanti, "
            "**Modifica** prende altre parole. Vota i sogni degli altri.\n"
            "`/top` · `/queue` · `/dreams mine` · `/contest show` · `/preferences`"
        )
