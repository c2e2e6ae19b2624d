"""The form of what each panel shows: of which two things it is made, how many of it there are, and in what.

Words alone say it; the atlas tells whether the models know those things.
"""

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor
from torch.nn.functional import normalize

from engine.dreaming.asked import Asked
from engine.dreaming.loaded import Loaded
from engine.search.recipes import DreamSettings
from engine.search.search import Form, Mixed
from engine.words import colours, counts, grounds, mixtures, nouns, vessels
from engine.words.mixtures import Mixture
from engine.words.scene import KNOWN, NAMED, WHOLE, Scene, bare
from engine.words.vessels import Filled

AS_ONE = 0.9  # cosine from which on the perceptor reads words as what they are made of, and not as a name


def of(asked: Asked, settings: DreamSettings, loaded: Loaded, scene: Scene | None) -> tuple[Form, ...]:
    """Each panel's form; () where nothing is known of any."""
    words = said(asked, settings)
    if not words:
        return ()
    ground = grounds.read(scene.told[0] if scene else words)[1]
    painted = ground if ground in grounds.PAINTED else ""
    things = (scene.first, scene.second) if scene else (words,)
    lying = None if scene else filled(words, loaded)
    shapes = [_lying(lying, loaded)] if lying else [_form(thing, loaded) for thing in things]
    found = tuple(replace(form, ground=painted or "") for form in shapes)
    return found if any(form != Form() for form in found) else ()


def said(asked: Asked, settings: DreamSettings) -> str:
    """The words of a dream that may be taken apart: one phrase, beside which nothing is wished; else ""."""
    wished = asked.wished
    wanted = [phrase for phrase in wished.phrases if phrase.weight > 0]
    pictures = wished.image is not None or wished.init is not None
    if settings.scene == "one" or settings.start != "atlas" or pictures or len(wanted) != 1:
        return ""
    return wanted[0].words


def mixture(words: str, loaded: Loaded) -> Mixture | None:
    """The being of two that `words` name, where the atlas knows both and the perceptor reads both in them.

    It does not in the name of something else: 'un bufalo d'acqua' is not made of water.
    """
    found = mixtures.read(words, lambda thing: _is_thing(thing, loaded))
    if found is None:
        return None
    whole, first, second = _towards([grounds.read(words)[0], found.first, found.second], loaded)
    if float(normalize(first + second, dim=0) @ whole) < AS_ONE:
        return None
    near = _near([bare(found.first), bare(found.second)], loaded)
    return found if float(near.amax(1).min()) >= KNOWN else None


def filled(words: str, loaded: Loaded) -> Filled | None:
    """The vessel with something in it that `words` name, where the atlas knows both, and all of it
    together as nothing else: 'a pot of food' is one drawing."""
    found = vessels.read(words)
    if found is None:
        return None
    texts = [bare(found.contents), found.drawing, grounds.read(words)[0]]
    best, nearest = _near(texts, loaded).max(1)
    contents, vessel, whole = nearest.tolist()
    is_name = best[2] >= WHOLE and whole != contents
    return None if is_name or contents == vessel or float(best[:2].min()) < KNOWN else found


def _lying(found: Filled, loaded: Loaded) -> Form:
    vessel = int(_near([found.drawing], loaded).argmax())
    return replace(_form(found.contents, loaded), count=found.count, vessel=vessel)


def _is_thing(words: str, loaded: Loaded) -> bool:
    least = KNOWN if words in nouns.ALL else NAMED  # of other words some are only near to what they adorn
    return float(_near([words], loaded).max()) >= least


def _form(words: str, loaded: Loaded) -> Form:
    found = mixture(words, loaded)
    return Form(_mixed(found, loaded) if found else None, _count(words, loaded))


def _mixed(found: Mixture, loaded: Loaded) -> Mixed:
    tint = colours.of_stuff(found.second) if found.kind == "made" else None
    return Mixed(found.kind, _towards([found.first, found.second], loaded), tint)


def _count(words: str, loaded: Loaded) -> int:
    """How many of its thing `words` name: 1 where the atlas does not know it, or has 'two hearts' as one."""
    found = counts.read(words)
    if found is None:
        return 1
    several, one = _towards([words, found.words], loaded)
    if float(several @ one) < AS_ONE or float(_near([bare(found.words)], loaded).max()) < KNOWN:
        return 1
    return found.count


def _near(texts: Sequence[str], loaded: Loaded) -> Tensor:
    """Cosines [len(texts), classes] to all that the generator draws."""
    return _towards(texts, loaded).cpu() @ loaded.atlas().t()


def _towards(texts: Sequence[str], loaded: Loaded) -> Tensor:
    return loaded.perceptor.encode_texts(list(texts))  # [len(texts), d]
