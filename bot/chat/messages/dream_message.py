"""What a dream's channel message shows: one embed and at most one picture, made from a `Dream` and events."""

import json
from dataclasses import dataclass

import discord

from bot.chat.buttons.dream import ended_view, live_view
from bot.chat.messages.exhibit import Exhibit, exhibit
from bot.chat.messages.pacing import Priority
from bot.community.choices import Decision
from bot.dreams.dream import Dream, DreamState, Picture
from bot.dreams.showing import HIDDEN, Showing, Visibility
from bot.queue.positions import NOWHERE, QueuePosition
from bot.sentences import Sentences, spoken
from bot.sentences.numbers import duration
from bot.sentences.quoting import quoted
from engine import Fetching, Progress, Recipe
from engine.sentences import Saying
from engine.settings import weak

SHOWN_PROMPT = 1000  # characters; an embed's description holds 4096, and escaping may double them

PLACES_PACE = 3  # a waiting dream's message is edited this many times less often than a running one's
_PRIORITIES = {DreamState.QUEUED: Priority.PLACE, DreamState.DREAMING: Priority.FRAME}
_COLOURS = {
    DreamState.QUEUED: 0x95A5A6,  # grey
    DreamState.DREAMING: 0x9B59B6,  # purple
    DreamState.DONE: 0xE91E63,  # cherry
    DreamState.FAILED: 0x992D22,  # dark red
    DreamState.CANCELLED: 0x607D8B,  # blue grey
}


@dataclass(frozen=True, slots=True)
class Content:
    """A message's content, complete: whatever is not here is not in the message."""

    embed: discord.Embed
    view: discord.ui.View | None
    exhibit: Exhibit | None = None
    reply_to: int | None = None  # the message that a new one answers, in the same channel

    def files(self) -> list[discord.File]:
        """Fresh each time."""
        return [] if self.exhibit is None else [self.exhibit.file()]


@dataclass(slots=True)
class DreamMessage:
    """What is known of one dream's message, and what it shall show next."""

    dream: Dream
    progress: Progress | None = None  # the newest one
    frame: bytes | None = None  # the newest preview, JPEG
    fetching: Fetching | None = None  # a model's file that comes before the dream
    position: QueuePosition = NOWHERE  # while it waits
    paused: bool = False  # the bot is about to restart
    too_large: bool = False  # its picture cannot be shown
    reply_to: int | None = None  # the message of the dream that this one grew out of
    held: bool = False  # moderators have paused its server's line
    flagged: str = ""  # what the safety check found in one of its frames, or where it begins
    rooted: bool = False  # `flagged` holds of where it begins too
    showing: Showing = HIDDEN  # what may be shown of it; whoever shows it asks anew each time

    @property
    def key(self) -> int:
        """See `bot.chat.messages.pacing.Edit`."""
        return self.dream.id

    @property
    def priority(self) -> Priority:
        """See `bot.chat.messages.pacing.Edit`."""
        return _PRIORITIES.get(self.dream.state, Priority.END)

    @property
    def paces(self) -> float:
        """See `bot.chat.messages.pacing.Edit`: a place is shown less often than a frame, an end at once."""
        if self.priority is Priority.PLACE:
            return PLACES_PACE if self.dream.message_id is not None else 1
        return 0 if self.priority is Priority.END else 1

    def content(self, picture: Picture | None = None) -> Content:
        """What to show now; `picture`: the stored one, of a dream that is over."""
        dream, say = self.dream, self.say
        if self.frame and not dream.state.is_over:
            picture = Picture(self.frame, "jpg")
        withheld = picture is not None and self.showing.visibility is Visibility.WITHHELD
        if withheld:
            picture = None
        head = f"**{quoted(dream.prompt, SHOWN_PROMPT)}**\n{say.dreamer(dream.author_id)}"
        if dream.chapter is not None and dream.chapters is not None:
            head += f" · {say.chapter(dream.chapter, dream.chapters)}"
        notice = f"*{quoted(say.engine(Saying.from_json(dream.notice)), 300)}*" if dream.notice else ""
        steered = say.steered(Decision.from_json(dream.decision)) if dream.decision else ""
        paragraphs = [head, self._status(picture), steered, notice, say.TOO_LARGE if self.too_large else ""]
        paragraphs.append(say.WITHHELD if withheld else self._nearest())
        embed = discord.Embed(description="\n\n".join(filter(None, paragraphs)), colour=_COLOURS[dream.state])
        embed.set_footer(text=say.dream_number(dream.id))
        self._add_recipe(embed)
        view = (
            ended_view(dream, say, has_picture=picture is not None)
            if dream.state.is_over
            else live_view(dream, say)
        )
        shown = exhibit(picture, self.showing, stem=f"dream-{dream.id}", alt_text=say.alt_text(dream.prompt))
        if shown is not None:
            shown.hang_in(embed)
        return Content(embed, view, shown, self.reply_to)

    @property
    def say(self) -> Sentences:
        """The language of the dream's message."""
        return spoken(self.dream.language)

    def _status(self, picture: Picture | None) -> str:
        dream, progress, say = self.dream, self.progress, self.say
        if self.paused and not dream.state.is_over:
            return say.PAUSED
        match dream.state:
            case DreamState.QUEUED:
                if self.held:
                    return say.PAUSED_BY_MODERATORS
                at = self.position
                return say.waiting(at.place, before=at.before, others=at.others, ready_at=at.ready_at)
            case DreamState.DREAMING if progress is None and (file := self.fetching) is not None:
                return say.fetching(file.model, file.done, file.total)
            case DreamState.DREAMING if progress is None:
                return say.LOADING if dream.attempts <= 1 else say.LOADING_AGAIN
            case DreamState.DREAMING:
                assert progress is not None
                return say.dreaming(
                    step=progress.step,
                    steps=progress.steps,
                    score=progress.score,
                    seconds_left=progress.seconds_left,
                )
            case DreamState.CANCELLED:
                return say.cancelled(has_picture=picture is not None)
            case DreamState.FAILED:
                return quoted(say.failed(dream.failure, Saying.from_json(dream.failure_detail)), 1000)
        return ""

    def _nearest(self) -> str:
        """Under a weak match, what the models know that is nearest to its words."""
        dream = self.dream
        if dream.nearest:
            names: dict[str, list[str]] = json.loads(dream.nearest)
            return self.say.nearest([quoted(name, 60) for name in names.get(self.say.CODE, ())])
        if dream.state is not DreamState.DONE or not (dream.prompt and dream.recipe) or dream.score is None:
            return ""
        return self.say.nearest(()) if weak(Recipe.from_json(dream.recipe).model, dream.score) else ""

    def _add_recipe(self, embed: discord.Embed) -> None:
        dream, say = self.dream, self.say
        if not dream.recipe or dream.score is None or dream.seconds is None:
            return
        recipe = Recipe.from_json(dream.recipe)
        models = say.models(pair=recipe.model, generator=recipe.generator, perceptor=recipe.perceptor)
        for name, value in (
            (say.SEED, str(dream.seed)),
            (say.STEPS, str(recipe.steps)),  # what repeats the picture, also a stopped dream's
            (say.SCORE, say.end_score(dream.score, weak=weak(recipe.model, dream.score))),
            (say.TIME, duration(dream.seconds)),
            (say.MODELS, models),
        ):
            embed.add_field(name=name, value=value)
