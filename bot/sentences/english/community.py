"""What is said about votes, the best dreams, candidates and contests."""

from bot.community.choices import Decision
from bot.sentences.numbers import listed


class Community:
    DECIDE_NOW = "Decide now"
    NOT_YOUR_CHOICE = "This choice belongs to somebody else; only they or a moderator can end it."
    ALREADY_DECIDED = "This has already been decided."
    NOT_VOTING = "There is nothing to decide yet; the beginnings are still being dreamt."
    DECIDING = "The vote ends now."
    NO_BEGINNING = "Sorry, none of the beginnings worked out. Please try again."
    COMMAND_CANDIDATES = "How many beginnings to dream; the channel votes which of them goes on."

    COMMAND_TOP = "See the best dreams of this server."
    COMMAND_TOP_BY = "What to rank: pictures, dreamers or prompts."
    COMMAND_TOP_PERIOD = "How far back to look: a day, a week, a month, or everything."
    TOP_BY_PICTURE, TOP_BY_DREAMER, TOP_BY_PROMPT = "Pictures", "Dreamers", "Prompts"
    TOP_DAY, TOP_WEEK, TOP_MONTH, TOP_EVER = "Today", "This week", "This month", "All time"
    NO_TOP = "Nobody has voted for a dream here yet. React to a picture you like!"

    def top_title(self, by: str, period: str) -> str:
        """Above a ranking. `by`: picture, dreamer, prompt; `period`: day, week, month, ever."""
        what = {"picture": "The best pictures", "dreamer": "The best dreamers", "prompt": "The best prompts"}
        when = {
            "day": "of the last 24 hours",
            "week": "of the last 7 days",
            "month": "of the last 30 days",
            "ever": "of all time",
        }
        return f"{what[by]} {when[period]}"

    def _count(self, count: int, one: str, many: str) -> str:
        return f"{count} {one if count == 1 else many}"

    def top_picture(self, words: str, votes: int, author_id: int) -> str:
        """A place in the ranking. `words`: the quoted prompt with its link."""
        return f"{words}\n{self._count(votes, 'vote', 'votes')} · <@{author_id}>"

    def top_dreamer(self, author_id: int, votes: int, dreams: int, words: str) -> str:
        """As `top_picture`; `words`: of their best dream."""
        counted = f"{self._count(votes, 'vote', 'votes')} for {self._count(dreams, 'dream', 'dreams')}"
        return f"<@{author_id}> · {counted} · {words}"

    def top_prompt(self, words: str, votes: int, dreams: int) -> str:
        """As `top_picture`."""
        return f"{words} · {self._count(votes, 'vote', 'votes')} for {self._count(dreams, 'dream', 'dreams')}"

    FAME_TITLE = "Hall of fame: to the dream"

    def fame(self, emoji: str, votes: int, channel_id: int) -> str:
        """Above a picture in the hall of fame."""
        return f"{emoji} {votes} · <#{channel_id}>"

    def votes(self, emoji: str, votes: int) -> str:
        """Above a dream's picture. `votes`: at least one."""
        return f"{emoji} {votes}"

    def beginnings(self, done: int, count: int) -> str:
        """While the beginnings of a choice are being dreamt."""
        return f"Dreaming {count} beginnings, {done} done. Soon you can choose which one goes on."

    def voting(self, ends_at: int, count: int) -> str:
        """`ends_at`: seconds since 1970; `count`: of beginnings to choose from."""
        return (
            f"Which of these {count} should I go on with? React with its number; you may choose several.\n"
            f"The vote ends <t:{ends_at}:R>."
        )

    def decided(self, decision: Decision) -> str:
        """Under the beginnings, once one of them goes on."""
        return f"{self.steered(decision)} It goes on in a new message."

    def steered(self, decision: Decision) -> str:
        """Why this beginning goes on."""
        if len(decision.votes) == 1:
            said = f"Number {decision.winner} goes on: the only one that worked out"
        elif not decision.most:
            said = f"Nobody voted; number {decision.winner} goes on, because its score is the best"
        elif len(decision.tied) > 1:
            tied = listed([str(number) for number in decision.tied], "and")
            said = f"A tie between {tied}; number {decision.winner} goes on, because its score is higher"
        else:
            votes = "vote" if decision.most == 1 else "votes"
            said = f"Number {decision.winner} goes on, with {decision.most} {votes}"
        counts = " · ".join(f"{number}: {votes}" for number, votes in sorted(decision.votes.items()))
        said += f" ({counts})." if decision.most else "."
        return said + (f" <@{decision.ended_by}> ended the vote." if decision.ended_by else "")

    def grid_alt(self, count: int, prompt: str) -> str:
        """For people who hear pictures."""
        return f"{count} numbered beginnings of a dream: {prompt}"

    def choice_queued(self, count: int) -> str:
        """The answer to /dream with candidates."""
        return f"Your {count} beginnings are in line. Watch them in this channel; then everybody votes."
