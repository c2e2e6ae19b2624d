"""`english/commands.py` in Italian."""

from bot.chat.sentences.english.commands import Commands


class Comandi(Commands):
    COMMAND = "Sogna un'immagine dalle tue parole e guardala prendere forma."
    COMMAND_PROMPT = "Che cosa sognare, per esempio: una ciotola di ciliegie."
    COMMAND_SEED = (
        "Da dove comincia il sogno: con le stesse parole e lo stesso seme torna la stessa immagine."
    )
    COMMAND_STEPS = "Quanto sognare: con più passi ci vuole di più e l'immagine somiglia di più alle parole."
