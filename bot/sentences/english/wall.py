"""The public wall: what its pages say, and the commands for what hangs there."""

from typing import ClassVar


class Wall:
    COMMAND_WALL = "Whether this server's finished dreams hang on the public wall, for the whole web to see."
    COMMAND_WALL_ON = "On: those from channels that everybody here can read."
    COMMAND_WALL_LINKS = "Whether each links to its message, which names your server and channel."
    NO_WALL = "There is no public wall yet: whoever runs me hasn't opened one."
    BAD_NAME = "This server doesn't allow that name; please choose another one."

    WALL_TITLE = "The wall"
    WALL_LEAD = "Pictures dreamt from words, together in chat."
    WALL_SKIP = "To the pictures"
    WALL_NAV = "The wall's pages"
    WALL_NEWEST, WALL_RANDOM, WALL_CONTESTS = "Newest", "Random", "Contests"
    WALL_BEST_OF = "Best of"
    WALL_PERIODS: ClassVar[dict[str, str]] = {
        "day": "the day",
        "week": "the week",
        "month": "the month",
        "ever": "all time",
    }
    WALL_SEARCH, WALL_SEARCH_FOR, WALL_SEARCH_HINT = "Search", "Words to search for", "A red house"
    WALL_EMPTY = "Nothing hangs here yet."
    WALL_NO_VOTES = "Nobody has voted for a dream in this time yet."
    WALL_MORE, WALL_BACK = "More dreams", "Back"
    WALL_FEED = "Feed of new dreams"
    WALL_ABOUT = (
        "Shown are finished dreams of servers that want to be here, "
        "from channels that everybody there can read."
    )
    WALL_QUIET = "Nobody is dreaming right now."
    WALL_FRESH = "There are new dreams: show them"

    WALL_SCORE, WALL_SEED, WALL_STEPS, WALL_MODEL, WALL_AVOIDED = "Score", "Seed", "Steps", "Model", "Without"
    WALL_DREAMT, WALL_VOTES = "Dreamt", "Votes"
    WALL_RECIPE = "Recipe"
    WALL_COPY_WORDS, WALL_COPY_COMMAND, WALL_COPY_LINE = "Copy words", "Copy /dream", "Copy command"
    WALL_COPIED = "Copied"
    WALL_COMMAND, WALL_LINE = "In Discord", "In a terminal"
    WALL_FILM, WALL_STOP_FILM, WALL_NO_FILM = (
        "Play the film",
        "Stop the film",
        "Its film isn't kept any more.",
    )
    WALL_PICTURE, WALL_DOWNLOADS, WALL_GET_FILM = "Picture (PNG)", "Download", "Film (WebP)"
    WALL_LET_GO = "Its picture isn't kept any more. What stands under “Recipe” dreams it again."
    WALL_FAMILY = "Family"
    WALL_KIN: ClassVar[dict[str, str]] = {
        "varied": "varied",
        "continued": "continued",
        "remixed": "remixed",
        "blended": "blended",
    }
    WALL_THIS_ONE = "This dream"
    WALL_MESSAGE = "See it in Discord"

    WALL_RUNS, WALL_ENDED = "Running", "Over"
    WALL_NO_CONTESTS, WALL_NO_ENTRIES = (
        "There have been no contests yet.",
        "No dream of this contest hangs here.",
    )
    WALL_WINNER = "Winner"

    WALL_NOT_FOUND = "There is nothing here"
    WALL_NOT_FOUND_WHY = "The address is wrong, or what hung here was taken down."
    WALL_TROUBLE = "The wall can't be shown just now"
    WALL_TROUBLE_WHY = "Please try again in a moment."

    def wall_votes(self, count: int) -> str:
        """Under a picture."""
        return "1 vote" if count == 1 else f"{count} votes"

    def wall_by(self, name: str) -> str:
        """`name`: of the dreamer's own choice."""
        return f"by {name}"

    def wall_best(self, period: str) -> str:
        """A page's title."""
        return f"Best of {self.WALL_PERIODS[period]}"

    def wall_found(self, words: str) -> str:
        """A page's title."""
        return f"Dreams with “{words}”"

    def wall_nothing_with(self, words: str) -> str:
        """A search found nothing."""
        return f"No dream here has the words “{words}”."

    def wall_page(self, number: int) -> str:
        """Of several."""
        return f"Page {number}"

    def wall_alt(self, prompt: str) -> str:
        """For people who hear pictures."""
        return f"A dreamt picture: {prompt}"

    def wall_film_alt(self, prompt: str) -> str:
        """For people who hear pictures."""
        return f"How the picture took shape: {prompt}"

    def wall_now(self, waiting: int, percent: int | None) -> str:
        """`waiting`: dreams in line; `percent`: of the one being dreamt, None: it has just begun."""
        done = "" if percent is None else f", {percent}% done"
        line = {0: "nobody is waiting", 1: "one more in line"}.get(waiting, f"{waiting} more in line")
        return f"Dreaming now{done}; {line}."

    def wall_with(self, words: str) -> str:
        """The other one that a dream was blended from."""
        return f"with “{words}”"

    def wall_in_contest(self, theme: str) -> str:
        """Where a dream took part."""
        return f"In the contest “{theme}”"

    def wall_contest(self, theme: str) -> str:
        """A page's title."""
        return f"Contest: {theme}"

    def wall_dreams_by(self, name: str) -> str:
        """A page's title."""
        return f"Dreams by {name}"
