"""What is said about votes, the best dreams, candidates and contests."""


class Community:
    def votes(self, emoji: str, votes: int) -> str:
        """Above a dream's picture. `votes`: at least one."""
        return f"{emoji} {votes}"
