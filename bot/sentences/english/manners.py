"""Hello, the line, reports: what the bot says so that people know where they are."""

from collections.abc import Sequence

from bot.sentences.numbers import listed, moment


class Manners:
    COMMAND_QUEUE = "Who is in line, why in this order, and where you stand."
    REPORT_COMMAND = "Report this dream"

    WELCOME = (
        "Hello! I dream pictures from words. Try `/dream a bowl of cherries` and vote with the reactions. "
        "Moderators set me up with `/moderate`."
    )
    QUEUE_TITLE = "The line"
    WHY_SO = "People take turns, so nobody has to wait for all of somebody else's dreams."
    LINE_PAUSED = "The moderators have paused dreaming here; the line goes on when they resume it."
    PAUSED_BY_MODERATORS = "Waiting; the moderators have paused dreaming here."

    NOT_A_DREAM = "This isn't one of my dreams."
    NO_REPORTS = "This server has no channel for reports; please tell its moderators yourself."
    REPORTED = "Thank you; the moderators have been told."
    REPORTED_BEFORE = "You have already reported this dream; the moderators know."
    REPORT_TITLE = "Reported dream"
    DELETE_IT, BAN_AUTHOR = "Delete it", "Ban its dreamer"
    WITHHELD = "The safety check found this picture unsafe, so by this server's rules it is not shown."
    FOR_ADULTS = "This is in an age-restricted channel, so please look at it there."
    GALLERY_LINK = "To the dream"

    def presence(self, waiting: int) -> str:
        """Beside the bot's name."""
        if waiting == 0:
            return "Dreaming of /dream"
        return "One dream in line" if waiting == 1 else f"{waiting} dreams in line"

    def in_the_queue(
        self, place: int | None, author_id: int, words: str, ready_at: float | None = None
    ) -> str:
        """One dream in /queue. `place`: None when it is dreamt now, or paused.

        `ready_at`: seconds since 1970; None: nothing was measured yet.
        """
        ready = "" if ready_at is None else f" · {moment(ready_at)}"
        return f"{'▸' if place is None else f'{place}.'} <@{author_id}>: {words}{ready}"

    def more_in_line(self, count: int) -> str:
        """Under a list that does not hold all."""
        return f"… and {count} more"

    def elsewhere(self, count: int) -> str:
        """Under a list, of what whoever reads it may not see. `count`: dreams, at least one."""
        return f"… and {count} {'dream' if count == 1 else 'dreams'} elsewhere on this server"

    def why_so(self, elsewhere: int) -> str:
        """`elsewhere`: dreams in line in other servers."""
        return (
            "Servers take turns, and so do the people in each: nobody has to wait for all of somebody else's "
            f"dreams. In line elsewhere: {elsewhere}."
        )

    def your_places(self, places: Sequence[int]) -> str:
        """Of whoever asks; at least one."""
        word = "place" if len(places) == 1 else "places"
        return f"Your {word} in line: {listed([str(place) for place in places], 'and')}."

    def report(self, author_id: int, reporter: int, words: str, link: str) -> str:
        """To the moderators. `words`: the prompt, safe to show."""
        return f"A dream by <@{author_id}>, reported by <@{reporter}>: {words}\n{link}"
