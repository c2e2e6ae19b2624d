"""The local channel's part of forgetting somebody: its cards go by themselves with what is stored."""

from bot.community.choices import Choice, Choices
from bot.dreams.dream import Dream
from bot.dreams.store import Store
from bot.web.channel.live import Live, choice_key


class Takedown:
    """A `bot.keeping.forgetting.FrontEnd`."""

    def __init__(self, *, store: Store, choices: Choices, live: Live) -> None:
        self._store = store
        self._choices = choices
        self._live = live

    async def take_down(self, dream: Dream) -> bool:
        """What is stored of it; whoever watches is told."""
        await self._store.erase(dream.id)
        return True

    async def take_down_choice(self, choice: Choice) -> bool:
        """As `take_down`."""
        await self._choices.forget(choice.id)
        self._live.touch(choice_key(choice.id))
        return True

    async def has_left(self, guild_id: int) -> bool | None:
        """Nobody leaves the local channel."""
        return False
