"""The real bot for a round of seconds: what it waits for in earnest is shortened, its dreamer scripted.

Only here: the program itself has no such door. A name that is not there any more is told at once.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any

import bot.__main__ as program
from bot import background
from bot.chat import session_starts
from bot.chat.listeners import catching_up, votes
from bot.chat.messages import choices, contests, dreams, hall_of_fame, outbox, pacing, vote_reactions
from bot.database import outbox as outbox_store
from bot.queue import worker
from bot.settings import Settings
from engine.process import groups, host
from tests.chaos import full_disk

LEASE_S = 2.0
FRAME_PACE_S = 0.3
NONCE_S = 1.0

DREAMER = groups.python(
    "import engine.process.child, tests.chaos.dreamer; "
    "sys.exit(engine.process.child.main(tests.chaos.dreamer.load))"
)

# Of a module, while it runs …
NAMES: tuple[tuple[ModuleType, str, Any], ...] = (
    (background, "LONGEST_PAUSE_S", 2.0),
    (session_starts, "APART_S", 0.3),
    (pacing, "RETRY_S", 0.3),
    (votes, "AGAIN_S", (0.3, 0.6, 1.0, 2.0, 4.0, 8.0)),
    (votes, "QUIET_S", 1.0),
    (votes, "RECOUNT_PACE_S", 0.05),
    (catching_up, "RETRY_S", 0.5),
    (contests, "COUNTED_S", 5.0),
    (dreams, "MISSED_S", 0.3),
    (dreams, "NONCE_S", NONCE_S),
    (choices, "NONCE_S", NONCE_S),
    (outbox_store, "LEASE_S", LEASE_S),
    (outbox, "LEASE_S", LEASE_S),
    (outbox, "POLL_S", 0.5),
    (hall_of_fame, "RETRY_S", 0.3),
    (vote_reactions, "REFUSED_S", (0.3, 1.0, 2.0, 4.0)),
)
# … and of what is built without naming it.
KEYWORDS: tuple[tuple[Callable[..., Any], Mapping[str, Any]], ...] = (
    (worker.Worker.__init__, {"poll_s": 0.5, "retry_s": 0.3, "state_every_s": 0.15}),
    (dreams.DreamMessages.__init__, {"retry_s": 0.3}),
    (outbox.Outbox.__init__, {"retry_s": 0.3}),
    (host.EngineHost.__init__, {"command": DREAMER, "first_pause_s": 0.1}),
)


class _QuickSettings:
    """Settings below the least that a host may choose."""

    @staticmethod
    def read(environ: Mapping[str, str]) -> Settings:
        return replace(Settings.read(environ), lease_s=LEASE_S, frame_pace_s=FRAME_PACE_S)


def shorten() -> None:
    """Do so in this process. Raises `LookupError` for what is not there any more."""
    for module, name, value in NAMES:
        if not hasattr(module, name):
            raise LookupError(f"{module.__name__} has no {name} any more: tests/chaos/quick.py shortens it")
        setattr(module, name, value)
    for built, values in KEYWORDS:
        defaults = built.__kwdefaults__ or {}
        if not values.keys() <= defaults.keys():
            raise LookupError(f"{built.__qualname__} does not take {', '.join(values)}: tests/chaos/quick.py")
        defaults.update(values)
    program.Settings = _QuickSettings  # type: ignore[misc,assignment]
    full_disk.watch()


def live() -> int:
    """Be the bot, with the settings of the environment. Returns its exit code."""
    sys.argv = ["bot"]
    return program.main()
