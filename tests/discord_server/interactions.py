"""Interactions and their tokens: an answer within three seconds, fifteen minutes for what follows."""

import time
from collections.abc import Callable
from math import inf

from simcord.backend import Backend, errors
from simcord.backend.errors import BackendError
from simcord.backend.models import Interaction

from tests.discord_server.requests import Call

ANSWER_WITHIN_S = 3.0  # a first answer that comes later is void (Discord's interaction reference, 2026-08)


class Tokens:
    """Counts an interaction's three seconds from its delivery over the gateway to its answer's arrival.

    So it is counted fairly on a busy machine: neither the wait for a connection nor ours for a turn count.
    """

    def __init__(self, backend: Backend, notify: Callable[[], None]) -> None:
        self._backend = backend
        self._notify = notify
        self.answer_within_s = ANSWER_WITHIN_S
        self.delivered: dict[int, float] = {}  # interaction -> monotonic time of its first delivery
        self.answered: dict[int, float] = {}  # the same, of its first answer
        self._void: set[int] = set()

    def sent(self, interaction_id: int) -> None:
        """The gateway has handed it over."""
        self.delivered.setdefault(interaction_id, time.monotonic())
        self._notify()

    def expire(self, interaction: Interaction) -> None:
        """Let its three seconds, or its fifteen minutes when it is answered, be over."""
        if interaction.responded:
            interaction.expires_at = self._backend.now_iso()
        else:
            self._void.add(interaction.id)

    def check(self, call: Call, at: float) -> None:
        """Raise what Discord answers to a request that comes at `at` (monotonic) with an old token."""
        if call.parts[0] == "interactions":
            record = self._backend.interactions.get(call.int_part(1))
            if record is not None and not record.responded and self._is_late(record.id, at):
                raise errors.unknown_interaction()
        elif call.parts[0] == "webhooks" and len(call.parts) > 2:
            interaction_id = self._backend.interaction_tokens.get(call.parts[2])
            if interaction_id is None:
                return
            record = self._backend.interactions[interaction_id]
            if record.expires_at is not None and self._backend.now_iso() >= record.expires_at:
                raise BackendError(401, 50027, "Invalid Webhook Token")  # simcord would answer 10015
            if not record.responded:
                raise errors.unknown_webhook()

    def answer(self, call: Call) -> None:
        """A first answer, or one more, is accepted."""
        self.answered.setdefault(call.int_part(1), time.monotonic())

    def _is_late(self, interaction_id: int, at: float) -> bool:
        return (
            interaction_id in self._void
            or at - self.delivered.get(interaction_id, inf) > self.answer_within_s
        )
