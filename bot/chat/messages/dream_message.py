"""What a dream's channel message shows: one embed and at most one picture, made from a `Dream` and events."""

from dataclasses import dataclass

import discord

from bot.chat.buttons.dream import ended_view, live_view
from bot.chat.messages.exhibit import Exhibit, exhibit
from bot.chat.messages.pacing import Priority
from bot.dreams.dream import Dream, DreamState, Picture
from bot.dreams.showing import HIDDEN, Showing, Visibility
from bot.queue.positions import NOWHERE, QueuePosition
from bot.sentences import Sentences, spoken, telling
from bot.sentences.quoting import quoted
from engine import Fetching, Progress

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
    misses: int = 0  # times one after the other that Discord said that it is gone, or not for us
    rests_until: float = 0.0  # before which it is not asked again, by the monotonic clock
    is_stale: bool = False  # another process may have what is shown here
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
        said = telling.notice(dream, say)
        paragraphs = [head, self._status(picture), telling.steered(dream, say), f"*{said}*" if said else ""]
        paragraphs.append(say.TOO_LARGE if self.too_large else "")
        paragraphs.append(say.WITHHELD if withheld else telling.nearest(dream, say))
        embed = discord.Embed(description="\n\n".join(filter(None, paragraphs)), colour=_COLOURS[dream.state])
        embed.set_footer(text=say.dream_number(dream.id))
        for name, value in telling.end_fields(dream, say):
            embed.add_field(name=name, value=value)
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
        return telling.status(
            self.dream,
            self.say,
            has_picture=picture is not None,
            progress=self.progress,
            fetching=self.fetching,
            position=self.position,
            held=self.held,
            paused=self.paused,
        )
