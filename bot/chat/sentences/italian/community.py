"""`english/community.py` in Italian."""

from bot.chat.sentences.english.community import Community
from bot.choices import Decision


class Comunita(Community):
    DECIDE_NOW = "Decidi ora"
    NOT_YOUR_CHOICE = "Questa scelta è di qualcun altro: può chiuderla solo chi l'ha aperta o chi modera."
    ALREADY_DECIDED = "È già deciso."
    NOT_VOTING = "Non c'è ancora niente da decidere: sto ancora sognando gli inizi."
    DECIDING = "La votazione finisce ora."
    NO_BEGINNING = "Nessuno degli inizi è riuscito, mi dispiace. Riprova, per favore."
    COMMAND_CANDIDATES = "Quanti inizi sognare: il canale vota quale continua."

    def votes(self, emoji: str, votes: int) -> str:
        return f"{emoji} {votes}"

    def beginnings(self, done: int, count: int) -> str:
        return f"Sogno {count} inizi, {done} già pronti. Tra poco scegliete voi quale continua."

    def voting(self, ends_at: int, count: int) -> str:
        return (
            f"Quale di questi {count} devo continuare a sognare? Reagisci con il suo numero; "
            f"puoi sceglierne più di uno.\nLa votazione finisce <t:{ends_at}:R>."
        )

    def decided(self, decision: Decision) -> str:
        return f"{self.steered(decision)} Continuo a sognarlo in un nuovo messaggio."

    def steered(self, decision: Decision) -> str:
        if len(decision.votes) == 1:
            said = f"Continua il numero {decision.winner}: è l'unico riuscito."
        elif not decision.most:
            said = f"Nessuno ha votato; continua il numero {decision.winner}, che ha il punteggio migliore."
        elif len(decision.tied) > 1:
            tied = " e ".join(str(number) for number in decision.tied)
            said = f"Parità tra {tied}; continua il numero {decision.winner}, che ha il punteggio più alto."
        else:
            votes = "voto" if decision.most == 1 else "voti"
            said = f"Continua il numero {decision.winner}, con {decision.most} {votes}."
        counts = " · ".join(f"{number}: {votes}" for number, votes in sorted(decision.votes.items()))
        said += f" ({counts})" if decision.most else ""
        return said + (f" <@{decision.ended_by}> ha chiuso la votazione." if decision.ended_by else "")

    def grid_alt(self, count: int, prompt: str) -> str:
        return f"{count} inizi numerati di un sogno: {prompt}"

    def choice_queued(self, count: int) -> str:
        return f"I tuoi {count} inizi sono in fila. Guardali in questo canale; poi votano tutti."
