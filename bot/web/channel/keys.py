"""The one-time secret in the link that makes somebody the moderator; it is printed where we were started."""

import hmac
import secrets


class ModeratorKey:
    """A secret that opens once."""

    def __init__(self) -> None:
        self.secret = secrets.token_urlsafe(24)
        self._is_used = False

    def fits(self, secret: str) -> bool:
        """Whether it is this one, and unused; compared in constant time."""
        return (
            hmac.compare_digest(secret.encode(errors="replace"), self.secret.encode()) and not self._is_used
        )

    def use(self) -> None:
        """From now on it opens nothing."""
        self._is_used = True
