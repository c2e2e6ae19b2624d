"""What is said about votes, the best dreams, candidates and contests."""

from bot.choices import Decision


class Community:
    DECIDE_NOW = "Decide now"
    NOT_YOUR_CHOICE = "This choice belongs to somebody else; only they or a moderator can end it."
    ALREADY_DECIDED = "This is decided already."
    NOT_VOTING = "There is nothing to decide yet; the beginnings are still being dreamt."
    DECIDING = "The vote ends now."
    NO_BEGINNING = "None of the beginnings came out, sorry. Please try again."
    COMMAND_CANDIDATES = "How many beginnings to dream; the channel votes which of them goes on."

    def votes(self, emoji: str, votes: int) -> str:
        """Above a dream's picture. `votes`: at least one."""
        return f"{emoji} {votes}"

    def beginnings(self, done: int, count: int) -> str:
        """While the beginnings of a choice are being dreamt."""
        return f"Dreaming {count} beginnings, {done} done. Soon you choose which of them goes on."

    def voting(self, ends_at: int, count: int) -> str:
        """`ends_at`: seconds since 1970; `count`: of beginnings to choose from."""
        return (
            f"Which of these {count} shall I dream on? React with its number; you may choose several.\n"
            f"The vote ends <t:{ends_at}:R>."
        )

    def decided(self, decision: Decision) -> str:
        """Under the beginnings, once one of them goes on."""
        return f"{self.steered(decision)} I dream it on in a new message."

    def steered(self, decision: Decision) -> str:
        """Why this beginning goes on."""
        if len(decision.votes) == 1:
            said = f"Number {decision.winner} goes on: the only one that came out."
        elif not decision.most:
            said = f"Nobody voted; number {decision.winner} goes on, for its score is the best."
        elif len(decision.tied) > 1:
            tied = " and ".join(str(number) for number in decision.tied)
            said = f"A tie of {tied}; number {decision.winner} goes on, for its score is higher."
        else:
            votes = "vote" if decision.most == 1 else "votes"
            said = f"Number {decision.winner} goes on, with {decision.most} {votes}."
        counts = " · ".join(f"{number}: {votes}" for number, votes in sorted(decision.votes.items()))
        said += f" ({counts})" if decision.most else ""
        return said + (f" <@{decision.ended_by}> ended the vote." if decision.ended_by else "")

    def grid_alt(self, count: int, prompt: str) -> str:
        """For people who hear pictures."""
        return f"{count} numbered beginnings of a dream: {prompt}"

    def choice_queued(self, count: int) -> str:
        """The answer to /dream with candidates."""
        return f"Your {count} beginnings are in line. Watch them in this channel; then everybody votes."
