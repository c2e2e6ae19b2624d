"""Where a dream's search begins: afresh, at a picture, or at the states of other dreams."""

from dataclasses import replace

import torch

from engine.dreaming import wishes
from engine.dreaming.asked import Asked
from engine.dreaming.loaded import Loaded
from engine.errors import BadRequest
from engine.models.generator import Generator
from engine.pictures import images
from engine.search import canvas, inversion, start
from engine.search.latents import Latents
from engine.search.loop import best_latents
from engine.search.search import Search
from engine.search.state import State
from engine.sentences import Key
from engine.settings import MAX_SEED


def begun(asked: Asked, loaded: Loaded, generate: Generator, search: Search) -> Search:
    """`search` from where it begins, for a picture by `generate`, of one panel or more.

    Raises `BadRequest` for states of other models.
    """
    if any(state.model != loaded.fingerprint for state in asked.states):
        raise BadRequest(Key.STATE_MODEL)
    if asked.resumes:
        if asked.states[0].seed != search.seed:
            raise BadRequest(Key.STATE_SEED, seed=asked.states[0].seed)
        return replace(search, begin=asked.states[0])
    # Not the search's own generator, so that equal numbers are not used for two things.
    rng = torch.Generator().manual_seed(MAX_SEED - search.seed)
    if asked.states:
        return replace(search, begin=_from_states(asked, loaded, generate, search, rng))
    if asked.wished.init is not None:
        closest = inversion.closest(
            generate,
            loaded.perceptor,
            images.to_tensor(asked.wished.init),
            wishes.seen(asked.wished.init, loaded.perceptor, loaded.device),
            loaded.atlas() if search.settings.start == "atlas" else None,
            rng,
            loaded.device,
        )
        return replace(search, begin=closest)
    return search


def _from_states(
    asked: Asked, loaded: Loaded, generate: Generator, search: Search, rng: torch.Generator
) -> Latents | State:
    """The latents of a dream that continues, varies or blends others."""
    request = asked.request
    chosen = [canvas.fitted(best_latents(state, generate.panel), generate.rows) for state in asked.states]
    if request.begin == "blend":
        return chosen[0].blended(chosen[1], request.strength)
    latents = chosen[0] if request.begin == "continue" else chosen[0].varied(request.strength, rng)
    if search.settings.start != "atlas" or asked.states[0].prompt == asked.prompt:
        return latents
    # Other words: a small step leads to no other thing, so the thing is chosen anew.
    atlas = loaded.atlas()
    return start.scored_start(generate, loaded.perceptor, search, atlas, rng, loaded.device, latents)
