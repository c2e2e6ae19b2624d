"""Words that say how many of a thing there are: 'two cats', 'alcuni gatti'. Loads no library."""

import re
from dataclasses import dataclass

from engine.words import scene

MOST = 9  # larger numbers count as so many
LONGEST = 200  # characters; longer texts tell more than of some of one thing


@dataclass(frozen=True)
class Counted:
    """Several of one thing."""

    count: int  # 2..MOST
    words: str  # without the number


_ENGLISH = {
    "two": 2, "both": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": MOST, "eleven": MOST, "twelve": MOST, "twenty": MOST, "hundred": MOST, "a hundred": MOST,
    "a couple of": 2, "a pair of": 2, "a trio of": 3, "a dozen": MOST, "dozens of": MOST, "half a dozen": 6,
    "some": 3, "a few": 3, "few": 3, "several": 5, "many": 7, "lots of": 7, "a lot of": 7, "plenty of": 7,
    "a group of": 5, "a flock of": 7, "a herd of": 7, "a swarm of": 7, "a school of": 7, "a pack of": 5,
    "a crowd of": 7, "a litter of": 5,
}  # fmt: skip
_ITALIAN = {
    "due": 2, "tre": 3, "quattro": 4, "cinque": 5, "sei": 6, "sette": 7, "otto": 8, "nove": 9, "dieci": MOST,
    "undici": MOST, "dodici": MOST, "venti": MOST, "cento": MOST, "un paio di": 2, "una coppia di": 2,
    "un trio di": 3, "una dozzina di": MOST, "mezza dozzina di": 6, "alcuni": 3, "alcune": 3, "pochi": 3,
    "poche": 3, "diversi": 5, "diverse": 5, "parecchi": 5, "parecchie": 5, "molti": 7, "molte": 7, "tanti": 7,
    "tante": 7, "un gruppo di": 5, "uno stormo di": 7, "un branco di": 7, "uno sciame di": 7,
    "un gregge di": 7, "una folla di": 7,
}  # fmt: skip
_NUMBERED = {
    language: re.compile(
        rf"(?:(?:the|my|these|those|i|gli|le|miei|questi|queste) )?"
        rf"(?P<number>{'|'.join(sorted(numbers, key=len, reverse=True))}|[2-9]|[1-9]\d{{1,2}}) (?P<words>.+)",
        re.IGNORECASE,
    )
    for language, numbers in (("en", _ENGLISH), ("it", _ITALIAN))
}


def _all(words: str) -> frozenset[str]:
    return frozenset(words.split())


_IRREGULAR = _all(
    "fish sheep mice geese deer men women children people teeth feet oxen cacti octopi dice moose "
    "aircraft bison shrimp swine salmon trout squid fungi snowmen policemen firemen wolves"
)
# In Italian.
_INVARIABLE = _all(
    "uova dita braccia ossa paia labbra mani panda koala gorilla cobra puma lama bar film autobus bus "
    "robot tram taxi moto foto auto radio hamburger computer kiwi ananas igloo re gru sci yeti ninja "
    "sushi pancake cupcake hot-dog croissant smartphone laptop camion hot toast cactus sandwich taco "
    "burrito t-rex dodo falafel"
)
_SINGULAR = re.compile(r"(?:ss|us|is)$", re.IGNORECASE)  # ends like a plural and is none
# Words after which a number counts something else, and units, which are no things.
_NO_NOUN = _all(
    "of and or to by in on at with from for is are was were plus minus times per out the a an "
    "di e o a da in su con per il lo la i gli le un una uno è sono"
)
_UNITS = _all(
    "o'clock years days hours minutes seconds weeks months times miles degrees percent dollars euros "
    "euro inches pounds ways kinds types sorts more things of anni giorni ore minuti secondi settimane "
    "mesi volte gradi metri chilometri modi tipi specie cose tempi"
)
# Pairs by nature: one thing.
_PAIRS = _all(
    "shoes boots glasses sunglasses scissors trousers pants jeans shorts socks gloves mittens slippers "
    "sandals skates skis pliers tongs goggles binoculars headphones earrings sneakers eyes lips wings "
    "tights pyjamas scarpe stivali occhiali forbici pantaloni calzini guanti calze pattini sci cuffie "
    "orecchini ciabatte sandali pinze tenaglie occhi labbra ali mutande"
)
_OF_TWO = ("a pair of", "un paio di")


def read(words: str) -> Counted | None:
    """How many of what `words` name, in English or Italian, and the words without the number.

    None where they name one, more than one kind of thing, or where the number counts no thing: 'three
    o'clock', 'the seven of hearts', 'two-headed'. Whether all words are some thing's own name ('two hearts')
    is for the caller to know.
    """
    text = " ".join(words.replace("’", "'").split())
    if len(text) > LONGEST or scene.read(text) is not None:
        return None
    for language, numbers in (("en", _ENGLISH), ("it", _ITALIAN)):
        match = _NUMBERED[language].fullmatch(text)
        if match is None:
            continue
        number, rest = match["number"].lower(), match["words"]
        noun = _several(rest, language)
        if noun and not (number in _OF_TWO and noun in _PAIRS):
            count = int(number) if number.isdigit() else numbers[number]
            return Counted(min(count, MOST), rest)
    return None


def _several(words: str, language: str) -> str:
    """The first plural among the first words, before any that parts it from a number; or ""."""
    for word in re.findall(r"[^\W_][\w'-]*|\S", words.lower())[:4]:
        if word in _NO_NOUN | _UNITS or not word[0].isalpha():
            return ""
        if _is_plural(word, language):
            return word
    return ""


def _is_plural(word: str, language: str) -> bool:
    if language == "en":
        return word in _IRREGULAR or (len(word) > 2 and word[-1] == "s" and not _SINGULAR.search(word))
    return word in _INVARIABLE or (len(word) > 2 and word[-1] in "ieàèéìòù")
