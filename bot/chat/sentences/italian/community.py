"""`english/community.py` in Italian."""

from bot.chat.sentences.english.community import Community


class Comunita(Community):
    def votes(self, emoji: str, votes: int) -> str:
        return f"{emoji} {votes}"
