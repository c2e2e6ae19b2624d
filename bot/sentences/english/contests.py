"""What is said about contests."""


class Contests:
    COMMAND_CONTEST = "Contests of this server: one theme, everybody's dreams, votes decide."
    COMMAND_MODERATE_CONTEST = "Begin and end contests."
    COMMAND_CONTEST_START = "Begin a contest in this channel."
    COMMAND_CONTEST_THEME = "What everybody dreams of, e.g. autumn."
    COMMAND_CONTEST_DAYS = "How many days it lasts; 7 if you say nothing."
    COMMAND_CONTEST_ENTER = "Enter one of your dreams; a later entry replaces it."
    COMMAND_CONTEST_DREAM = "Which of your dreams; the newest one if you say nothing."
    COMMAND_CONTEST_SHOW = "See the contest and who leads."
    COMMAND_CONTEST_END = "End the contest now and announce the winner."

    CONTEST_TITLE = "Dream contest"
    CONTEST_OVER = "The dream contest is over"
    CONTEST_THEME = "Please say what the contest is about."
    CONTEST_RUNS = "There is already a contest; see /contest show."
    NO_CONTEST = "There is no contest at the moment. A moderator can begin one with /moderate contest start."
    NO_ENTRIES = "No entries yet. Dream something and use /contest enter!"
    NOTHING_TO_ENTER = "You have no dream since the contest began. Use /dream first, then enter it."
    NOT_TO_ENTER = "Only your own finished dreams since the contest began can be entered."
    NOT_FOR_ALL = "That dream is in a channel that not everybody may see, so it cannot be entered here."

    def contest_about(self, theme: str, ends_at: int) -> str:
        """While it runs. `ends_at`: seconds since 1970."""
        return (
            f"Theme: **{theme}**\nDream with /dream, then use /contest enter. "
            f"The votes under the pictures decide. It ends <t:{ends_at}:R>, on <t:{ends_at}:f>."
        )

    def contest_was(self, theme: str, ended_at: int) -> str:
        """When it is over."""
        return f"Theme: **{theme}**\nIt ended <t:{ended_at}:R>."

    def contest_ended(self, channel_id: int) -> str:
        """To the moderator who ended it."""
        return f"The contest is over. I'll announce the winner in <#{channel_id}>."

    def entered(self, prompt: str) -> str:
        """To the dreamer. `prompt`: quoted."""
        return f"Entered: {prompt}. The votes under its picture count; good luck!"

    def contest_won(self, theme: str, author_id: int, votes: int, words: str) -> str:
        """To everybody. `author_id`: 0 for somebody who is not named; `words`: the prompt with its link."""
        who = f"<@{author_id}>" if author_id else "Somebody"
        counted = "1 vote" if votes == 1 else f"{votes} votes"
        return f"Theme: **{theme}**\n🏆 {who} wins with {counted}: {words}\nThank you all for dreaming!"

    def contest_without_winner(self, theme: str, entries: int) -> str:
        """To everybody, when there is no vote to decide."""
        said = "Nobody voted" if entries else "Nobody entered a dream"
        return f"Theme: **{theme}**\n{said}, so there is no winner this time."
