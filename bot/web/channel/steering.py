"""Leads the local channel through its choices: opens the vote, counts it, lets the winner go on.

A vote for a beginning is kept as a vote for its dream, which no ranking counts.
"""

from math import inf
from time import monotonic

from bot.background import Watch
from bot.community.choices import Choices, ChoiceState, came_out
from bot.dreams.dream import Dream
from bot.dreams.local import is_local
from bot.dreams.store import Store
from bot.web.channel.facts import voters
from bot.web.channel.live import Live, choice_key

RETRY_S = 2.0
IDLE_S = 3600.0


class Steering(Watch):
    """Live."""

    thing = "choice"

    def __init__(self, *, choices: Choices, store: Store, live: Live, retry_s: float = RETRY_S) -> None:
        super().__init__(retry_s=retry_s)
        self._choices = choices
        self._store = store
        self._live = live
        self._ends: dict[int, float] = {}  # choice → when its vote ends at the latest, on the monotonic clock
        self._erased: set[int] = set()  # choices whose dream its author deleted

    def heard(self, dream: Dream) -> None:
        """A beginning waits, is dreamt, or is over."""
        if dream.choice_id is not None and dream.state.is_over:
            self.moved(dream.choice_id)

    def erased(self, dream: Dream) -> None:
        """For `Store.on_erase`: the beginnings go with the dream that came of them."""
        if dream.choice_id is not None and not dream.candidate and is_local(dream.guild_id):
            self._erased.add(dream.choice_id)
            self.moved(dream.choice_id)

    async def _resume(self) -> None:
        self._moved |= {choice.id for choice in await self._choices.open(local=True)}

    async def _look(self) -> float:
        now = monotonic()
        self._moved |= {choice_id for choice_id, end in self._ends.items() if end <= now}
        await super()._look()
        now = monotonic()
        return max(0.0, min((end - now for end in self._ends.values()), default=IDLE_S))

    async def _look_at(self, choice_id: int) -> None:
        latest = self._ends.pop(choice_id, inf)
        if choice_id in self._erased:
            await self._choices.forget(choice_id)
            self._erased.discard(choice_id)
            self._live.touch(choice_key(choice_id))
            return
        choice = await self._choices.get(choice_id)
        if choice is None or not is_local(choice.guild_id):
            return
        if choice.state is ChoiceState.DREAMING:
            await self._choices.settle(choice_id)
            choice = await self._choices.get(choice_id) or choice
        if choice.state is ChoiceState.VOTING and choice.ends_at is not None:
            now = monotonic()
            left_s = choice.ends_at - self._choices.clock()
            end = min(now + left_s, latest)  # no later for a clock that is put back
            if end > now:
                self._ends[choice_id] = end
            else:
                found = await voters(self._store, came_out(await self._choices.candidates(choice_id)))
                await self._choices.decide(choice_id, {n: len(people) for n, people in found.items()})
                return  # `on_change` brings us back
        if choice.state.is_over and not choice.delivered:
            await self._choices.set_delivered(choice_id)
        self._live.touch(choice_key(choice_id))
