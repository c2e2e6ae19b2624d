"""The two things that words name, where the models know both: such a dream has a panel for each."""

from dataclasses import replace

from engine.dreaming import forms
from engine.dreaming.asked import Asked
from engine.dreaming.loaded import Loaded
from engine.search.loop import panels_of
from engine.search.recipes import DreamSettings
from engine.words import scene as words
from engine.words.scene import Scene


def known(asked: Asked, settings: DreamSettings, loaded: Loaded) -> Scene | None:
    """The scene that the words name, where the atlas knows both things and nothing else is wished.

    A dream that goes on with its words stays a picture of one if it was one; one being of two is one, and
    what lies in a vessel is searched alone.
    """
    said, states = forms.said(asked, settings), asked.states
    if not said:
        return None
    found = words.read(said)
    same_words = asked.request.begin != "continue" or states[0].prompt == asked.prompt
    goes_on = bool(states) and same_words
    if found is None or (goes_on and all(panels_of(state, loaded.generator) == 1 for state in states)):
        return None
    if forms.mixture(said, loaded) or forms.filled(said, loaded):
        return None
    return _checked(found, said, loaded)


def _checked(found: Scene, said: str, loaded: Loaded) -> Scene | None:
    """The scene, perhaps of a thing's face; None where the atlas does not know both, or `said` is a name."""
    faces = words.faces(found)
    parts = (found.first, found.second)
    texts = [said, *parts, *map(words.bare, (*parts, *faces))]
    near = loaded.perceptor.encode_texts(texts).cpu() @ loaded.atlas().t()  # [5 or more, classes]
    nearest = int(near[0].argmax())
    is_name = near[0, nearest] >= max(words.WHOLE, *near[1:3, nearest].tolist())
    if is_name or near[3:5].amax(1).min() < words.KNOWN:
        return None
    named = (face for face, best in zip(faces, near[5:].amax(1), strict=True) if best >= words.NAMED)
    return replace(found, first=next(named, found.first))
