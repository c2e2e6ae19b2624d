"""`english/collection.py` in Italian."""

from typing import ClassVar

from bot.dreams.dream import DreamState
from bot.sentences.english.collection import Collection


class Raccolta(Collection):
    COMMAND_DREAMS = "I tuoi sogni, e altri che ne nascono."
    COMMAND_MINE = "I tuoi sogni, dal più recente."
    COMMAND_DREAM_SHOW = "Mostra ancora un sogno, solo a te."
    COMMAND_REPEAT = "Sogna di nuovo la stessa identica immagine."
    COMMAND_WHICH = "Il numero del sogno: è scritto sotto la sua immagine e in /dreams mine."
    COMMAND_BLEND = "Sogna un'immagine a metà tra due sogni."
    COMMAND_BLEND_FIRST = "Il numero del primo sogno: è scritto sotto la sua immagine."
    COMMAND_BLEND_SECOND = "Il numero del secondo sogno: è scritto sotto la sua immagine."
    COMMAND_BLEND_PROMPT = "Le parole da sognare; senza, quelle di tutti e due."
    COMMAND_BLEND_SHARE = "Quanto c'è del secondo sogno all'inizio, in percentuale."
    COMMAND_STORY = "Più sogni, ognuno dei quali nasce da quello prima."
    COMMAND_STORY_CHAPTERS = "I capitoli divisi da |, per esempio: un uovo | un pulcino | una gallina."
    COMMAND_PREFERENCES = "Come saranno i tuoi sogni se non dici altro."
    COMMAND_OWN_LANGUAGE = "La lingua di ciò che leggi solo tu."
    COMMAND_NOTICE = "Quando avvisarti che un sogno è finito: rispondo al suo messaggio e ti menziono."
    COMMAND_RESET = "Ripristina tutte le tue preferenze."
    COMMAND_HELP = "Come si sogna, con esempi."

    MODELS_OWN, DISCORDS_OWN = "Come preferisce il modello", "Come in Discord"

    NOTICES: ClassVar[dict[str, str]] = {
        "off": "Mai",
        "waited": "Se ho aspettato più di un minuto",
        "always": "Sempre",
    }

    MINE = "I tuoi sogni"
    MINE_NONE = "Non hai ancora sognato. Comincia con /dream."
    WHERE = "Dove"
    HELP_TITLE = "Sognare con Oneiro"
    HERE = "In questo posto"

    def page(self, page: int, pages: int) -> str:
        return f"Pagina {page} di {pages}"

    def jump(self, address: str) -> str:
        return f"[vai al messaggio]({address})"

    def dream_number(self, dream_id: int) -> str:
        return f"Sogno {dream_id}"

    def no_such_dream(self, dream_id: int) -> str:
        return f"Non c'è nessun sogno {dream_id} che io possa mostrarti."

    def story_length(self, most: int) -> str:
        return f"Una storia ha da 2 a {most} capitoli divisi da |: un uovo | un pulcino | una gallina."

    def chapter(self, number: int, chapters: int) -> str:
        return f"Capitolo {number} di {chapters}"

    def preferences(
        self, *, preset: str, size: str, spoiler: bool, language: str = "", notice: str = ""
    ) -> str:
        lines = ["Così saranno i tuoi sogni, se non dici altro:", f"Qualità: {preset}", f"Dimensione: {size}"]
        lines.append(f"Nascosto finché non si clicca: {'sì' if spoiler else 'no'}")
        lines += [f"Lingua: {language}"] if language else []
        lines += [f"Avviso a sogno finito: {notice}"] if notice else []
        return "\n".join(lines)

    def notice(self, author_id: int, state: DreamState, *, story: bool) -> str:
        mine, over = ("la tua storia", "a") if story else ("il tuo sogno", "o")
        match state:
            case DreamState.FAILED:
                return f"<@{author_id}>, {mine} non è riuscit{over}; qui sopra c'è scritto perché."
            case DreamState.CANCELLED:
                return f"<@{author_id}>, qualcuno ha fermato {mine}."
        return f"<@{author_id}>, {mine} è pront{over}."

    def help_text(self, *, moderates: bool) -> str:
        lines = [
            "Di' che cosa vuoi vedere e guardalo prendere forma:",
            "`/dream prompt:una ciotola di ciliegie`",
            "`/dream prompt:una volpe avoid:nebbia preset:Accurata`",
            "`/dream prompt:un castello candidates:4`: il canale vota quale inizio continua",
            "`/dreams story chapters:un uovo | un pulcino | una gallina`",
            "",
            "Sotto un sogno finito: **Ancora** lo sogna da capo, **Varia** lo cambia, "
            "**Continua** va avanti, **Modifica** prende altre parole. "
            "Reagisci con ❌ per annullare o eliminare un tuo sogno, con ✉️ per riceverlo in privato.",
            "Più frasi con i loro pesi: `una casa:2 | un albero | nebbia:-0,5`. "
            "Per partire da un'immagine, allegala come `image`, o clic destro su un messaggio: App.",
            "",
            "`/dreams mine` · `/dreams blend` · `/dreams repeat` · `/preferences` · "
            "`/top` · `/contest` · `/queue`",
        ]
        if moderates:
            lines.append("Qui moderi tu: `/moderate` regola limiti, canali e parole, e ferma i sogni.")
        return "\n".join(lines)
