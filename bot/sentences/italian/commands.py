"""`english/commands.py` in Italian."""

from bot.sentences.english.commands import Commands


class Comandi(Commands):
    COMMAND = "Sogna un'immagine dalle tue parole e guardala prendere forma."
    COMMAND_PROMPT = "Che cosa sognare, per esempio: una ciotola di ciliegie."
    COMMAND_SEED = (
        "Da dove comincia il sogno: con le stesse parole e lo stesso seme torna la stessa immagine."
    )
    COMMAND_STEPS = "Quanto sognare: con più passi ci vuole di più e l'immagine somiglia di più alle parole."
    COMMAND_AVOID = "A che cosa l'immagine non deve somigliare, per esempio: nebbia."
    COMMAND_IMAGE = "Un'immagine a cui il sogno deve somigliare, fino a 8 MB."
    COMMAND_SIZE = "La dimensione dell'immagine, in pixel."
    COMMAND_PRESET = "Quanta cura ci mette il sogno: con più cura ci vuole di più."
    COMMAND_SPOILER = "Nascondi l'immagine finché qualcuno non ci clicca."
    MENU_DREAM_ON = "Sogna da questa immagine"

    PRESET_QUICK, PRESET_NORMAL, PRESET_THOROUGH = "Veloce", "Normale", "Accurata"
    GROUNDS = (
        "di notte",
        "al tramonto",
        "nella neve",
        "sulla spiaggia",
        "nel bosco",
        "sull'erba",
        "sott'acqua",
        "nello spazio",
    )
    STYLES = ("acquerello", "pittura a olio", "disegno a matita", "vetrata", "pixel art")
