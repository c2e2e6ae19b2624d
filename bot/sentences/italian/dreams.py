"""`english/dreams.py` in Italian."""

from collections.abc import Sequence
from typing import ClassVar

from bot.database.connection import StoreBusy, StoreError, StoreFull
from bot.objects.store import ObjectsAway
from bot.sentences.english.dreams import Dreams
from bot.sentences.italian.engine import SENTENCES
from bot.sentences.numbers import bar, duration, listed, moment
from engine import FailureKind
from engine.sentences import Saying


class Sogni(Dreams):
    CANCEL = "Annulla"

    ONLY_IN_SERVERS = (
        "Sogno nei canali di un server, dove tutti possono guardare. "
        "Usa /dream in un server che abbiamo in comune."
    )
    NOT_A_MEMBER = (
        "Non faccio parte di questo server e quindi non posso sognare qui. Chiedi a chi modera di invitarmi."
    )
    NOT_YOURS = "Questo sogno è di qualcun altro: può annullarlo solo chi l'ha chiesto o chi modera."
    UNKNOWN_DREAM = "Non ricordo più questo sogno, mi dispiace."
    WITHDRAWN = "Il sogno è uscito dalla fila."
    STOPPING = "Il sogno finisce ora; la sua immagine migliore resta."
    ALREADY_OVER = "Questo sogno è già finito."
    APOLOGY = (
        "Qualcosa è andato storto da parte mia, scusa. Riprova, per favore; i dettagli sono nel mio registro."
    )
    NO_CHANNEL = (
        "Non sono riuscito a scrivere in questo canale, perciò ho tolto il tuo sogno dalla fila, scusa."
    )
    TOO_LARGE = "L'immagine è troppo grande per questo server, mi dispiace."

    LOADING = "Il sogno comincia …"
    LOADING_AGAIN = "Il motore dei sogni ha inciampato; riprendo il sogno …"
    PAUSED = "Mi sto riavviando; questo sogno riprende da solo tra un momento."

    SEED, MODELS, STEPS, SCORE, TIME = "Seme", "Modelli", "Passi", "Punteggio", "Durata"

    PERMISSIONS: ClassVar[dict[str, str]] = {
        "view_channel": "Visualizza canale",
        "send_messages": "Invia messaggi",
        "send_messages_in_threads": "Invia messaggi nei thread",
        "embed_links": "Incorpora link",
        "attach_files": "Allega file",
        "read_message_history": "Leggi cronologia messaggi",
        "add_reactions": "Aggiungi reazioni",
    }

    def queued(self, place: int | None) -> str:
        if place is None:
            return "Il tuo sogno comincia ora. Guardalo in questo canale."
        where = "è il prossimo" if place == 1 else f"è il numero {place} in fila"
        return f"Il tuo sogno {where}. Guardalo in questo canale."

    def waiting(
        self, place: int | None, *, before: Sequence[int] = (), others: int = 0, ready_at: float | None = None
    ) -> str:
        if place is None:
            return "Aspetta il suo turno."
        where = "È il prossimo" if place == 1 else f"Numero {place} in fila"
        names = [f"<@{person}>" for person in before] + ([f"altri {others}"] if others else [])
        after = f", dopo {listed(names, 'e')}" if names else ""
        ready = "Non so ancora dire quanto ci vorrà." if ready_at is None else f"Pronto {moment(ready_at)}."
        return f"{where}{after}. {ready}"

    def dreaming(self, *, step: int, steps: int, score: float, seconds_left: float) -> str:
        left = f" · ancora {duration(seconds_left)} circa" if seconds_left >= 1 else ""
        return f"{bar(step, steps)} passo {step} di {steps} · punteggio {self.score(score)}{left}"

    def fetching(self, model: str, done: int, total: int) -> str:
        share = f": {100 * done // total} %" if total else ""
        return f"Sto scaricando il modello {model}, solo questa volta{share} …"

    def score(self, score: float) -> str:
        return f"{score:.1f}".replace(".", ",")

    def end_score(self, score: float, *, weak: bool) -> str:
        return f"{self.score(score)} (somiglia poco)" if weak else self.score(score)

    def nearest(self, things: Sequence[str]) -> str:
        if not things:
            return (
                "Questo non lo conosco affatto, quindi ho lavorato di fantasia; me la cavo meglio con le"
                " cose che si possono disegnare."
            )
        named = listed([f"*{thing}*" for thing in things], "e")
        if len(things) == 1:
            return f"Questo non lo conosco bene; la cosa più vicina che conosco è {named}."
        return f"Questo non lo conosco bene; le cose più vicine che conosco sono {named}."

    def dreamer(self, author_id: int) -> str:
        return f"Un sogno di <@{author_id}>"

    def models(self, *, pair: str, generator: str, perceptor: str) -> str:
        return f"{pair} ({generator}, {perceptor})"

    def cancelled(self, *, has_picture: bool) -> str:
        if has_picture:
            return "Annullato; questa è l'immagine migliore fin qui."
        return "Annullato prima di cominciare."

    def alt_text(self, prompt: str) -> str:
        return f"Un'immagine sognata: {prompt}"

    def failed(self, kind: FailureKind | None, detail: Saying) -> str:
        match kind:
            case FailureKind.CRASH:
                return (
                    "Il motore dei sogni si è guastato due volte su questo sogno: "
                    "ho dovuto rinunciare, scusa."
                )
            case FailureKind.HANG:
                return (
                    "Il motore dei sogni si è bloccato due volte su questo sogno: "
                    "ho dovuto rinunciare, scusa."
                )
            case FailureKind.INTERNAL | None:
                return self.APOLOGY
            case FailureKind.MODEL:
                # Its sentence names files; whoever runs the bot finds it in the log.
                return "Un file dei miei modelli manca o è danneggiato, scusa. Avvisa chi mi gestisce."
            case _:
                return self.engine(detail) or self.APOLOGY

    def engine(self, said: Saying) -> str:
        return said.said(SENTENCES)

    def too_many_waiting(self, allowed: int) -> str:
        if allowed == 1:
            return "Hai già un sogno in attesa. Chiedine un altro quando sarà cominciato, oppure annullalo."
        return f"Hai già {allowed} sogni in attesa. Chiedine altri quando ne comincia uno, o annullane uno."

    def line_full(self, allowed: int) -> str:
        return f"La fila è piena: {allowed} sogni. Riprova tra un po'."

    def missing_permissions(self, keys: Sequence[str]) -> str:
        names = listed([self.PERMISSIONS[key] for key in keys], "e")
        one = len(keys) == 1
        what, give = ("Mi manca il permesso", "darmelo") if one else ("Mi mancano i permessi", "darmeli")
        return f"{what} {names} in questo canale; chi modera può {give} nelle impostazioni."

    def store_trouble(self, error: StoreError) -> str:
        if isinstance(error, StoreFull):
            return "Il mio disco è pieno e non posso accettare altro, scusa. Avvisa chi mi gestisce."
        if isinstance(error, StoreBusy):
            return "Un altro programma sta usando il mio database. Riprova tra un momento."
        if isinstance(error, ObjectsAway):
            return "Ora non riesco a raggiungere le mie immagini, scusa. Nessuna è persa: riprova più tardi."
        return (
            "Ora non riesco a raggiungere il mio database: non ho salvato niente, scusa. Riprova più tardi."
        )
