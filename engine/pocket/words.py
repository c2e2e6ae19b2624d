"""Words for colours and places in English and Italian. Loads no library."""

COLOURS: dict[str, tuple[tuple[str, str, str], tuple[float, float, float]]] = {
    "red": (("red", "rosso", "rossa"), (0.87, 0.10, 0.12)),
    "orange": (("orange", "arancione", "arancione"), (0.98, 0.55, 0.08)),
    "yellow": (("yellow", "giallo", "gialla"), (0.98, 0.87, 0.15)),
    "green": (("green", "verde", "verde"), (0.15, 0.68, 0.20)),
    "blue": (("blue", "blu", "blu"), (0.12, 0.35, 0.90)),
    "purple": (("purple", "viola", "viola"), (0.52, 0.18, 0.75)),
    "pink": (("pink", "rosa", "rosa"), (0.98, 0.50, 0.75)),
    "brown": (("brown", "marrone", "marrone"), (0.48, 0.28, 0.14)),
    "black": (("black", "nero", "nera"), (0.10, 0.10, 0.11)),
    "white": (("white", "bianco", "bianca"), (0.96, 0.96, 0.96)),
    "grey": (("grey", "grigio", "grigia"), (0.52, 0.53, 0.54)),
}

RELATIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # where the first thing stands → English and Italian words between the first and the second
    "left": (("left of", "to the left of", "on the left of"), ("a sinistra di",)),
    "right": (("right of", "to the right of", "on the right of"), ("a destra di",)),
    "above": (("above", "on top of", "over"), ("sopra",)),
    "below": (("below", "under", "beneath"), ("sotto",)),
}
OPPOSITE = {"left": "right", "right": "left", "above": "below", "below": "above"}
