"""Words for named grounds in English and Italian: 'a cat at night' is a cat, and night. Loads no library."""

import re

_A = r"(?:the |a |an |my )?"
_IN = r"(?:in|nel|nell'|nella|nello|nei|negli|nelle|tra|tra le|fra|fra le|in un|in una|in uno) ?"
_ON = r"(?:su|sul|sull'|sulla|sullo|sui|sulle|su un|su una|su uno) ?"
# Ground → English and Italian words that end a text, those of `GROUNDS` in the order of the weights.
_WORDS: dict[str, tuple[str, ...]] = {
    "night": (
        r"(?:at|by) night(?:time)?", "in the dark(?:ness)?", "at midnight", "in the moonlight",
        rf"(?:in|during|on|through) {_A}(?:clear |dark |starry )*night",
        "(?:under|beneath) the (?:moon and the )?stars",
        rf"(?:in|under|against) {_A}(?:clear |dark )*(?:night|starry) sky",
        "di notte", "(?:nella|durante la|in una) notte(?: (?:buia|stellata|scura))?", "al buio", "nel buio",
        "a mezzanotte", "sotto le stelle", "al chiaro di luna",
        "(?:nel|sotto il|sotto un|contro il) cielo (?:notturno|stellato|di notte)",
    ),
    "sunset": (
        rf"(?:at|in|during|before|against) {_A}(?:sunset|sunrise|dusk|dawn|twilight|setting sun|rising sun)",
        "in the evening", "(?:al|nel|in un|durante il) (?:tramonto|crepuscolo)", "all'alba",
        "(?:di|alla) sera",
    ),
    "sky": (
        rf"(?:in|against|high in|up in) {_A}(?:blue |clear |open )*sky", "in the air",
        "(?:in|among|between|through) the clouds",
        "(?:in|nel|in un) cielo(?: (?:azzurro|blu|sereno|aperto))?", f"{_IN}nuvole", "in aria", "nell'aria",
    ),
    "meadow": (
        rf"(?:in|on) {_A}(?:green |tall |open |flower )*"
        "(?:grass|meadow|fields?|lawn|garden|park|countryside|pasture)",
        f"(?:{_IN}|{_ON})(?:erba|prato|prati|campo|campi|giardino|parco|campagna)(?: verd[ei]| fiorito)?",
    ),
    "beach": (
        rf"(?:on|at|by) {_A}(?:sandy |sunny )*(?:beach|seaside|seashore|shore|coast)", "(?:on|in) the sand",
        f"(?:{_IN}|{_ON}|alla )(?:spiaggia|sabbia)", "(?:in riva )?al mare",
    ),
    "snow": (
        rf"(?:in|on|through) {_A}(?:deep |white |fresh |falling )*snow", rf"in {_A}(?:snowy )?winter",
        "on (?:the )?ice", f"(?:{_IN}|{_ON}|sotto la )neve", "d'inverno", "in inverno", "sul ghiaccio",
    ),
    "desert": (
        rf"(?:in|through|across) {_A}(?:hot |dry |sandy )*desert", "(?:in|on) the dunes",
        f"{_IN}(?:deserto|dune)",
    ),
    "sea": (
        rf"(?:on|in|at|by|across) {_A}(?:open |blue |high |calm |stormy )*"
        "(?:sea|ocean|lake|river|water|waves)",
        f"(?:{_IN}|{_ON})(?:mare|oceano|lago|fiume|acqua|onde)(?: aperto| blu| calmo)?",
    ),
    "underwater": (
        "under ?water", "(?:under|beneath) the (?:water|sea|ocean|waves)",
        "(?:in|at) the (?:deep sea|bottom of the sea|depths)", "sott'acqua", "negli abissi",
        "sotto (?:il mare|l'acqua|l'oceano)", "in fondo al mare", "nelle profondità (?:di|del|dell')? ?mare",
    ),
    "space": (
        rf"in {_A}(?:outer |deep )*(?:space|universe|galaxy|cosmos)",
        f"{_IN}(?:spazio|universo|cosmo|galassia)(?: profondo)?",
    ),
    "forest": (
        rf"in {_A}(?:dark |deep |green )*(?:forest|woods?|jungle)", f"{_IN}(?:bosco|boschi|foresta|giungla)",
    ),
    "street": (
        rf"(?:in|on|along|down) {_A}(?:busy |empty |city )*"
        "(?:street|road|city|town|highway|pavement|sidewalk)",
        f"(?:{_IN}|{_ON}|per |per la |lungo la )(?:strada|via|città|asfalto|marciapiede)",
    ),
    "rain": (
        rf"(?:in|under|through) {_A}(?:pouring |heavy |light |summer )*(?:rain|rainstorm|storm|thunderstorm)",
        "on a rainy day",
        f"(?:{_IN}|sotto la |sotto il |sotto un )(?:pioggia|temporale|acquazzone)(?: battente)?",
    ),
    "room": (
        rf"(?:in|inside) {_A}(?:living |cosy |cozy |empty |bright )*(?:room|bedroom|kitchen|house|parlou?r)",
        "at home", "indoors", f"{_IN}(?:stanza|camera|cameretta|salotto|cucina|casa|soggiorno)(?: vuota)?",
    ),
    "mountains": (
        rf"(?:in|among|before|between) {_A}(?:high |snowy )*(?:mountains?|alps|peaks)",
        f"(?:{_IN}|davanti alle )(?:montagna|montagne|monti|alpi|vette)",
    ),
}  # fmt: skip
PAINTED = (
    "rain",
    "room",
    "mountains",
)  # said by words and painted; no perceptor was taught what they look like
# What one says of each first, in English and Italian.
SAID = {
    "night": ("at night", "di notte"),
    "sunset": ("at sunset", "al tramonto"),
    "sky": ("in the sky", "nel cielo"),
    "meadow": ("on the grass", "sull'erba"),
    "beach": ("on the beach", "sulla spiaggia"),
    "snow": ("in the snow", "nella neve"),
    "desert": ("in the desert", "nel deserto"),
    "sea": ("on the sea", "sul mare"),
    "underwater": ("under water", "sott'acqua"),
    "space": ("in space", "nello spazio"),
    "forest": ("in the forest", "nel bosco"),
    "street": ("on the street", "per strada"),
    "rain": ("in the rain", "sotto la pioggia"),
    "room": ("in a room", "in una stanza"),
    "mountains": ("in the mountains", "in montagna"),
}
GROUNDS = tuple(name for name in _WORDS if name not in PAINTED)  # that the embedded perceptor sees
NO_LAND = frozenset({"sky", "underwater", "space"})  # those without a horizon
_ENDING = re.compile(
    r"(?P<rest>.+?),? (?:"
    + "|".join(f"(?P<{name}>{'|'.join(words)})" for name, words in _WORDS.items())
    + r")[.!]*",
    re.IGNORECASE,
)
# What can be on a ground without being any thing: such a text says by its ground alone what is to be seen.
_NOTHING = re.compile(
    r"(?:(?:a|an|the|my|our|one|some|all|un|una|uno|il|la|lo|le|i|gli|mia|mio|nostra|very|so|molto)\s+|un'|l')*"
    r"(?:beautiful |wonderful |nice |long |bella |bel |lunga )*"
    r"(?:days?|nights?|mornings?|afternoons?|evenings?|weeks?|weekend|summer|winter|spring|autumn|holidays?"
    r"|vacation|trip|journey|walk|time|life|moment|scene|view|landscape|something|somewhere|nothing|lost|alone"
    r"|lonely|late|early|out|down|up|floating|giorn[oi]|giornat[ae]|nott[ei]|mattin[ao]|pomeriggio|ser[ae]|settimana"
    r"|estate|inverno|primavera|autunno|vacanz[ae]|viaggio|passeggiata|vita|momento|scena|vista|paesaggio"
    r"|qualcosa|niente|pers[oiae]|sol[oiae]|smarrit[oiae])",
    re.IGNORECASE,
)  # fmt: skip


def read(text: str) -> tuple[str, str | None]:
    """What is to be seen, and on which of `GROUNDS` and `PAINTED`: ('a cat', 'night') of 'a cat at night'.

    ('a cat', None), the text itself, where it names no ground; ('a day at the beach', 'beach') where nothing
    but the ground can be seen. Of two grounds the last counts, the other stays with what is to be seen.
    """
    found = _ENDING.fullmatch(" ".join(text.replace("’", "'").split()))
    if found is None:
        return text, None
    ground = next(name for name in _WORDS if found[name])
    rest = found["rest"]
    return (text if _NOTHING.fullmatch(rest) else rest), ground
