"""What only the page in the browser says."""

from typing import ClassVar

from bot.sentences.numbers import duration


class Page:
    SKIP = "Skip to the content"
    BACK = "Back to the dreams"

    PAGE_NOT_FOUND = "There is nothing here, or not any more."
    PAGE_TOO_OLD = "This page is out of date. Please reload it and try again."
    PAGE_TOO_FAST = "That was a little fast for me. Please try again in a moment."
    PAGE_TOO_LARGE = "That is more than I can take at once."
    PAGE_OTHER_HOST = "I don't answer to this address. Please use the one that was printed when I started."
    PAGE_NOT_ALLOWED = "This page isn't open to you."
    PAGE_BAD_REQUEST = "I didn't understand that. Please go back and try again."
    NO_SCRIPT = "Dreams move here, so this page needs JavaScript. All of it comes from this machine."

    NAME_TITLE = "What may I call you?"
    NAME_INVITE = (
        "Say what you want to see, and watch it take shape. Nobody needs an account; "
        "a name shows others whose dream is whose."
    )
    NAME_LABEL, NAME_BUTTON = "Your name", "Come in"
    NAME_TAKEN = "Somebody here is already called that, or nearly so. Please choose another name."
    PASSWORD_TITLE = "Who's there?"
    PASSWORD_NEEDED = "Whoever runs this channel has a password for guests. Please enter it to come in."
    PASSWORD_LABEL, PASSWORD_BUTTON = "Password", "Come in"
    WRONG_PASSWORD = "That is not the password. Please try again."
    NO_NAME_YET = "Please reload the page and choose a name first."
    ONLY_MODERATORS = "Only a moderator can do this."

    PAGE_WORDS: ClassVar[dict[str, str]] = {
        "channel": "dreams",
        "moderator": "moderator",
        "no limit": "not set",
        "hint": "a bowl of cherries",
    }
    NO_DREAMS_YET = "Nobody has dreamt here yet. What would you like to see?"
    MORE_COMMANDS = "Type / to see what else I can do."
    TEXT_LABEL = "Your dream, or a command"
    SEND, SURPRISE, ATTACH = "Dream", "Surprise me", "From a picture"
    DETACH = "Without the picture"
    SUGGESTIONS, ANSWERS = "Suggestions", "Only you see this"
    CLOSE, KEEP_IT, EARLIER = "Close", "Keep it", "Earlier dreams"
    HIDDEN_PICTURE = "Show the hidden picture"
    FILM_OFF = "Picture"
    AWAY = "The connection is lost. Trying again …"

    PREFERENCES, SAVED = "Preferences", "Saved."
    PREFERENCES_HINT = "What your new dreams are when you say nothing else."
    SPOILER_LABEL = "Hidden until somebody clicks on it"

    MODERATE = "Moderate"
    MODERATE_ASK = "Moderate here"
    MODERATE_QUESTION = "With this link you become a moderator of this channel. It works once."
    SAVE, LIMITS_TITLE, PEOPLE_TITLE, WORDS_TITLE = "Save", "Limits", "People", "Banned words"
    EACH_PERSON, EACH_GUEST, ALL_TOGETHER = "Each person", "Each guest", "All together"
    GUESTS_HINT = "Guests come in with the password. They dream with the small embedded model only."
    BAN, UNBAN, BAN_REASON, BAN_HOURS = "Ban", "Lift the ban", "Reason", "Hours"
    PAUSE, RESUME, FRONT = "Pause", "Resume", "To the front"
    WORDS_HINT = "One per line; a * at its beginning or end stands for any letters."
    CONTEST_BEGIN, CONTEST_STOP, CONTEST_DAYS = "Begin a contest", "End it now", "Days"

    def too_many_passwords(self, wait_s: int) -> str:
        """After several wrong passwords."""
        return f"There were too many wrong passwords. Please try again in {duration(wait_s)}."

    def no_name(self, most: int) -> str:
        """Refuses a name. `most`: characters."""
        return f"A name has at least one letter or digit, and {most} characters at most."

    def unknown_command(self, name: str) -> str:
        """`name`: what was typed, safe to show."""
        return f"I don't know the command /{name}. Type / to see them all, or just say what to dream."

    def bad_value(self, option: str) -> str:
        """`option`: of a command, e.g. 'seed'."""
        return f"I need another value for {option}. Type its name and a colon to see what fits."

    def vote_with(self, emoji: str, votes: int) -> str:
        """On a button, for people who hear it."""
        return f"Vote with {emoji}; {votes} so far"

    def choose(self, number: int, votes: int) -> str:
        """On a beginning, for people who hear it."""
        return f"Vote for number {number}; {votes} so far"

    def grew_from(self, dream_id: int) -> str:
        """On a dream that goes on from another."""
        return f"from dream {dream_id}"

    def page_help(self) -> str:
        """The answer to /help."""
        return (
            "Just say what you want to see: `a bowl of cherries`.\n"
            "`/dream a fox avoid:fog preset:thorough` · options come up as you type.\n"
            "`/dream a castle candidates:4` dreams four beginnings; everybody votes which one goes on.\n"
            "`/dreams story an egg | a baby chick | a chicken` tells a story.\n"
            "`/dreams blend first:1 second:2` dreams a picture between two.\n"
            "Several phrases with weights: `a house:2 | a tree | fog:-0.5`.\n"
            "Under a finished dream: **Again** dreams it anew, **Vary** changes it, **Continue** goes on, "
            "**Edit** takes other words. Vote for what others dreamt.\n"
            "`/top` · `/queue` · `/dreams mine` · `/contest show` · `/preferences`"
        )
