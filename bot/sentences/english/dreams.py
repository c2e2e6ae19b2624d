"""What is said about one dream: answers, its message in the channel, what went wrong."""

from collections.abc import Sequence
from typing import ClassVar

from bot.database.connection import StoreBusy, StoreError, StoreFull
from bot.objects.store import ObjectsAway
from bot.sentences.numbers import bar, duration, listed, moment
from engine import FailureKind
from engine.sentences import Saying


class Dreams:
    CANCEL = "Cancel"

    ONLY_IN_SERVERS = (
        "I dream in the channels of a server, where everybody can watch. "
        "Please use /dream in one that we share."
    )
    NOT_A_MEMBER = (
        "I'm not a member of this server, so I can't post a dream here. Please ask a moderator to invite me."
    )
    NOT_YOURS = "This dream belongs to somebody else; only they or a moderator can cancel it."
    UNKNOWN_DREAM = "I don't remember this dream any more, sorry."
    WITHDRAWN = "The dream has been taken out of the line."
    STOPPING = "Stopping now; the best picture so far stays."
    ALREADY_OVER = "This dream is already over."
    APOLOGY = "Sorry, something went wrong on my side. Please try again; the details are in my log."
    NO_CHANNEL = "Sorry, I couldn't post in this channel, so I took your dream out of the line again."
    TOO_LARGE = "Sorry, the picture is too large for this server."

    LOADING = "The dream begins …"
    LOADING_AGAIN = "The dream engine stumbled; picking the dream up again …"
    PAUSED = "I'm restarting; this dream will carry on by itself in a moment."

    SEED, MODELS, STEPS, SCORE, TIME = "Seed", "Models", "Steps", "Score", "Time"

    # Discord's own names for what the bot may do (2026-11), by discord.py's.
    PERMISSIONS: ClassVar[dict[str, str]] = {
        "view_channel": "View Channel",
        "send_messages": "Send Messages",
        "send_messages_in_threads": "Send Messages in Threads",
        "embed_links": "Embed Links",
        "attach_files": "Attach Files",
        "read_message_history": "Read Message History",
        "add_reactions": "Add Reactions",
    }

    def queued(self, place: int | None) -> str:
        """The answer to /dream. `place`: 1 is next; None when it is being dreamt already."""
        if place is None:
            return "Your dream begins now. Watch it in this channel."
        where = "next in line" if place == 1 else f"number {place} in line"
        return f"Your dream is {where}. Watch it in this channel."

    def waiting(
        self, place: int | None, *, before: Sequence[int] = (), others: int = 0, ready_at: float | None = None
    ) -> str:
        """In the dream's message while it waits.

        `before`: whose dreams come first; a mention inside an embed notifies nobody. `others`: people before
        who are not named. `ready_at`: seconds since 1970; None: nothing was measured yet.
        """
        if place is None:
            return "Waiting for its turn."
        where = "Next in line" if place == 1 else f"Number {place} in line"
        names = [f"<@{person}>" for person in before] + ([f"{others} more"] if others else [])
        after = f", after {listed(names, 'and')}" if names else ""
        ready = (
            "I can't say yet how long this will take." if ready_at is None else f"Ready {moment(ready_at)}."
        )
        return f"{where}{after}. {ready}"

    def dreaming(self, *, step: int, steps: int, score: float, seconds_left: float) -> str:
        """In the dream's message while it takes shape."""
        left = f" · about {duration(seconds_left)} left" if seconds_left >= 1 else ""  # unknown at first
        return f"{bar(step, steps)} step {step} of {steps} · score {self.score(score)}{left}"

    def fetching(self, model: str, done: int, total: int) -> str:
        """Before a large model's first dream: `done` of `total` bytes (0: unknown) of a file are here."""
        share = f": {100 * done // total} %" if total else ""
        return f"Downloading the model {model}, just this once{share} …"

    def score(self, score: float) -> str:
        """A score, with one decimal."""
        return f"{score:.1f}"

    def end_score(self, score: float, *, weak: bool) -> str:
        """A finished dream's score; `weak`: so low that the picture hardly shows the words."""
        return f"{self.score(score)} (a weak match)" if weak else self.score(score)

    def nearest(self, things: Sequence[str]) -> str:
        """Under a weak match. `things`: what the models know that is nearest to its words, or nothing."""
        if not things:
            return "I don't know this at all, so I made something up; I'm best at things that one can draw."
        named = listed([f"*{thing}*" for thing in things], "and")
        if len(things) == 1:
            return f"I don't know this well; the nearest thing I know is {named}."
        return f"I don't know this well; the nearest things I know are {named}."

    def dreamer(self, author_id: int) -> str:
        """Who wishes it. A mention inside an embed shows a name and notifies nobody."""
        return f"A dream by <@{author_id}>"

    def models(self, *, pair: str, generator: str, perceptor: str) -> str:
        """Which models dreamt it."""
        return f"{pair} ({generator}, {perceptor})"

    def cancelled(self, *, has_picture: bool) -> str:
        """In the message of a dream that somebody stopped."""
        return "Cancelled; this is the best picture so far." if has_picture else "Cancelled before it began."

    def alt_text(self, prompt: str) -> str:
        """For people who hear pictures."""
        return f"A dreamt picture: {prompt}"

    def failed(self, kind: FailureKind | None, detail: Saying) -> str:
        """Why a dream ended without being finished. `detail`: what the engine said of it, if anything."""
        match kind:
            case FailureKind.CRASH:
                return "Sorry, the dream engine broke down twice over this dream, so I gave up on it."
            case FailureKind.HANG:
                return "Sorry, the dream engine got stuck twice over this dream, so I gave up on it."
            case FailureKind.INTERNAL | None:
                return self.APOLOGY
            case _:
                return self.engine(detail) or self.APOLOGY

    def engine(self, said: Saying) -> str:
        """What the engine says: of an error, or as a notice."""
        return str(said)

    def too_many_waiting(self, allowed: int) -> str:
        """Refuses a dream. `allowed`: dreams that one person may have in line."""
        if allowed == 1:
            return "You already have a dream waiting. Please ask again once it has begun, or cancel it."
        return (
            f"You already have {allowed} dreams waiting. Please ask again once one has begun, or cancel one."
        )

    def line_full(self, allowed: int) -> str:
        """Refuses a dream. `allowed`: dreams that may be in line altogether."""
        return f"The line is full: {allowed} dreams are waiting. Please try again in a while."

    def missing_permissions(self, keys: Sequence[str]) -> str:
        """`keys`: discord.py's names, e.g. 'attach_files'; at least one."""
        names = listed([self.PERMISSIONS[key] for key in keys], "and")
        word = "permission" if len(keys) == 1 else "permissions"
        return f"I need the {word} {names} in this channel; a moderator can grant that in its settings."

    def store_trouble(self, error: StoreError) -> str:
        """Nothing was changed, because the database could not be used."""
        if isinstance(error, StoreFull):
            return "Sorry, my disk is full, so I can't save anything new. Please tell whoever runs me."
        if isinstance(error, StoreBusy):
            return "My database is busy just now. Please try again in a moment."
        if isinstance(error, ObjectsAway):
            return "Sorry, I can't get at my pictures just now. None is lost; please try again later."
        return "Sorry, I can't reach my database just now, so nothing was saved. Please try again later."
