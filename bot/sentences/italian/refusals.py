"""`english/refusals.py` in Italian."""

from collections.abc import Sequence
from math import isinf
from typing import ClassVar

from bot.sentences.english.refusals import Refusals
from bot.sentences.numbers import duration, listed, moment


class Rifiuti(Refusals):
    NOT_ALLOWED = "Chi modera questo server non ti permette di sognare qui."
    NO_NEW_DREAMS = "Al momento chi modera non accetta nuovi sogni. Riprova più tardi."
    DISK_SHORT = (
        "Il mio disco è quasi pieno: per ora niente sogni nuovi, ma quelli in fila vanno avanti. "
        "Riprova più tardi."
    )
    ONLY_EMBEDDED = (
        "Gli ospiti sognano con il modello piccolo, e questo sogno è di uno più grande. Sognalo da capo."
    )
    BANNED_WORDS = "Questo server non ammette alcune di queste parole nei sogni. Prova a dirlo in altro modo."
    SPANS: ClassVar[dict[float, str]] = {3600.0: "all'ora", 86400.0: "al giorno"}  # by their seconds
    TOO_MUCH: ClassVar[dict[str, str]] = {
        "steps": "In questo server un tuo sogno può avere al massimo {allowed} passi.",
        "size": "In questo server una tua immagine può essere larga al massimo {allowed} pixel.",
        "candidates": "In questo server un tuo sogno può avere al massimo {allowed} candidati.",
    }

    def server_full(self, allowed: int) -> str:
        return f"La fila di questo server è piena: {allowed} sogni. Riprova quando ne sarà cominciato uno."

    def too_often(self, allowed: int, within_s: float, again_at: float) -> str:
        count = "un sogno" if allowed == 1 else f"{allowed} sogni"
        text = f"Qui puoi fare {count} {self.SPANS[within_s]}."
        return text if isinf(again_at) else f"{text} Puoi riprovare {moment(again_at)}."

    def so_many(self, dreams: int) -> str:
        return f"Sarebbero {dreams} sogni, perché conta ogni capitolo e ogni inizio."

    def server_too_often(self, allowed: int, within_s: float, again_at: float) -> str:
        if allowed == 0:
            return self.NO_NEW_DREAMS
        count = "un sogno" if allowed == 1 else f"{allowed} sogni"
        text = f"Questo server può fare in tutto {count} {self.SPANS[within_s]}."
        return text if isinf(again_at) else f"{text} Puoi riprovare {moment(again_at)}."

    def cooling_down(self, cooldown_s: float, again_at: float) -> str:
        pause, again = duration(cooldown_s), moment(again_at)
        return f"Qui tra un tuo sogno e l'altro devono passare almeno {pause}; puoi riprovare {again}."

    def too_much(self, what: str, allowed: int) -> str:
        return self.TOO_MUCH[what].format(allowed=allowed)

    def banned(self, until: float | None, reason: str) -> str:
        end = "finché chi modera non toglie il divieto" if until is None else f"fino al {moment(until, 'f')}"
        why = f" Il motivo: {reason}" if reason else ""
        return f"Non puoi sognare in questo server {end}.{why}"

    def wrong_channel(self, channels: Sequence[int]) -> str:
        names = listed([f"<#{channel}>" for channel in channels[:10]], "o")
        return f"In questo server i sogni hanno il loro posto: sogna in {names}."
