"""What Discord minds about messages: nonces that it forgets, their age, and how it shows their files."""

import copy
from typing import Any

from simcord.backend import Backend

from tests.discord_server.clock import MovableClock
from tests.discord_server.limits import HOUR_S
from tests.discord_server.requests import Call

# "Some minutes", says the message reference (2026-08) of how long an enforced nonce is known.
NONCE_S = 300.0


class Nonces:
    """Which message an enforced nonce made, as long as Discord knows it."""

    def __init__(self, backend: Backend, clock: MovableClock) -> None:
        self._backend = backend
        self._clock = clock
        self._made: dict[tuple[int, str], tuple[int, float]] = {}  # (channel, nonce) -> (message, when)

    def repeated(self, call: Call) -> int | None:
        """The message that this request's nonce has made already, if the channel still has it."""
        if not _enforces(call):
            return None
        channel_id = call.int_part(1)
        message_id, at = self._made.get((channel_id, str(call.body["nonce"])), (0, 0.0))
        is_known = self._clock.monotonic() - at < NONCE_S
        return message_id if is_known and message_id in self._backend.messages.get(channel_id, {}) else None

    def keep(self, call: Call, message: dict[str, Any]) -> None:
        """A request has made this message; its nonce stands in the answer."""
        if call.method != "POST" or not isinstance(call.body, dict) or call.body.get("nonce") is None:
            return
        message["nonce"] = call.body["nonce"]
        if _enforces(call):
            made = int(message["id"]), self._clock.monotonic()
            self._made[int(message["channel_id"]), str(call.body["nonce"])] = made


def _enforces(call: Call) -> bool:
    is_send = call.method == "POST" and call.parts[0] == "channels" and isinstance(call.body, dict)
    return is_send and bool(call.body.get("enforce_nonce")) and call.body.get("nonce") is not None


def is_old(backend: Backend, call: Call) -> bool:
    """Whether a request is about a message that is older than an hour."""
    message = backend.messages.get(call.int_part(1), {}).get(call.int_part(3))
    return message is not None and message.timestamp < backend.iso_after(-HOUR_S)


def as_shown(payload: Any) -> Any:
    """A message as Discord hands it out; anything else unchanged.

    A file that an embed shows (`attachment://…`) is a link in the embed and not among the attachments.
    """
    if not isinstance(payload, dict) or "embeds" not in payload or "attachments" not in payload:
        return payload
    shown = copy.deepcopy(payload)
    links = {f"attachment://{a['filename']}": a["url"] for a in shown["attachments"]}
    pictures = [e[part] for e in shown["embeds"] for part in ("image", "thumbnail") if e.get(part)]
    used = {picture["url"] for picture in pictures if picture["url"] in links}
    for picture in pictures:
        picture["url"] = links.get(picture["url"], picture["url"])
    shown["attachments"] = [a for a in shown["attachments"] if f"attachment://{a['filename']}" not in used]
    for embed in shown["embeds"]:
        embed.setdefault("type", "rich")
    return shown
