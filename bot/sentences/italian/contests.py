"""`english/contests.py` in Italian."""

from bot.sentences.english.contests import Contests


class Concorsi(Contests):
    COMMAND_CONTEST = "I concorsi di questo server: un tema, i sogni di tutti, decidono i voti."
    COMMAND_MODERATE_CONTEST = "Apri e chiudi i concorsi."
    COMMAND_CONTEST_START = "Apri un concorso in questo canale."
    COMMAND_CONTEST_THEME = "Che cosa sognano tutti, per esempio: l'autunno."
    COMMAND_CONTEST_DAYS = "Quanti giorni dura; 7 se non dici niente."
    COMMAND_CONTEST_ENTER = "Partecipa con uno dei tuoi sogni; se ne scegli un altro, lo sostituisce."
    COMMAND_CONTEST_DREAM = "Quale dei tuoi sogni; l'ultimo se non dici niente."
    COMMAND_CONTEST_SHOW = "Guarda il concorso e chi è in testa."
    COMMAND_CONTEST_END = "Chiudi ora il concorso e annuncia chi ha vinto."

    CONTEST_TITLE = "Concorso di sogni"
    CONTEST_OVER = "Il concorso di sogni è finito"
    CONTEST_THEME = "Dimmi qual è il tema del concorso, per favore."
    CONTEST_RUNS = "C'è già un concorso. Con /contest show trovi tutto."
    NO_CONTEST = "Ora non c'è nessun concorso. Chi modera può aprirne uno con /moderate contest start."
    NO_ENTRIES = "Non partecipa ancora nessuno. Sogna qualcosa e usa /contest enter!"
    NOTHING_TO_ENTER = "Non hai sogni da quando è cominciato il concorso. Usa prima /dream, poi partecipa."
    NOT_TO_ENTER = "Partecipano solo i tuoi sogni finiti, fatti da quando è cominciato il concorso."
    NOT_FOR_ALL = "Quel sogno è in un canale che non tutti possono vedere: qui non può partecipare."

    def contest_about(self, theme: str, ends_at: int) -> str:
        return (
            f"Tema: **{theme}**\nSogna con /dream, poi usa /contest enter. "
            f"Decidono i voti sotto le immagini. Finisce <t:{ends_at}:R>: <t:{ends_at}:f>."
        )

    def contest_was(self, theme: str, ended_at: int) -> str:
        return f"Tema: **{theme}**\nÈ finito <t:{ended_at}:R>."

    def contest_ended(self, channel_id: int) -> str:
        return f"Il concorso è finito. Annuncerò chi ha vinto in <#{channel_id}>."

    def entered(self, prompt: str) -> str:
        return f"Partecipi con: {prompt}. Contano i voti sotto l'immagine; buona fortuna!"

    def contest_won(self, theme: str, author_id: int, votes: int, words: str) -> str:
        counted = "1 voto" if votes == 1 else f"{votes} voti"
        who = f"<@{author_id}>" if author_id else "qualcuno"
        won = f"🏆 Vince {who} con {counted}: {words}"
        return f"Tema: **{theme}**\n{won}\nGrazie a tutti per aver sognato!"

    def contest_without_winner(self, theme: str, entries: int) -> str:
        said = "Nessuno ha votato" if entries else "Nessuno ha partecipato"
        return f"Tema: **{theme}**\n{said}, quindi questa volta non vince nessuno."
