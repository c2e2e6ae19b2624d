"""The channel's cards: what one reader is shown of a dream or a choice, made of the store and what is live.

It speaks Discord's sentences (`bot.sentences.telling`); what it may show says `bot.dreams.showing`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.community.choices import ChoiceState, came_out
from bot.community.contests import MAX_THEME, Contest
from bot.community.people import Person
from bot.dreams.dream import Dream, DreamState
from bot.dreams.ending import may_end
from bot.dreams.local import CHANNEL_ID, GUILD_ID
from bot.dreams.showing import Occasion, Showing, Venue, Visibility, showing
from bot.heart import Heart
from bot.queue.positions import NOWHERE
from bot.sentences import Sentences, telling
from bot.sentences.quoting import quoted
from bot.web.channel.facts import ChoiceFacts, DreamFacts, Facts
from bot.web.channel.live import Live, Scene, choice_key, contest_key, dream_key

SHOWN_PROMPT = 150  # characters, where another dream is told of
HERE = Venue(guild_id=GUILD_ID, channel_id=CHANNEL_ID, public=True)


@dataclass(frozen=True, slots=True)
class Vote:
    """One emoji under a picture."""

    emoji: str
    count: int
    is_mine: bool


@dataclass(frozen=True, slots=True)
class Beginning:
    """One of those that one may choose from."""

    dream_id: int
    number: int
    picture: str  # its address, or ''
    votes: int
    is_mine: bool  # the reader voted for it
    won: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a reader sees of a dream, a choice or a contest that is over."""

    key: str
    number: int  # what commands take; of a contest: the newest dream's of that time, which it stands below
    kind: str  # "dream", "choice" or "contest"
    state: str
    prompt: str
    author: int
    at: float  # when it was asked for
    status: str
    is_mine: bool
    origin: int | None = None  # the dream that it grew out of
    avoid: str = ""
    chapter: str = ""
    step: int = 0
    steps: int = 0  # 0: it does not move
    picture: str = ""  # its address, or ''
    is_live: bool = False  # the picture is a frame on the way
    spoiler: bool = False
    notes: Sequence[str] = ()  # sentences
    fields: Sequence[telling.Field] = ()
    actions: Sequence[tuple[str, str]] = ()  # what it is called in addresses, and on its button
    votes: Sequence[Vote] = ()
    may_vote: bool = False
    beginnings: Sequence[Beginning] = field(default_factory=tuple)


