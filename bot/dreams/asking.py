"""Asking for a dream, a story or a choice between beginnings: defaults, checks, limits, a place in line.

Every front end asks here, with plain values, and puts what comes of it or the `Refused` into its own words.
Knows no Discord.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from bot.community.choices import MAX_CANDIDATES, MIN_CANDIDATES, Choices
from bot.dreams.dream import What, Who, Wish, checked, new_seed, shared
from bot.dreams.preferences import Preference, Preferences
from bot.queue.limits import NOBODY, Asker, Refused
from bot.queue.turnstile import Turnstile
from bot.queue.worker import Worker
from bot.servers.settings import Allowance, ServerSettings

MIN_CHAPTERS, MAX_CHAPTERS = 2, 6


class CandidatesOutOfRange(Refused):
    """One may choose between `MIN_CANDIDATES` to `MAX_CANDIDATES` beginnings."""


class StoryLength(Refused):
    """A story has `MIN_CHAPTERS` to `MAX_CHAPTERS` chapters."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was asked for is stored and stands in line."""

    id: int  # of the dream, of a story's first one, or of the choice
    place: int | None = None  # of the dream, 1 for the next one; None: it waits no longer, or does not yet
    is_paused: bool = False  # nothing of its server begins just now


def story(what: What, prompts: Sequence[str]) -> list[What]:
    """The chapters of a story, told as `what` is. Raises `StoryLength`."""
    if not MIN_CHAPTERS <= len(prompts) <= MAX_CHAPTERS:
        raise StoryLength
    return [replace(what, prompt=prompt) for prompt in prompts]


class Asking:
    """Live. All of it raises what `Worker.submit` does: kinds of `Refused`, `BadRequest`, `StoreError`."""

    def __init__(
        self,
        *,
        worker: Worker,
        choices: Choices,
        preferences: Preferences,
        settings: Callable[[int | None], ServerSettings],
        model: str,
    ) -> None:
        """`settings`: a server's; `model`: what a dream gets that names none."""
        self._worker = worker
        self._choices = choices
        self._preferences = preferences
        self._settings = settings
        self.model = model
        self._intake = Turnstile(at_once=2, waiting=20, each=3, patience_s=60)  # image prompts, some MB each

    def usual(self, prompt: str, who: Who, asker: Asker = NOBODY) -> What:
        """These words, dreamt as whoever asks prefers it, with a new seed."""
        preference = self._preferences.of(who.author_id)
        usual = What(prompt=prompt, seed=new_seed(), model=self.model)
        usual = replace(usual, **shared(preference, Preference, What))
        return replace(usual, size=self._clipped(preference.size, who, asker))

    def _clipped(self, size: int | None, who: Who, asker: Asker) -> int | None:
        """What somebody prefers asks for nothing: where it is more than they may, they get what they may."""
        settings = self._settings(who.guild_id)
        most = settings.allowance(who.author_id, asker.roles, Allowance(), is_guest=asker.is_guest).size
        return None if size is not None and most is not None and size > most else size

    async def check(
        self, whats: Sequence[What], who: Who, asker: Asker = NOBODY, *, candidates: int | None = None
    ) -> None:
        """Raise what `ask` would raise just now: before a picture is fetched, and while it is waited for."""
        await self._check(_wishes(whats, who, candidates), asker, candidates)

    async def ask(
        self,
        whats: Sequence[What],
        who: Who,
        asker: Asker = NOBODY,
        *,
        candidates: int | None = None,
        fetch: Callable[[], Awaitable[bytes]] | None = None,
    ) -> Accepted:
        """Put a dream, or the chapters of a story, in line.

        `candidates`: beginnings of it, between which the channel chooses; `fetch`: gets the first one's image
        prompt, a picture file, and is not called for whoever may not dream, nor for all at once. Raises
        `AlreadyStored` too, and what `fetch` raises.
        """
        wishes = _wishes(whats, who, candidates)
        if fetch is None:
            return await self._submit(wishes, asker, candidates)
        async with self._intake.turn(who.author_id):
            await self._check(wishes, asker, candidates)  # others may have been stored while they waited
            return await self._submit(wishes, asker, candidates, await fetch())

    async def _check(self, wishes: Sequence[Wish], asker: Asker, candidates: int | None) -> None:
        if candidates is None:
            await self._worker.check(wishes, asker)
        else:
            await self._choices.check(wishes[0], candidates, asker)

    async def _submit(
        self, wishes: Sequence[Wish], asker: Asker, candidates: int | None, image: bytes | None = None
    ) -> Accepted:
        if candidates is not None:
            return Accepted((await self._choices.submit(wishes[0], candidates, asker, image=image)).id)
        first = (await self._worker.submit_story(wishes, asker, image=image))[0]
        paused = self._settings(first.guild_id).paused
        return Accepted(first.id, self._worker.place(first.id), paused)


def _wishes(whats: Sequence[What], who: Who, candidates: int | None) -> list[Wish]:
    """As they can be stored. Raises `CandidatesOutOfRange`, `BadRequest`."""
    if candidates is not None and not MIN_CANDIDATES <= candidates <= MAX_CANDIDATES:
        raise CandidatesOutOfRange
    wishes = [checked(Wish.of(what, who)) for what in whats]
    if len(wishes) == 1:
        return wishes
    return [replace(wish, chapter=n, chapters=len(wishes)) for n, wish in enumerate(wishes, start=1)]
