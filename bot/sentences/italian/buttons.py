"""`english/buttons.py` in Italian."""

from bot.sentences.english.buttons import Buttons


class Pulsanti(Buttons):
    AGAIN, VARY, CONTINUE, EDIT = "Ancora", "Varia", "Continua", "Modifica"
    TIMELAPSE, RECIPE, DELETE = "Filmato", "Ricetta", "Elimina"
    DELETE_SURELY = "Sì, eliminalo"

    UNKNOWN_BUTTON = "Questo pulsante non serve più a nulla, mi dispiace."
    DELETED_ALREADY = "Questo sogno è stato eliminato."
    NOT_YOURS_TO_DELETE = (
        "Questo sogno è di qualcun altro: può eliminarlo solo chi l'ha chiesto o chi modera."
    )
    CANCEL_FIRST = "Questo sogno non è ancora finito. Prima annullalo, per favore."
    DELETE_QUESTION = "Elimino questo sogno con immagine, parole e voti? Non si può annullare."
    DELETED = "Il sogno è stato eliminato."
    NOT_DELETED = "Ora non riesco a eliminare il messaggio, perciò ho tenuto il sogno. Riprova più tardi."
    NOT_OVER = "Questo sogno non è ancora finito. Quando lo sarà, si potrà andare avanti da lì."
    NO_STATE = "Non so più dove fosse arrivato questo sogno, mi dispiace. Con Ancora ricomincia da capo."
    REPEAT = "La stessa immagine"
    PICTURE_LET_GO = (
        "La sua immagine non è più conservata; dalle stesse parole e dallo stesso seme posso risognarla."
    )
    NO_TIMELAPSE = "Di questo sogno non c'è un filmato, mi dispiace."
    NO_RECIPE = "Non c'è una ricetta: questo sogno non è arrivato a un'immagine."

    EDIT_TITLE = "Sognalo con altre parole"
    PICTURE_TITLE = "Che cosa deve diventare questa immagine?"
    PROMPT_LABEL, AVOID_LABEL = "Che cosa sognare", "Che cosa evitare"
    BEGIN_LABEL = "Da dove cominciare"
    BEGIN_AFRESH, BEGIN_FROM_HERE = "Da capo, con lo stesso seme", "Da questa immagine"

    NO_PICTURE_HERE = "A questo messaggio non è allegata nessuna immagine."
    NOT_A_PICTURE = (
        "So leggere immagini PNG, JPEG, WebP, GIF, BMP e AVIF. Questa non è di nessuno di questi tipi."
    )
    PICTURE_UNREACHABLE = "Non sono riuscito a prendere l'immagine da Discord. Riprova, per favore."
    PICTURE_FORGOTTEN = "Ho perso di vista l'immagine, scusa. Sceglila di nuovo."

    STILL_BUSY = "Sto ancora facendo quello che mi hai chiesto un attimo fa. Riprova quando avrò finito."
    CROWDED = "In questo momento in tanti mi chiedono qualcosa. Riprova tra un minuto."

    PRESET_LABEL, SIZE_LABEL, VERSION, SETTINGS = "Qualità", "Dimensione", "Versione", "Impostazioni"

    OLD_COMMAND = "Questo comando è cambiato. Riavvia Discord, che mostra ancora quello vecchio."

    def picture_too_large(self, most_mb: int) -> str:
        return f"Questa immagine è troppo grande: il massimo è {most_mb} MB."

    def recipe_of(self, dream_id: int) -> str:
        return f"La ricetta del sogno {dream_id}"

    def how_to_repeat(self, dream_id: int) -> str:
        return f"`/dreams repeat dream:{dream_id}` sogna di nuovo la stessa identica immagine."
