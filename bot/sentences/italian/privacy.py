"""`english/privacy.py` in Italian."""

from typing import ClassVar

from bot.keeping.held import Held
from bot.sentences.english.privacy import Privacy
from bot.sentences.numbers import listed


class Riservatezza(Privacy):
    COMMAND_PRIVACY = "Che cosa conservo di te: vederlo, averlo, farlo dimenticare; e la parete pubblica."
    COMMAND_PRIVACY_WALL = "Se i tuoi sogni possono stare sulla parete pubblica, e con quale nome."
    COMMAND_PRIVACY_ON = "Se possono starci, dove chi modera lo vuole."
    COMMAND_PRIVACY_NAME = "Un nome da mostrare accanto, con una pagina di tutti; - per nessuno."
    COMMAND_PRIVACY_SHOW = "Che cosa è conservato di te, dove e per quanto tempo."
    COMMAND_PRIVACY_EXPORT = "Ricevi tutto ciò che è tuo in un file, in un messaggio privato."
    COMMAND_PRIVACY_FORGET = "Elimina per sempre tutto ciò che è tuo."

    PRIVACY_LINK = "Riservatezza"
    PRIVACY_YOURS = "Che cosa conservo di te"
    EXPORT_SENT = "Ti ho mandato in un messaggio privato tutto ciò che conservo di te."
    EXPORT_HERE = (
        "Non posso scriverti in privato, quindi ecco qui tutto ciò che conservo di te; lo vedi solo tu."
    )
    EXPORT_FAILED = "Scusa, Discord in questo momento non ha accettato il file. Riprova più tardi."
    EXPORT_DM = "Tutto ciò che conservo di te. I file dentro sono JSON e immagini."
    EXPORT_BUTTON, FORGET_BUTTON = "Scarica tutto", "Dimenticami"
    FORGET_SURELY, FORGET_NOT = "Sì, dimenticami", "Tieni tutto"
    FORGETTING = "Ti sto dimenticando: i tuoi sogni spariscono uno dopo l'altro. Può volerci qualche minuto."
    FORGOTTEN = "Qui nessuno si ricorda più di te. Torna quando vuoi, come una persona nuova."
    NOT_YOUR_BUTTON = "Questo pulsante è di qualcun altro. Per te c'è /privacy forget."

    PRIVACY_TITLE = "Che cosa si conserva, e per quanto tempo"
    PRIVACY_HEADINGS: ClassVar[dict[str, str]] = {
        "kept": "Che cosa si conserva",
        "where": "Dove",
        "long": "Per quanto tempo",
        "rights": "Che cosa puoi fare",
        "forgotten": "Che cosa viene dimenticato, e che cosa no",
        "servers": "Quando un server toglie il bot",
    }
    PRIVACY_TEXTS: ClassVar[dict[str, str]] = {
        "kept": (
            "Ogni sogno: le parole, il seme e le impostazioni, il punteggio e l'immagine, chi l'ha "
            "chiesto, in quale server e canale, e quando; un filmato di come ha preso forma, e uno stato "
            "da cui si può continuare.\n"
            "Le immagini che alleghi perché un sogno assomigli a loro.\n"
            "I tuoi voti, le iscrizioni ai concorsi, le segnalazioni e le preferenze; quali immagini ti "
            "sono state mandate; che cosa permetti alla parete pubblica, e il nome che hai scelto.\n"
            "Ciò che chi modera ha impostato e fatto: limiti, parole vietate, esclusioni, un registro.\n"
            "Nel canale locale, il tuo nome e un'impronta del cookie che fa riconoscere il tuo browser.\n"
            "Nient'altro: nessun altro messaggio, nessun indirizzo, né di posta né di rete."
        ),
        "where": (
            "In una sola banca dati, e nelle sue copie di sicurezza, di chi gestisce questo bot; immagini, "
            "filmati e stati possono stare lì accanto, in un deposito di file scelto da chi lo gestisce. "
            "Anche i modelli girano lì: le tue parole non vanno a nessun altro servizio. Discord conserva i "
            "messaggi che il bot pubblica, secondo le sue regole."
        ),
        "rights": (
            "`/privacy show` dice che cosa è conservato di te. `/privacy export` ti manda tutto in un file. "
            "`/privacy forget` elimina tutto per sempre. `/privacy wall` tiene i tuoi sogni lontani dalla "
            "parete pubblica, o ci mette accanto un nome. *Elimina* sotto un sogno elimina quello. Il canale "
            "locale offre lo stesso nella sua pagina sulla riservatezza."
        ),
        "forgotten": (
            "Spariscono tutti i tuoi sogni, con i loro messaggi e le loro copie nelle gallerie, nelle "
            "hall of fame e sulla parete, e così i tuoi voti, le iscrizioni, le segnalazioni, le "
            "preferenze e le immagini che hai dato.\n"
            "Ciò che altri hanno fatto dai tuoi sogni resta, senza il tuo nome.\n"
            "Ciò che chi modera un server conserva resta: esclusioni, limiti solo per te, e chi li ha "
            "messi.\n"
            "Non arrivo alle segnalazioni nei canali di chi modera, alle immagini che altri hanno salvato "
            "o ricevuto in privato, e alle tue reazioni sotto i sogni degli altri: finché stanno lì, "
            "possono essere contate di nuovo.\n"
            "Le copie di sicurezza restano finché chi gestisce questo bot le tiene."
        ),
        "servers": (
            "I suoi sogni non si vedono più da nessuna parte. Dopo 7 giorni si elimina tutto ciò che è "
            "del server: sogni e immagini, impostazioni, esclusioni, concorsi, il registro. Se il bot "
            "torna prima, tutto è come prima. Un server che per un po' non risponde conta come presente."
        ),
    }

    def privacy_how_long(self, *, days: int, picture_days: int | None, megabytes: int) -> str:
        pictures = (
            "Le immagini, anche quelle date da te, restano finché c'è posto"
            if picture_days is None
            else f"Le immagini, anche quelle date da te, restano per {self._days(picture_days)}, se c'è posto"
        )
        room = f"{megabytes:,}".replace(",", ".")
        return (
            f"Filmati e stati restano per {self._days(days)}. {pictures}: {room} MB in tutto. Quando è "
            "pieno, vanno via prima i più vecchi, filmati e stati prima delle immagini. Le parole, il "
            "seme e la ricetta di un sogno restano finché non li elimini, così lo si può sognare di nuovo."
        )

    def privacy_held(self, held: Held) -> str:
        lines = [self._amount(getattr(held, name), word) for name, word in self._HELD.items()]
        lines += ["Le tue preferenze"] if held.has_preferences else []
        lines += ["Che cosa permetti alla parete pubblica"] if held.has_wall_choice else []
        bans = self._amount(held.bans, "esclusione|esclusioni")
        lines += [f"Conservate da chi modera: {bans}"] if held.bans else []
        return "\n".join(f"· {line}" for line in lines)

    def privacy_question(self, held: Held) -> str:
        what = listed(
            [self._amount(getattr(held, name), self._HELD[name]) for name in ("dreams", "votes", "entries")],
            "e",
        )
        stops = " Quello che hai in fila viene annullato." if held.unfinished else ""
        return (
            f"Questo elimina tutto ciò che è tuo, qui e in ogni altro server: {what}, le preferenze, le "
            f"immagini che hai dato.{stops} Non si può annullare. Ciò che altri hanno fatto dai tuoi sogni "
            "resta, senza il tuo nome, e così ciò che conserva chi modera, come le esclusioni."
        )

    def privacy_page(self, address: str) -> str:
        return f"Tutto su questo: {address}"

    def export_left_out(self, pictures: int) -> str:
        what = "Un'immagine non c'è" if pictures == 1 else f"{pictures} immagini non ci sono"
        return f"{what}, per mancanza di posto; `/dreams show` le ha tutte."

    def privacy(self, *, wall: bool, name: str) -> str:
        if not wall:
            return "I tuoi sogni non stanno sulla parete pubblica; quelli che c'erano sono via."
        said = "I tuoi sogni possono stare sulla parete pubblica, nei server dove chi modera lo vuole"
        return f"{said}, con il nome {name}." if name else f"{said}; nessuno saprà chi li ha sognati."

    _HELD: ClassVar[dict[str, str]] = {
        "dreams": "sogno|sogni",
        "pictures": "immagine|immagini",
        "films": "filmato|filmati",
        "states": "stato da cui continuare|stati da cui continuare",
        "image_prompts": "immagine data da te|immagini date da te",
        "votes": "voto|voti",
        "entries": "iscrizione a un concorso|iscrizioni a concorsi",
        "reports": "segnalazione|segnalazioni",
        "sendings": "immagine mandata a te|immagini mandate a te",
    }

    @staticmethod
    def _amount(count: int, word: str) -> str:
        one, _, many = word.partition("|")
        return f"{count:,} {one if count == 1 else many}".replace(",", ".")

    @staticmethod
    def _days(days: int) -> str:
        return "un giorno" if days == 1 else f"{days} giorni"
