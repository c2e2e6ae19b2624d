"""Cards as HTML, made once for all readers who are shown the same."""

from collections import OrderedDict
from collections.abc import Mapping

from bot.sentences import Sentences
from bot.web.channel.cards import Card
from bot.web.pages import piece

KEPT, VARIANTS = 100, 8  # cards, and what of one different readers see


class Drawn:
    """Live."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, list[tuple[Card, str, str]]] = OrderedDict()

    def html(self, card: Card, say: Sentences, names: Mapping[int, str]) -> str:
        """As it stands on the page. `names`: of people, who keep theirs."""
        known = self._kept.setdefault(card.key, [])
        for kept, language, html in known:
            if language == say.CODE and kept == card:
                return html
        html = piece("card.html", say, card=card, names=names)
        known.insert(0, (card, say.CODE, html))
        del known[VARIANTS:]
        self._kept.move_to_end(card.key)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return html
