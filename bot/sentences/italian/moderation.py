"""`english/moderation.py` in Italian."""

from collections.abc import Sequence
from typing import ClassVar

from bot.sentences.english.moderation import Moderation
from bot.sentences.numbers import listed, moment


class Moderazione(Moderation):
    COMMAND_MODERATE = "Per chi modera: limiti, fila, persone, parole e canali."
    COMMAND_SHOW = "Tutto ciò che è impostato in questo server."
    COMMAND_LIMITS = "Quanto si può sognare."
    COMMAND_LIMITS_SHOW = "I limiti di tutti, dei ruoli, delle persone e del server."
    COMMAND_LIMITS_SET = "Imposta un limite per tutti, un ruolo, una persona o l'intero server."
    COMMAND_LIMITS_LIMIT = "Che cosa limitare."
    COMMAND_LIMITS_VALUE = "Quanto è permesso; lascialo vuoto per togliere questo limite."
    COMMAND_LIMITS_WHO = "Un ruolo o una persona; lascialo vuoto per tutti."
    COMMAND_LIMITS_TOGETHER = "Conta insieme i sogni dell'intero server."
    COMMAND_COOLDOWN = "La pausa tra due sogni della stessa persona."
    COMMAND_COOLDOWN_SECONDS = "Secondi; 0 per nessuna pausa."
    COMMAND_PAUSE = "Metti in pausa i sogni di questo server; la fila resta e ci si può ancora aggiungere."
    COMMAND_DRAIN = "Non accettare nuovi sogni; quelli in fila vengono ancora sognati."
    COMMAND_RESUME = "Riprendi a sognare dopo una pausa e accetta nuovi sogni."
    COMMAND_CLEAR = "Togli dalla fila tutti i sogni in attesa, dopo un'altra conferma."
    COMMAND_CLEAR_PERSON = "Solo quelli di questa persona."
    COMMAND_CANCEL = "Ferma il sogno di qualcuno, in attesa o in corso."
    COMMAND_FRONT = "Porta un sogno in attesa in cima alla fila di questo server."
    COMMAND_DREAM_ID = "Quale sogno: il suo numero, scritto sotto la sua immagine."
    COMMAND_BAN = "Vieta a una persona di sognare in questo server e ritira i suoi sogni in attesa."
    COMMAND_BAN_PERSON = "La persona."
    COMMAND_BAN_REASON = "Il motivo; la persona può leggerlo."
    COMMAND_BAN_HOURS = "Per quante ore; lascialo vuoto per un divieto senza scadenza."
    COMMAND_UNBAN = "Permetti a una persona di sognare di nuovo."
    COMMAND_BANS = "Chi non può sognare in questo server."
    COMMAND_ROLE = "Un ruolo che può usare questi comandi; solo con Gestisci server."
    COMMAND_ROLE_ROLE = "Il ruolo; lascialo vuoto per nessuno."
    COMMAND_WORDS = "Parole che i sogni non possono contenere."
    COMMAND_WORDS_ADD = "Vieta una parola o uno schema nei testi."
    COMMAND_WORDS_REMOVE = "Permetti di nuovo una parola o uno schema vietati."
    COMMAND_WORDS_LIST = "Tutte le parole e gli schemi vietati."
    COMMAND_WORDS_TEST = "Queste parole sarebbero permesse?"
    COMMAND_WORDS_TEXT = "La parola; un * alla fine o all'inizio sta per altre lettere."
    COMMAND_WORDS_PATTERN = "È uno schema (un'espressione regolare RE2)."
    COMMAND_WORDS_PROMPT = "Le parole da provare."
    COMMAND_CHANNELS = "Dove si può sognare."
    COMMAND_CHANNELS_ALLOW = "Permetti i sogni qui; da quel momento si sogna solo nei canali permessi."
    COMMAND_CHANNELS_DISALLOW = (
        "Non permettere più i sogni qui; se non resta nessun canale, si sogna ovunque."
    )
    COMMAND_CHANNEL = "Il canale o la categoria."
    COMMAND_NSFW = "Che fare delle immagini che il controllo trova inadatte."
    COMMAND_NSFW_POLICY = "Che cosa fare."
    COMMAND_GALLERY = "Pubblica ogni immagine finita anche in un altro canale."
    COMMAND_LOG = "Scrivi in un canale le modifiche di chi modera e le segnalazioni."
    COMMAND_HALL_OF_FAME = "Mostra in un canale le immagini più votate."
    COMMAND_HALL_CHANNEL = "Il canale; senza nessuna delle due opzioni l'albo d'oro viene tolto."
    COMMAND_TARGET = "Il canale; lascialo vuoto per nessuno."
    COMMAND_VOTES = "Quanti voti servono a un'immagine."
    COMMAND_VOTE_TIME = "Per quanto tempo si può votare tra gli inizi di un sogno."
    COMMAND_VOTE_SECONDS = "Secondi; un minuto, se non dici altro."
    COMMAND_EMOJI = "Con che cosa si vota."
    COMMAND_EMOJI_EMOJI = "Da una a cinque emoji, separate da spazi; lascialo vuoto per le solite."
    COMMAND_LANGUAGE = "La lingua di ciò che tutti leggono in questo server."
    COMMAND_LANGUAGE_LANGUAGE = "La lingua; lascialo vuoto per quella del server."
    COMMAND_AUDIT = "Che cosa ha cambiato chi modera: chi, quando, che cosa."

    NOT_A_MODERATOR = "Solo chi modera può farlo: chi ha Gestisci server o il ruolo scelto per questo."
    ONLY_MANAGERS = "Può farlo solo chi ha il permesso Gestisci server."
    NOTHING_NEW = "È già così; non è cambiato nulla."
    DONE = "Fatto, da adesso:"
    NO_CHANGES = "Finora non è stato cambiato nulla."
    NO_BANS = "Qui tutti possono sognare."
    NOT_BANNED = "Questa persona può già sognare qui."
    NO_WORDS = "Qui nessuna parola è vietata."
    NO_LIMITS = "Qui non ci sono limiti impostati; valgono quelli del bot."
    ONLY_COUNTS = "Per l'intero server posso contare i sogni: in fila, all'ora e al giorno."
    NOT_IN_LINE = "Questo sogno non è nella fila di questo server; scegline uno dall'elenco."
    LINE_EMPTY = "Nessun sogno è in attesa."
    BAD_WORD = "Non è una parola che io possa cercare. Servono lettere o emoji, e al massimo 100 caratteri."
    BAD_PATTERN = "Non è uno schema che io possa usare: RE2 non ha look-around né riferimenti all'indietro."
    PATTERN_TOO_WIDE = "Questo schema corrisponde a qualsiasi testo, oppure supera i 200 caratteri."
    TOO_MANY_WORDS = "Ci sono già 500 parole e schemi vietati; prima togline qualcuno."
    NO_SUCH_WORD = "Non è tra le parole vietate."
    WORDS_ALLOWED = "Queste parole sono permesse."
    NOT_EMOJI = "Indica da una a cinque emoji di Discord o di questo server, separate da spazi."
    TRYING_EMOJI = "Sto provando le nuove emoji per votare; questo messaggio sparisce tra un attimo."
    EMOJI_NOT_TRIED = "Discord non mi ha lasciato provare queste emoji. Riprova tra poco."
    BAD_OPTION = "Non capisco una di queste opzioni; scegli tra quelle che offre Discord."
    UNCHECKED = (
        "Le immagini vengono controllate solo quando sognano i modelli grandi; "
        "quelle dei piccoli modelli incorporati non lo sono mai."
    )
    AUDIT_TITLE, SETTINGS_TITLE, BANS_TITLE = "Registro", "Impostazioni", "Chi non può sognare"
    OLDER, NEWEST, CLEAR = "Meno recenti", "Più recenti", "Svuota la fila"
    VALUES: ClassVar[dict[str, str]] = {
        "none": "niente",
        "yes": "sì",
        "no": "no",
        "everywhere": "ovunque",
        "own language": "quella del server",
    }

    LIMITS: ClassVar[dict[str, str]] = {
        "waiting": "sogni in fila",
        "per_hour": "sogni all'ora",
        "per_day": "sogni al giorno",
        "steps": "passi",
        "size": "pixel",
        "candidates": "candidati",
    }
    NSFW: ClassVar[dict[str, str]] = {
        "refuse": "Non mostrarle a nessuno",
        "spoiler": "Nascondile dietro uno spoiler",
        "age_restricted": "Mostrale solo nei canali con limite d'età",
    }
    DEEDS: ClassVar[dict[str, str]] = {
        "everyone": "limiti di tutti",
        "guests": "limiti degli ospiti",
        "together": "limiti dell'intero server",
        "roles": "limiti di",
        "people": "limiti di",
        "cooldown_s": "secondi tra due sogni",
        "paused": "in pausa",
        "draining": "nessun nuovo sogno",
        "moderator_role": "ruolo di chi modera",
        "channels": "canali per i sogni",
        "nsfw": "immagini inadatte",
        "gallery_channel": "galleria",
        "log_channel": "registro",
        "fame_channel": "albo d'oro",
        "fame_votes": "voti per l'albo d'oro",
        "vote_s": "secondi per votare tra gli inizi",
        "vote_emoji": "emoji per votare",
        "language": "lingua",
        "wall": "sogni sulla parete pubblica",
        "wall_links": "rimandi dalla parete ai messaggi",
        "words": "parole vietate",
        "patterns": "schemi vietati",
        "ban": "divieto per",
        "unban": "fine del divieto per",
        "clear": "fila svuotata, sogni ritirati",
        "cancel": "annullato",
        "front": "portato in cima alla fila",
        "delete": "eliminato",
        "decide": "votazione chiusa",
        "contest": "concorso aperto",
        "contest_end": "concorso chiuso",
    }

    def deed(self, what: str, target: str, change: str) -> str:
        return " ".join(filter(None, (f"**{self.DEEDS.get(what, what)}**", target, change)))

    def entry(self, at: float, by: int, deed: str) -> str:
        return f"{moment(at, 'f')} {f'<@{by}>' if by else 'Qualcuno'}: {deed}"

    def the_dream(self, dream_id: int) -> str:
        return f"sogno {dream_id}"

    def until(self, at: float) -> str:
        return f"fino al {moment(at, 'f')}"

    def out_of_range(self, low: int, high: int) -> str:
        return f"Dev'essere un numero intero da {low} a {high}."

    def none_of(self, numbers: Sequence[int]) -> str:
        return f"Dev'essere {listed([str(number) for number in numbers], 'o')}."

    def unhide(self, role: int) -> str:
        return (
            f"Discord nasconde ancora `/moderate` a <@&{role}>. Per mostrarglielo, apri Impostazioni "
            "server → Integrazioni → questo bot → `/moderate` e aggiungi il ruolo."
        )

    def sure(self, count: int) -> str:
        if count == 1:
            return "Il sogno in attesa verrà ritirato. Procedo?"
        return f"I {count} sogni in attesa verranno ritirati. Procedo?"

    def cleared(self, count: int) -> str:
        return "Un sogno è stato ritirato." if count == 1 else f"{count} sogni sono stati ritirati."

    def moved(self, dream_id: int) -> str:
        return f"Il sogno {dream_id} è il prossimo di questo server."

    def is_banned(self, person: int, until: float | None, withdrawn: int) -> str:
        end = f" {self.until(until)}" if until is not None else ""
        gone = f" {self.cleared(withdrawn)}" if withdrawn else ""
        return f"<@{person}> non può più sognare qui{end}.{gone}"

    def is_unbanned(self, person: int) -> str:
        return f"<@{person}> può di nuovo sognare qui."

    def words_banned(self, rule: str) -> str:
        return f"Queste parole non sono permesse. Regola: {rule}"

    def emoji_refused(self, emoji: str) -> str:
        return f"Discord non mi lascia reagire con {emoji}, quindi non è cambiato niente."

    def emoji_in_use(self, emoji: str) -> str:
        return f"{emoji} qui ha già un significato: ❌ elimina un sogno e ✉️ ne invia l'immagine."

    def lacking_in(self, channel: int, permissions: str) -> str:
        return f"In <#{channel}> mi serve ancora: {permissions}. Prima concedimelo, per favore."
