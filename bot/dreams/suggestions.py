"""What somebody might want to dream: their own recent words, things that the models know, what suits both.

Every front end's completion asks here. Knows no Discord.
"""

import asyncio
import logging
from collections.abc import Sequence
from random import Random

from bot.database.connection import StoreError
from bot.dreams.dream import Dream
from bot.dreams.store import Store
from bot.sentences import Sentences
from engine import EMBEDDED, Recipe, completions, liked_things, without_article

log = logging.getLogger(__name__)

RECENT = 50  # dreams that are looked through for suggestions
MOST_RECENT = 10  # of which so many are suggested
OFFERED = 12  # known things, likewise
SUGGEST_S = 2.0  # seconds; Discord shows no answer after 3


async def suggested(
    typed: str, person: int, *, store: Store, model: str, say: Sentences, chance: Random
) -> list[str]:
    """One's own recent prompts that hold what is typed; things that it may become; what can be done to it.

    `model`: what a dream gets that names none; `chance`: chooses where nothing is typed.
    """
    try:
        async with asyncio.timeout(SUGGEST_S):
            dreams = await store.by(person, most=RECENT)
    except (StoreError, TimeoutError) as error:
        log.info("person %d: no suggestions: %r", person, error)
        dreams = []
    begun = " ".join(typed.split())
    recent = [dream.prompt for dream in dreams if begun.lower() in dream.prompt.lower()]
    if _is_large(model, dreams):
        offered = [f"{begun}, {style}" for style in say.STYLES if begun]
    else:
        offered = offers(begun, say, chance)
    return list(dict.fromkeys([*recent[:MOST_RECENT], *offered]))


def offers(begun: str, say: Sentences, chance: Random) -> list[str]:
    """What the embedded models can dream of these words: what they may become, or where the thing may be.

    Of no words at all some of the known things, chosen by `chance`, the last of them on grounds.
    """
    if not begun:
        some = chance.sample(liked_things(say.CODE), OFFERED)
        grounds = chance.sample(say.GROUNDS, OFFERED // 4)
        alone = some[: OFFERED - len(grounds)]
        return alone + [
            f"{thing} {ground}" for thing, ground in zip(some[len(alone) :], grounds, strict=True)
        ]
    things = completions(begun, say.CODE)[:OFFERED]
    is_whole = not things or any(
        begun.lower() in (thing.lower(), without_article(thing.lower())) for thing in things
    )
    is_placed = any(begun.lower().endswith(ground) for ground in say.GROUNDS)
    return things + [f"{begun} {ground}" for ground in say.GROUNDS if is_whole and not is_placed]


def _is_large(model: str, newest: Sequence[Dream]) -> bool:
    """Whether a large pair dreams here, as the setting or else one's newest dream tells."""
    if model == "auto":
        model = next(
            (Recipe.from_json(dream.recipe).model for dream in newest if dream.recipe), EMBEDDED.name
        )
    return model != EMBEDDED.name
