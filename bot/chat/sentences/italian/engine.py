"""The engine's own sentences, which are English, in Italian. A test finds those that are missing here."""

import re

# The English sentence, with names in braces where its facts stand → the Italian one with the same names.
SENTENCES = {
    "This dream cannot be dreamt as asked.": "Così come l'hai chiesto, questo sogno non si può sognare.",
    "Please say what to dream: the prompt is empty.": "Dimmi che cosa sognare: il testo è vuoto.",
    "The prompt has {characters} characters; {most} is the most.": (
        "Il testo ha {characters} caratteri; al massimo possono essere {most}."
    ),
    "Every phrase of the prompt counts against the picture; please give one a weight above 0.": (
        "Ogni frase del testo conta contro l'immagine; dai ad almeno una un peso maggiore di 0."
    ),
    "The weights of the prompt add up to {total}; please make the wanted phrases weigh more than the unwanted"
    " ones.": (
        "I pesi del testo danno in tutto {total}; fa' in modo che le frasi volute pesino più delle altre."
    ),
    "What to avoid has no words.": "In ciò che vuoi evitare non ci sono parole.",
    "{what} has no phrase that counts; please give one a weight other than 0.": (
        "{what} non ha nessuna frase che conti; dai ad almeno una un peso diverso da 0."
    ),
    "{what} has {count} phrases; {most} is the most.": "{what} ha {count} frasi; il massimo è {most}.",
    "This picture has {size} MB; {most} MB is the most.": (
        "Questa immagine ha {size} MB; al massimo possono essere {most}."
    ),
    "This picture is too large; {most} million pixels are the most.": (
        "Questa immagine è troppo grande; al massimo possono essere {most} milioni di pixel."
    ),
    "This is not a picture that I can read; I know PNG, JPEG, WebP, GIF and BMP.": (
        "Questa non è un'immagine che so leggere; conosco PNG, JPEG, WebP, GIF e BMP."
    ),
    "This picture is damaged, so I cannot read it.": "Questa immagine è rovinata, non riesco a leggerla.",
    "The prompt": "Il testo",
    "What to avoid": "Ciò che vuoi evitare",
    "The prompt is long: I dream its first {part}.": "Il testo è lungo: sogno solo {part} dell'inizio.",
    "{count} words": "{count} parole",
    "{count} letters": "{count} lettere",
    "The seed must be a whole number from 0 to {most}.": "Il seme dev'essere un numero intero da 0 a {most}.",
    "The seed is {seed}; it must be a whole number from 0 to {most}.": (
        "Il seme è {seed}; dev'essere un numero intero da 0 a {most}."
    ),
    "The steps must be a whole number from 1 to {most}.": "I passi devono essere un numero da 1 a {most}.",
    "The number of steps is {steps}; it must be from 1 to {most}.": (
        "I passi sono {steps}; devono essere da 1 a {most}."
    ),
    "The disk is full or cannot be written.": "Il disco è pieno o non ci si può scrivere.",
    "There is not enough memory for this dream.": "Non c'è abbastanza memoria per questo sogno.",
    "This dream was stopped before there was a picture to keep.": (
        "Questo sogno è stato fermato prima che ci fosse un'immagine da tenere."
    ),
}


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(template)), re.DOTALL)


_PATTERNS = [(_pattern(english), italian) for english, italian in SENTENCES.items()]


def known(sentence: str) -> bool:
    """Whether this English sentence of the engine has an Italian one."""
    return any(pattern.fullmatch(sentence) for pattern, _ in _PATTERNS)


def translated(sentence: str) -> str:
    """The engine's sentence in Italian; one that is not known stays as it is."""
    for pattern, italian in _PATTERNS:
        if match := pattern.fullmatch(sentence):
            return italian.format(**{name: translated(fact) for name, fact in match.groupdict().items()})
    return sentence
