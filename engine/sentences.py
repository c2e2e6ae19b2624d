"""What the engine says to a person: a key with facts, of which each language makes its sentence.

`Key` holds the English sentences; other languages are the bot's (`bot.sentences`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, unique

Fact = str | int | float  # a number, a name, a path
_STORED = '[["'  # how `Saying.to_json` begins, and no sentence


@unique
class Key(Enum):
    """Each sentence's key and its English words, with its facts' names in braces."""

    PLAIN = "{text}"  # for who needs English only: at a terminal, in a log, about model files

    # By kind of failure (engine.errors.FailureKind), for errors without a sentence of their own.
    BAD_REQUEST = "This dream cannot be dreamt as asked."
    MODEL = "A model file is missing, damaged or of another architecture."
    DISK = "The disk is full or cannot be written."
    MEMORY = "There is not enough memory for this dream."
    CRASH = "The dream engine stopped unexpectedly."
    HANG = "The dream engine gave no sign of life."
    LOST = "The machine that dreamt this is gone."
    RESCUES = "I was ended {times} times while I dreamt this, so I gave up on it. Please ask again."
    STOPPED = "This dream was stopped before there was a picture to keep."
    COLLAPSE = "The numbers of this dream ran away before it had a picture; another seed will do better."
    INTERNAL = "Sorry, something went wrong inside the dream engine; the fault is ours and has been logged."

    # The prompt and what to avoid.
    EMPTY_PROMPT = "Please say what to dream: the prompt is empty."
    PROMPT_LENGTH = "The prompt has {characters} characters; the limit is {most}."
    PROMPT_ALL_AGAINST = (
        "Every phrase of the prompt counts against the picture; please give one a weight above 0."
    )
    PROMPT_TOTAL = (
        "The weights of the prompt add up to {total:g}; please make the wanted phrases weigh more than the"
        " unwanted ones."
    )
    PROMPT_NO_PHRASE = "The prompt has no phrase that counts; please give one a weight other than 0."
    PROMPT_PHRASES = "The prompt has {count} phrases; the limit is {most}."
    AVOID_NO_WORDS = "What to avoid has no words."
    AVOID_NO_PHRASE = "What to avoid has no phrase that counts; please give one a weight other than 0."
    AVOID_PHRASES = "What to avoid has {count} phrases; the limit is {most}."
    WEIGHT_NO_NUMBER = "A phrase's weight must be a number."
    NO_WEIGHT = "No phrase has a weight above zero, so there is nothing to dream of."
    PROMPT_IN_PARTS = "The prompt is long: I read it in {parts} parts and dream of them all."

    # Pictures and films.
    PICTURE_BYTES = "This picture has {size} MB; the limit is {most} MB."
    PICTURE_PIXELS = "This picture is too large; the limit is {most} million pixels."
    PICTURE_EDGE = "This picture is too wide or too high; a side may have {most} pixels at most."
    PICTURE_SCANS = "This JPEG has {scans} scans; the limit is {most}."
    PICTURE_UNKNOWN = "This is not a picture that I can read; I know PNG, JPEG, WebP, GIF, BMP and AVIF."
    PICTURE_DAMAGED = "This picture is damaged, so I cannot read it."
    PICTURES_BYTES = "The pictures are too large; the limit is {most} MB together."
    PICTURE_WEIGHT = "The picture's weight is {weight:g}; it must be above 0 and at most {most:g}."
    TIMELAPSE_BYTES = "A time-lapse does not fit into {bytes} bytes; please allow more."
    TIMELAPSE_FRAMES = "A time-lapse does not fit into {bytes} bytes; please allow some more."
    MP4_NEEDS_PYAV = "An MP4 needs the package PyAV (pip install av); WebP and GIF need nothing more."

    # Other options of a dream.
    SEED_RANGE = "The seed must be a whole number from 0 to {most}."
    SEED_IS = "The seed is {seed}; it must be a whole number from 0 to {most}."
    STEPS_RANGE = "The steps must be a whole number from 1 to {most}."
    STEPS_ARE = "The number of steps is {steps}; it must be from 1 to {most}."
    SIZE_CHOICES = "The size must be one of {sizes}."
    SIZE_IS = "The size is {size}; it must be one of {sizes}."
    PRESET_CHOICES = "The preset must be one of {presets}."
    PRESET_UNKNOWN = "There is no preset {name!r}; there are {known}."
    RECIPE_UNKNOWN = "There is no recipe {name!r}; there are {known}."
    CLIP_UNKNOWN = "{clip!r} is not {allowed}."
    SETTING_UNKNOWN = "There is no setting {name!r}; there are {known}."
    SETTING_CHOICES = "The setting {name} must be one of {known}."
    SETTING_WHOLE = "The setting {name} must be a whole number from {low:g} to {high:g}."
    SETTING_NUMBER = "The setting {name} must be a number from {low:g} to {high:g}."
    BASIS_CANDIDATES = "The setting basis must not be larger than candidates."
    BASIS_START = "The setting basis needs start: samples."
    CUTOUT_SIDES = "The setting cutout_min must not be larger than cutout_max."

    # How a dream begins, and the state that it goes on from.
    BEGIN_TWICE = "A dream begins either at a picture or at another dream's end, not at both."
    BEGIN_UNKNOWN = "A dream cannot begin as {begin!r}; it can: {known}."
    BEGIN_NO_STATE = "A dream that begins as {begin!r} takes no state, but {count} came."
    BEGIN_ONE_STATE = "A dream that begins as {begin!r} takes one state, but {count} came."
    BEGIN_TWO_STATES = "A dream that begins as {begin!r} takes two states, but {count} came."
    STRENGTH_IS = "The strength is {strength:g}; it must be from 0 to 1."
    STATE_SECONDS = "The seconds between states must not be negative."
    STATE_BYTES = "This state has {size} bytes; a dream's has at most {most}."
    STATE_DAMAGED = "This is not a dream's state, or it is damaged; the dream has to start over."
    STATE_MODEL = "This state is from another model, so it cannot be used with this one."
    STATE_VERSION = "This state is from another version of Oneiro; the dream has to start over."
    STATE_SEED = "This state is from a dream with the seed {seed}; resume it with that one."
    STATE_SETTINGS = "This state is from a dream with other settings; continue it instead of resuming it."
    STATE_WORDS = "This state is heading for other words; continue it instead of resuming it."

    # The machine's room, and fetching the large models.
    DREAM_MEMORY = "A dream needs about {need} of memory, but only {free} are free."
    DREAM_ADDRESSES = "A dream needs about {need} of address space, but the limit (ulimit -v) leaves {free}."
    MODEL_MEMORY = (
        "The model {name} needs about {need:.1f} GB of memory, but only {free:.1f} GB are free; a smaller"
        " model may fit."
    )
    MODEL_DISK = (
        "There is not enough room for the model: {needed} MB more are needed in {folder}, {free} MB are free."
    )
    MODEL_NOT_KEPT = "The model {model} cannot be kept in {folder}: {reason}."
    LARGE_NOT_FETCHED = "The large models could not be fetched."

    # The bot's own, of a dream that waited (bot.queue.worker).
    BANNED_SINCE = "This server has since banned some of these words."
    PARENT_GONE = "The dream that this one starts from is gone."
    IMAGE_GONE = "The picture that this dream should resemble is gone."


@dataclass(frozen=True, slots=True)
class Saying:
    """One sentence or a few, each as its key's name with its facts; `str` says them in English.

    Raises `KeyError` for a key that is not there, or for facts that its sentence lacks.
    """

    parts: tuple[tuple[str, Mapping[str, Fact]], ...] = ()

    @classmethod
    def of(cls, key: Key, **facts: Fact) -> "Saying":
        """One sentence."""
        return cls(((key.name, facts),))

    @classmethod
    def plain(cls, text: str) -> "Saying":
        """A sentence that is the same in every language."""
        return cls.of(Key.PLAIN, text=text)

    def __post_init__(self) -> None:
        str(self)

    def __bool__(self) -> bool:
        return bool(self.parts)

    def __add__(self, more: "Saying") -> "Saying":
        return Saying(self.parts + more.parts)

    def __str__(self) -> str:
        return self.said({Key[name]: Key[name].value for name, _ in self.parts})

    def said(self, sentences: Mapping[Key, str]) -> str:
        """In the language of these sentences, whose facts have the names that `Key` gives them."""
        return " ".join(sentences[Key[name]].format(**facts) for name, facts in self.parts)

    def to_json(self) -> str:
        """As it is stored: a line of ASCII; "" for none."""
        return json.dumps(self.parts) if self.parts else ""

    @classmethod
    def from_json(cls, text: str) -> "Saying":
        """Read `to_json`'s line. Before there were keys, the sentence itself was stored: it stays as it is.

        What a newer version stored and this one cannot say is none.
        """
        if not text.startswith(_STORED):
            return cls.plain(text) if text else NOTHING
        try:
            return cls.built(json.loads(text))
        except (ValueError, KeyError, TypeError):
            return NOTHING

    @classmethod
    def built(cls, parts: list[tuple[str, dict[str, Fact]]]) -> "Saying":
        """Of what JSON made of `parts`. Raises `ValueError`, `KeyError` or `TypeError`."""
        return cls(tuple((name, dict(facts)) for name, facts in parts))


NOTHING = Saying()
