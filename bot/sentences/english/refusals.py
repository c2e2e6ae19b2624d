"""Why somebody may not dream this here and now, and when they may again."""

from collections.abc import Sequence
from math import isinf
from typing import ClassVar

from bot.sentences.numbers import duration, listed, moment


class Refusals:
    NOT_ALLOWED = "The moderators of this server don't let you dream here."
    NO_NEW_DREAMS = "The moderators aren't taking new dreams just now. Please try again later."
    DISK_SHORT = (
        "My disk is nearly full, so I take no new dreams just now; those in line go on. "
        "Please try again later."
    )
    ONLY_EMBEDDED = (
        "Guests dream with the small model, and this dream is from a larger one. Please dream it anew."
    )
    BANNED_WORDS = "This server doesn't allow some of these words in dreams. Please put it differently."
    SPANS: ClassVar[dict[float, str]] = {3600.0: "an hour", 86400.0: "a day"}  # by their seconds
    TOO_MUCH: ClassVar[dict[str, str]] = {
        "steps": "In this server your dreams may have at most {allowed} steps.",
        "size": "In this server your pictures may be at most {allowed} pixels wide.",
        "candidates": "In this server your dreams may have at most {allowed} candidates.",
    }

    def server_full(self, allowed: int) -> str:
        """`allowed`: dreams that this server may have in line."""
        return (
            f"This server's line is full: {allowed} dreams are waiting. Please ask again once one has begun."
        )

    def too_often(self, allowed: int, within_s: float, again_at: float) -> str:
        """`allowed`: dreams of one person within an hour or a day; `again_at`: seconds since 1970."""
        count = "one dream" if allowed == 1 else f"{allowed} dreams"
        text = f"You may have {count} {self.SPANS[within_s]} here."
        return text if isinf(again_at) else f"{text} You can ask again {moment(again_at)}."

    def so_many(self, dreams: int) -> str:
        """Stands before `too_often` where more than one dream was asked for at once."""
        return f"That would be {dreams} dreams, as every chapter and every beginning counts."

    def server_too_often(self, allowed: int, within_s: float, again_at: float) -> str:
        """As `too_often`, of all people in the server together; `again_at` may be infinite."""
        if allowed == 0:
            return self.NO_NEW_DREAMS
        count = "one dream" if allowed == 1 else f"{allowed} dreams"
        text = f"This server may have {count} {self.SPANS[within_s]} altogether."
        return text if isinf(again_at) else f"{text} You can ask again {moment(again_at)}."

    def cooling_down(self, cooldown_s: float, again_at: float) -> str:
        """`cooldown_s`: between two wishes of one person; `again_at`: seconds since 1970."""
        pause = duration(cooldown_s)
        again = moment(again_at)
        return f"Here you have to wait {pause} between dreams; you can ask again {again}."

    def too_much(self, what: str, allowed: int) -> str:
        """`what`: a key of `TOO_MUCH`."""
        return self.TOO_MUCH[what].format(allowed=allowed)

    def banned(self, until: float | None, reason: str) -> str:
        """`until`: seconds since 1970, or None; `reason`: the moderator's words, made safe to show, or ''."""
        end = "until a moderator lifts this" if until is None else f"until {moment(until, 'f')}"
        why = f" The reason: {reason}" if reason else ""
        return f"You may not dream in this server {end}.{why}"

    def wrong_channel(self, channels: Sequence[int]) -> str:
        """`channels`: ids of those where one may dream; at least one."""
        names = listed([f"<#{channel}>" for channel in channels[:10]], "or")
        return f"In this server dreams have their own place: please dream in {names}."
