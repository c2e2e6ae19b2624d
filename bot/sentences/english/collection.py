"""What is said by /dreams, /preferences and /help."""

from typing import ClassVar

from bot.dreams.dream import DreamState


class Collection:
    COMMAND_DREAMS = "Your own dreams, and new ones made from them."
    COMMAND_MINE = "Your dreams, the newest first."
    COMMAND_DREAM_SHOW = "Show a dream again, only to you."
    COMMAND_REPEAT = "Dream the very same picture again."
    COMMAND_WHICH = "The dream's number, shown below its picture and in /dreams mine."
    COMMAND_BLEND = "Dream a picture between two dreams."
    COMMAND_BLEND_FIRST = "The number of the first dream, shown below its picture."
    COMMAND_BLEND_SECOND = "The number of the second dream, shown below its picture."
    COMMAND_BLEND_PROMPT = "The words to dream; without them, those of both."
    COMMAND_BLEND_SHARE = "How much of the second dream to begin with, in percent."
    COMMAND_STORY = "Several dreams, each growing out of the one before."
    COMMAND_STORY_CHAPTERS = "The chapters with | between them: an egg | a baby chick | a chicken."
    COMMAND_PREFERENCES = "Your defaults for new dreams."
    COMMAND_OWN_LANGUAGE = "The language of messages that only you see."
    COMMAND_NOTICE = "When to tell you that a dream is over: I answer its message and mention you."
    COMMAND_RESET = "Reset all your preferences."
    COMMAND_HELP = "How to dream, with examples."

    MODELS_OWN, DISCORDS_OWN = "The model's own", "Same as Discord"

    NOTICES: ClassVar[dict[str, str]] = {
        "off": "Never",
        "waited": "When I waited for more than a minute",
        "always": "Always",
    }

    MINE = "Your dreams"
    MINE_NONE = "You haven't dreamt yet. Start with /dream."
    WHERE = "Where"
    HELP_TITLE = "Dreaming with Oneiro"
    HERE = "Here"

    def page(self, page: int, pages: int) -> str:
        """Below a list."""
        return f"Page {page} of {pages}"

    def jump(self, address: str) -> str:
        """A link to a dream's message."""
        return f"[to the message]({address})"

    def dream_number(self, dream_id: int) -> str:
        """Below a dream, wherever it is shown: what commands take."""
        return f"Dream {dream_id}"

    def no_such_dream(self, dream_id: int) -> str:
        """Nobody dreamt it, it was deleted, or it is somebody else's in a channel that one cannot read."""
        return f"There is no dream {dream_id} that I can show you."

    def story_length(self, most: int) -> str:
        """Refuses a story. `most`: chapters."""
        return f"A story has 2 to {most} chapters, with | between them: an egg | a baby chick | a chicken."

    def chapter(self, number: int, chapters: int) -> str:
        """In the message of a story's dream."""
        return f"Chapter {number} of {chapters}"

    def preferences(
        self, *, preset: str, size: str, spoiler: bool, language: str = "", notice: str = ""
    ) -> str:
        """How somebody's dreams are from now on. `language`, `notice`: '' where there is no choice."""
        lines = ["Your defaults for new dreams:", f"Preset: {preset}", f"Size: {size}"]
        lines.append(f"Hidden until clicked: {'yes' if spoiler else 'no'}")
        lines += [f"Language: {language}"] if language else []
        lines += [f"Told when a dream is over: {notice}"] if notice else []
        return "\n".join(lines)

    def notice(self, author_id: int, state: DreamState, *, story: bool) -> str:
        """To a dream's author when it is over, in answer to its message; the mention notifies them."""
        what = "story" if story else "dream"
        match state:
            case DreamState.FAILED:
                return f"<@{author_id}>, your {what} didn't work out; its message says why."
            case DreamState.CANCELLED:
                return f"<@{author_id}>, somebody has stopped your {what}."
        return f"<@{author_id}>, your {what} is ready."

    def help_text(self, *, moderates: bool) -> str:
        """How to begin. `moderates`: whoever asks may use /moderate."""
        lines = [
            "Say what you want to see, and watch it take shape:",
            "`/dream prompt:a bowl of cherries`",
            "`/dream prompt:a fox avoid:fog preset:Thorough`",
            "`/dream prompt:a castle candidates:4`: the channel votes which beginning goes on",
            "`/dreams story chapters:an egg | a baby chick | a chicken`",
            "",
            "Under a finished dream: **Again** dreams it anew, **Vary** changes it, **Continue** goes on, "
            "**Edit** takes other words. React with ❌ to cancel or delete your dream, "
            "with ✉️ to get it in a DM.",
            "Several phrases with weights: `a house:2 | a tree | fog:-0.5`. "
            "To begin with a picture, attach it as `image`, or right-click a message: Apps.",
            "",
            "`/dreams mine` · `/dreams blend` · `/dreams repeat` · `/preferences` · "
            "`/top` · `/contest` · `/queue`",
        ]
        if moderates:
            lines.append("You moderate here: `/moderate` sets limits, channels and words, and ends dreams.")
        return "\n".join(lines)
