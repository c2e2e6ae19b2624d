"""Ends the local channel's contests when their time is over, and tells the winner there, by a card, once."""

from bot.background import BackgroundLoop
from bot.community.contests import Contests
from bot.dreams.dream import Dream
from bot.dreams.local import is_local
from bot.web.channel.live import Live, contest_key

RETRY_S = 2.0
LOOK_S = 60.0  # between looks at the clock, which may be put forward


class ContestEnds(BackgroundLoop):
    """Live. `wake` it when a contest began or was ended."""

    def __init__(self, *, contests: Contests, live: Live, retry_s: float = RETRY_S) -> None:
        super().__init__(retry_s=retry_s)
        self._contests = contests
        self._live = live
        self._erased: set[int] = set()  # dreams, of which a card may tell that they won

    def erased(self, dream: Dream) -> None:
        """For `Store.on_erase`."""
        if is_local(dream.guild_id):
            self._erased.add(dream.id)
            self.wake()

    async def _look(self) -> float:
        wait_s = LOOK_S
        for dream_id in list(self._erased):
            for contest in await self._contests.won_by(dream_id, local=True):
                self._live.touch(contest_key(contest.id))
            self._erased.discard(dream_id)
        for contest in await self._contests.open(local=True):
            left_s = contest.ends_at - self._contests.clock()
            if contest.running_in is not None and left_s > 0:
                wait_s = min(wait_s, left_s)
                continue
            if contest.running_in is not None:
                await self._contests.finish(contest.id)
            await self._contests.told(contest.id, contest.id)  # its card is its message
            self._live.touch(contest_key(contest.id))
        return wait_s
