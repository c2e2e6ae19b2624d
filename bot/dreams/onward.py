"""From a dream to what may be dreamt next: again, the same, varied, continued, in other words, between two.

Whoever may see a dream may go on from it; who may see it, `bot.dreams.showing` says. Knows no Discord.
"""

from dataclasses import replace

from bot.dreams.dream import Dream, What, new_seed
from bot.dreams.store import Store
from bot.queue.limits import Refused
from engine import Recipe
from engine.settings import MAX_PROMPT

VARY_STRENGTH = 0.5  # 0..1


class NotOver(Refused):
    """The dream to go on from is not over yet."""


class NoState(Refused):
    """Where the dream ended is not known any more."""


def again(dream: Dream) -> What:
    """The same with a new seed."""
    return replace(dream.what, seed=new_seed())


def exact(dream: Dream) -> What:
    """What gives the very same picture: the models, steps and size too that it was dreamt with."""
    if not dream.recipe:
        return dream.what
    recipe = Recipe.from_json(dream.recipe)
    size = recipe.settings.get("size")  # also where a limit made it smaller than was wished
    return replace(
        dream.what, model=recipe.model, steps=recipe.steps, size=dream.size if size is None else int(size)
    )


async def varied(dream: Dream, *, store: Store) -> What:
    """Begins at a changed copy of this one. Raises `NotOver`, `NoState`, `StoreError`."""
    await _check_end(dream, store)
    return _from_end(replace(again(dream), begin="vary", strength=VARY_STRENGTH), dream)


async def continued(dream: Dream, *, store: Store) -> What:
    """Goes on where this one ended, for as many steps again. Raises `NotOver`, `NoState`, `StoreError`."""
    await _check_end(dream, store)
    return _from_end(replace(dream.what, begin="continue"), dream)


async def reworded(dream: Dream, prompt: str, avoid: str, *, from_here: bool, store: Store) -> What:
    """The same with other words, afresh or `from_here`: this one's end. Raises `NoState`, `StoreError`."""
    if from_here and not await can_go_on(dream, store=store):
        raise NoState
    what = replace(dream.what, prompt=prompt, avoid=avoid, begin="new", parent_id=None, other_id=None)
    return _from_end(replace(what, begin="continue"), dream) if from_here else what


async def blended(one: Dream, other: Dream, prompt: str | None, *, share: float, store: Store) -> What:
    """Begins between two dreams. `prompt`: None for the words of both; `share`: 0..1, of the other one.

    Raises `NotOver`, `NoState`, `StoreError`.
    """
    for dream in (one, other):
        await _check_end(dream, store)
    return replace(
        again(one),
        prompt=prompt or _both(one.prompt, other.prompt),
        begin="blend",
        parent_id=one.id,
        other_id=other.id,
        strength=min(max(share, 0.0), 1.0),
        spoiler=one.spoiler or other.spoiler,
    )


async def can_go_on(dream: Dream, *, store: Store) -> bool:
    """Whether another dream can begin at this one's end. Raises `StoreError`."""
    return dream.state.is_over and await store.has_state(dream.id)


async def _check_end(dream: Dream, store: Store) -> None:
    if not dream.state.is_over:
        raise NotOver
    if not await can_go_on(dream, store=store):
        raise NoState


def _from_end(what: What, dream: Dream) -> What:
    return replace(what, parent_id=dream.id, other_id=None)


def _both(one: str, other: str) -> str:
    """Both prompts as phrases of one, as far as they fit."""
    joined = one if one == other else f"{one} | {other}"
    return joined if len(joined) <= MAX_PROMPT else one
