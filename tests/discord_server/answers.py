"""What a person sees: an interaction's answer, a message as it looked, and its words."""

from dataclasses import dataclass
from typing import Any

from simcord.backend.models import Interaction, Message, ResponseKind
from simcord.components import walk_components


class NoAnswer(AssertionError):
    """The application did not respond: what a person reads after three seconds."""

    def __init__(self, interaction: Interaction) -> None:
        super().__init__((type(self).__doc__ or "").split(":")[0])
        self.interaction = interaction


@dataclass(frozen=True)
class Answer:
    """What an interaction got first."""

    kind: ResponseKind
    latency_s: float  # from the gateway event's sending to the answer's acceptance
    message: Message | None  # the answer's message, where it has one
    interaction: Interaction

    @property
    def text(self) -> str:
        """The words of the answer, those of its embeds included."""
        return "" if self.message is None else words(self.message)


@dataclass(frozen=True)
class Version:
    """A message as it looked from one moment to the next."""

    at: float  # monotonic seconds
    content: str
    embeds: list[dict[str, Any]]
    attachments: list[dict[str, Any]]
    components: list[dict[str, Any]]


def words(message: Message | Version) -> str:
    """All that a person reads in a message: content, embeds' titles, texts, fields and footers, labels."""
    found = [message.content]
    for embed in message.embeds:
        found += [embed.get("title") or "", embed.get("description") or ""]
        found += [f"{f.get('name')}: {f.get('value')}" for f in embed.get("fields") or []]
        found += [
            (embed.get(part) or {}).get(key) or "" for part, key in (("author", "name"), ("footer", "text"))
        ]
    found += [c.get("content") or c.get("label") or "" for c in walk_components(message.components)]
    return "\n".join(text for text in found if text)
