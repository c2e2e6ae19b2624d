"""Deletes a dream for good, wherever it is shown."""

from bot.chat.messages.poster import Outcome
from bot.chat.parts import Parts
from bot.dreams.dream import Dream


async def erase(parts: Parts, dream: Dream) -> bool:
    """Delete a dream that is over, its message first. False, and nothing is lost, when that cannot be."""
    if dream.message_id is not None:
        outcome = await parts.poster.delete(dream)
        if outcome not in (Outcome.SHOWN, Outcome.GONE, Outcome.FORBIDDEN):
            return False
    await parts.gallery.take_down(dream)  # if not now, then as of every message that is deleted
    parts.dream_messages.forget(dream.id)
    await parts.sendings.forget(dream.id)
    await parts.store.erase(dream.id)
    return True
