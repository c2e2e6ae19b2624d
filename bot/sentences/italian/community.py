"""`english/community.py` in Italian."""

from bot.community.choices import Decision
from bot.sentences.english.community import Community
from bot.sentences.numbers import listed


class Comunita(Community):
    DECIDE_NOW = "Decidi ora"
    NOT_YOUR_CHOICE = "Questa scelta è di qualcun altro: può chiuderla solo chi l'ha aperta o chi modera."
    ALREADY_DECIDED = "È già deciso."
    NOT_VOTING = "Non c'è ancora niente da decidere: sto ancora sognando gli inizi."
    DECIDING = "La votazione finisce ora."
    NO_BEGINNING = "Nessuno degli inizi è riuscito, mi dispiace. Riprova, per favore."
    COMMAND_CANDIDATES = "Quanti inizi sognare: il canale vota quale continua."

    COMMAND_TOP = "Guarda i sogni migliori di questo server."
    COMMAND_TOP_BY = "Che cosa mettere in classifica: immagini, sognatori o testi."
    COMMAND_TOP_PERIOD = "Quanto indietro guardare: un giorno, una settimana, un mese o da sempre."
    TOP_BY_PICTURE, TOP_BY_DREAMER, TOP_BY_PROMPT = "Immagini", "Sognatori", "Testi"
    TOP_DAY, TOP_WEEK, TOP_MONTH, TOP_EVER = "Oggi", "Questa settimana", "Questo mese", "Da sempre"
    NO_TOP = "Qui nessuno ha ancora votato un sogno. Reagisci sotto un'immagine che ti piace!"

    def top_title(self, by: str, period: str) -> str:
        what = {
            "picture": "Le immagini migliori",
            "dreamer": "I migliori sognatori",
            "prompt": "I testi migliori",
        }
        when = {
            "day": "delle ultime 24 ore",
            "week": "degli ultimi 7 giorni",
            "month": "degli ultimi 30 giorni",
            "ever": "di sempre",
        }
        return f"{what[by]} {when[period]}"

    def top_picture(self, words: str, votes: int, author_id: int) -> str:
        return f"{words}\n{self._count(votes, 'voto', 'voti')} · <@{author_id}>"

    def top_dreamer(self, author_id: int, votes: int, dreams: int, words: str) -> str:
        counted = f"{self._count(votes, 'voto', 'voti')} per {self._count(dreams, 'sogno', 'sogni')}"
        return f"<@{author_id}> · {counted} · {words}"

    def top_prompt(self, words: str, votes: int, dreams: int) -> str:
        return f"{words} · {self._count(votes, 'voto', 'voti')} per {self._count(dreams, 'sogno', 'sogni')}"

    FAME_TITLE = "Albo d'oro: vai al sogno"

    def fame(self, emoji: str, votes: int, channel_id: int) -> str:
        return f"{emoji} {votes} · <#{channel_id}>"

    def votes(self, emoji: str, votes: int) -> str:
        return f"{emoji} {votes}"

    def beginnings(self, done: int, count: int) -> str:
        return f"Sogno {count} inizi; già pronti: {done}. Tra poco scegliete voi quale continua."

    def voting(self, ends_at: int, count: int) -> str:
        return (
            f"Quale di questi {count} devo continuare a sognare? Reagisci con il suo numero; "
            f"puoi sceglierne più di uno.\nLa votazione finisce <t:{ends_at}:R>."
        )

    def decided(self, decision: Decision) -> str:
        return f"{self.steered(decision)} Continuo a sognarlo in un nuovo messaggio."

    def steered(self, decision: Decision) -> str:
        if len(decision.votes) == 1:
            said = f"Continua il numero {decision.winner}: è l'unico riuscito"
        elif not decision.most:
            said = f"Nessuno ha votato; continua il numero {decision.winner}, che ha il punteggio migliore"
        elif len(decision.tied) > 1:
            tied = listed([str(number) for number in decision.tied], "e")
            said = f"Parità tra {tied}; continua il numero {decision.winner}, che ha il punteggio più alto"
        else:
            votes = "voto" if decision.most == 1 else "voti"
            said = f"Continua il numero {decision.winner}, con {decision.most} {votes}"
        counts = " · ".join(f"{number}: {votes}" for number, votes in sorted(decision.votes.items()))
        said += f" ({counts})." if decision.most else "."
        return said + (f" <@{decision.ended_by}> ha chiuso la votazione." if decision.ended_by else "")

    def grid_alt(self, count: int, prompt: str) -> str:
        return f"{count} inizi numerati di un sogno: {prompt}"

    def choice_queued(self, count: int) -> str:
        return f"I tuoi {count} inizi sono in fila. Guardali in questo canale; poi votano tutti."