class Cards:
    """Makes them, for one reader."""

    def __init__(self, *, heart: Heart, live: Live, facts: Facts, reader: Person, say: Sentences) -> None:
        self._heart = heart
        self._live = live
        self._facts = facts
        self._reader = reader
        self._say = say

    async def page(self, *, before: int | None, most: int) -> tuple[list[Card], bool]:
        """The newest cards, oldest first, and whether there may be older ones. Raises `StoreError`.

        `before`: only those with a lower number; `most`: of dreams.
        """
        dreams = await self._heart.store.in_channel(GUILD_ID, before=before, most=most)
        made = []
        for facts in await self._facts.of(dreams):
            if facts.dream.candidate and facts.dream.choice_id is not None:
                choice = await self._facts.choice(facts.dream.choice_id)
                made += [self._of_choice(choice)] if choice is not None else []
            else:
                made.append(self._of_dream(facts))
        has_more = len(dreams) == most
        since = dreams[0].id if has_more else 0
        told = await self._heart.contests.told_in_channel(GUILD_ID, since=since, before=before)
        made += [await self._of_contest(contest, number) for contest, number in told]
        return sorted(made, key=lambda card: card.number), has_more

    async def get(self, key: str) -> Card | None:
        """One of them by its key; None: it is not there, or not any more. Raises `StoreError`."""
        kind, _, number = key.partition("-")
        if kind == "choice":
            choice = await self._facts.choice(int(number))
            return None if choice is None else self._of_choice(choice)
        if kind == "contest":
            told = await self._heart.contests.told_in_channel(GUILD_ID)
            found = next((one for one in told if one[0].id == int(number)), None)
            return None if found is None else await self._of_contest(*found)
        dream = await self._facts.dream(int(number))
        return None if dream is None else self._of_dream(dream)

    def _of_dream(self, facts: DreamFacts) -> Card:
        dream, is_over = facts.dream, facts.dream.state.is_over
        say, scene = self._say, None if is_over else self._live.scene(dream.id)
        # Until the check has seen its end, a dream that begins at an unsafe picture shows that one.
        found = dream.flagged if is_over else (scene.flagged if scene is not None else "") or facts.begun_at
        allowed = allowed_here(dream, self._heart, flagged=found)
        address = _picture(facts, scene)
        is_withheld = bool(address) and allowed.visibility is Visibility.WITHHELD
        shown = "" if is_withheld else address
        progress = scene.progress if scene is not None else None
        chapters = dream.chapter is not None and dream.chapters is not None
        notes = [telling.steered(dream, say), telling.notice(dream, say)]
        notes.append(say.WITHHELD if is_withheld else telling.nearest(dream, say))
        notes.append(telling.let_go(dream, say, has_picture=facts.has_picture))
        return Card(
            key=dream_key(dream.id),
            number=dream.id,
            kind="dream",
            state=dream.state.value,
            prompt=dream.prompt,
            avoid=dream.avoid,
            author=dream.author_id,
            at=dream.created_at,
            status=self._status(dream, scene, has_picture=bool(shown)),
            is_mine=dream.author_id == self._reader.id,
            origin=dream.parent_id,
            chapter=say.chapter(dream.chapter or 0, dream.chapters or 0) if chapters else "",
            step=progress.step if progress else 0,
            steps=progress.steps if progress and dream.state is DreamState.DREAMING else 0,
            picture=shown,
            is_live=not is_over,
            spoiler=allowed.visibility is Visibility.SPOILER,
            notes=[note for note in notes if note],
            fields=telling.end_fields(dream, say),
            actions=self._actions(dream, has_picture=bool(shown), is_kept=facts.has_picture),
            votes=self._votes(facts.votes) if is_over and shown else (),
            may_vote=dream.author_id != self._reader.id,
        )

    def _status(self, dream: Dream, scene: Scene | None, *, has_picture: bool) -> str:
        said = telling.status(
            dream,
            self._say,
            has_picture=has_picture,
            progress=scene.progress if scene else None,
            fetching=scene.fetching if scene else None,
            position=scene.position if scene else NOWHERE,
            held=self._heart.moderation.settings(GUILD_ID).paused,
        )
        return said.lstrip("▰▱ ")  # where there are no elements; here one shows how far it is

    def _votes(self, votes: Mapping[str, set[int]]) -> list[Vote]:
        """The emoji that are votes now, and those that were when people gave them."""
        emoji = dict.fromkeys([*self._heart.moderation.settings(GUILD_ID).vote_emoji, *votes])
        return [Vote(one, len(votes.get(one, ())), self._reader.id in votes.get(one, ())) for one in emoji]

    def _actions(self, dream: Dream, *, has_picture: bool, is_kept: bool) -> list[tuple[str, str]]:
        say = self._say
        may_end_it = may_end(dream, self._reader.id, moderates=self._reader.moderates)
        if not dream.state.is_over:
            return [("cancel", say.CANCEL)] if may_end_it else []
        found = [("repeat", say.REPEAT)] if telling.is_let_go(dream, has_picture=is_kept) else []
        found += [("again", say.AGAIN)]
        found += [("vary", say.VARY), ("continue", say.CONTINUE)] if has_picture else []
        found += [("edit", say.EDIT)]
        found += [("timelapse", say.TIMELAPSE), ("recipe", say.RECIPE)] if has_picture else []
        return [*found, *([("delete", say.DELETE)] if may_end_it else [])]

    async def _of_contest(self, over: Contest, number: int) -> Card:
        store = self._heart.store
        winner = None if over.winner_id is None else await store.get(over.winner_id)
        entries = len(await self._heart.contests.entries(over.id))
        picture = ""
        if winner is not None and allowed_here(winner, self._heart).visibility is Visibility.OPEN:
            picture = f"/dreams/{winner.id}/picture" if await store.has_picture(winner.id) else ""
        return Card(
            key=contest_key(over.id),
            number=number,
            kind="contest",
            state="over",
            prompt=over.theme,
            author=over.started_by,
            at=over.ends_at,
            status=contest_end(over, winner, entries, self._say),
            is_mine=over.started_by == self._reader.id,
            origin=None if winner is None or winner.erased else winner.id,
            picture=picture,
        )

    def _of_choice(self, facts: ChoiceFacts) -> Card:
        choice, candidates = facts.choice, list(facts.candidates)
        may_end_it = may_end(choice, self._reader.id, moderates=self._reader.moderates)
        actions = [("decide", self._say.DECIDE_NOW)] if choice.state is ChoiceState.VOTING else []
        actions += [("cancel", self._say.CANCEL)]
        return Card(
            key=choice_key(choice.id),
            number=candidates[0].id,
            kind="choice",
            state=choice.state.value,
            prompt=choice.prompt,
            author=choice.author_id,
            at=choice.created_at,
            status=telling.choice_status(choice, candidates, self._say),
            is_mine=choice.author_id == self._reader.id,
            steps=len(candidates) if choice.state is ChoiceState.DREAMING else 0,
            step=sum(dream.state.is_over for dream in candidates),
            spoiler=choice.spoiler,
            actions=actions if may_end_it and not choice.state.is_over else (),
            may_vote=choice.state is ChoiceState.VOTING,
            beginnings=self._beginnings(facts),
        )

    def _beginnings(self, facts: ChoiceFacts) -> list[Beginning]:
        candidates, voters, won = list(facts.candidates), facts.voters, telling.winner(facts.choice)
        open_to_all = {
            dream.id
            for dream in came_out(candidates)
            if allowed_here(dream, self._heart).visibility is not Visibility.WITHHELD
        }
        return [
            Beginning(
                dream.id,
                dream.candidate,
                f"/dreams/{dream.id}/picture" if dream.id in open_to_all else "",
                len(voters[dream.candidate]),
                self._reader.id in voters[dream.candidate],
                dream.candidate == won,
            )
            for dream in candidates
        ]


def _picture(facts: DreamFacts, scene: Scene | None) -> str:
    """Its address, or ''."""
    dream = facts.dream
    if not dream.state.is_over:
        return f"/dreams/{dream.id}/frame/{scene.frames}" if scene is not None and scene.frame else ""
    return f"/dreams/{dream.id}/picture" if facts.has_picture else ""


def allowed_here(dream: Dream, heart: Heart, *, flagged: str | None = None) -> Showing:
    """How a dream may be shown in the local channel."""
    return showing(
        dream,
        home=HERE,
        here=HERE,
        occasion=Occasion.HOME,
        policies=[heart.moderation.settings(GUILD_ID).nsfw],
        reads=True,
        flagged=flagged,
    )


def contest_end(over: Contest, winner: Dream | None, entries: int, say: Sentences) -> str:
    """How a contest ended. `winner`: its dream, if there is one; one that was deleted keeps its words."""
    theme = quoted(over.theme, MAX_THEME)
    if winner is None:
        return say.contest_without_winner(theme, entries)
    words = "…" if winner.erased else quoted(winner.prompt, SHOWN_PROMPT)
    return say.contest_won(theme, winner.author_id, over.winner_votes or 0, words)
