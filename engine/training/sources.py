"""Where the pocket models' pictures come from: package, drawing style, licence, permitted use.

Names only: the packages are installed with their ordinary clients (see README.md beside this file).
"""

from dataclasses import dataclass

from engine.training import lists


@dataclass(frozen=True)
class Source:
    """One set of drawings."""

    style: str  # our name of the drawing style
    package: str  # as its registry knows it
    licence: str  # SPDX, or "public-domain"
    split: str  # "train", "unseen_vendor" (perceptor: evaluation only), "test_only" (never trained on)


SOURCES: tuple[Source, ...] = (
    Source("fluent-3d", "@lobehub/fluent-emoji-3d", "MIT", "train"),
    Source("fluent", "@iconify-json/fluent-emoji", "MIT", "train"),
    Source("fluent-flat", "@iconify-json/fluent-emoji-flat", "MIT", "train"),
    Source("noto", "@iconify-json/noto", "Apache-2.0", "train"),
    Source("noto-v1", "@iconify-json/noto-v1", "Apache-2.0", "train"),
    Source("twemoji", "@iconify-json/twemoji", "CC-BY-4.0", "train"),
    Source("emojione", "@iconify-json/emojione", "CC-BY-4.0", "unseen_vendor"),
    Source("fxemoji", "@iconify-json/fxemoji", "CC-BY-4.0", "train"),  # Apache-2.0, as it says, is its code
    Source("streamline", "@iconify-json/streamline-emojis", "CC-BY-4.0", "train"),
    Source("openmoji", "@iconify-json/openmoji", "CC-BY-SA-4.0", "test_only"),
    Source("openclipart", "openclipart-svg", "public-domain", "train"),
)
# What the generator draws in, in the order of its latents; Fluent's SVG are its 3-D renders once more.
STYLES = ("fluent-3d", "fluent-flat", "noto", "noto-v1", "twemoji", "fxemoji", "streamline")
EMOJI_STYLES = frozenset(s.style for s in SOURCES) - {"openclipart"}
NAME_PACKAGES = ("cldr-annotations-full", "emojibase-data")

# Concepts that people ask for first, which are never held out.
POPULAR = frozenset(lists.words("popular"))
HELD_OUT_CONCEPTS = 135
OFTEN_SAID = frozenset(lists.words("often said"))  # in held-out names, too little to keep out
ALSO_HELD_OUT = frozenset(lists.words("also held out"))  # besides their keywords


@dataclass(frozen=True)
class IconSet:
    """One set of icons out of which those that show a thing are taken."""

    style: str
    package: str
    licence: str  # SPDX
    glyphs: bool  # one colour alone: coloured anew whenever a picture is made
    variants: str = ""  # a pattern for how the names of the wanted ones end; that end says nothing else
    pictures: bool = False  # most show a thing, so that names of two words may be trusted
    each: int = 2  # at most so many of a thing and variant


ICON_SETS: tuple[IconSet, ...] = (
    IconSet("game-icons", "@iconify-json/game-icons", "CC-BY-3.0", True, pictures=True),
    IconSet("icon-park", "@iconify-json/icon-park", "Apache-2.0", False),
    IconSet("flat-color-icons", "@iconify-json/flat-color-icons", "MIT", False),
    IconSet("streamline-color", "@iconify-json/streamline-color", "CC-BY-4.0", False, "-flat|"),
    IconSet("streamline-plump", "@iconify-json/streamline-plump-color", "CC-BY-4.0", False, "-flat|"),
    IconSet("streamline-flex", "@iconify-json/streamline-flex-color", "CC-BY-4.0", False, "-flat|"),
    IconSet("streamline-kameleon", "@iconify-json/streamline-kameleon-color", "CC-BY-4.0", False, "-duo|"),
    IconSet("streamline-stickies", "@iconify-json/streamline-stickies-color", "CC-BY-4.0", False, "-duo|"),
    IconSet("streamline-ultimate", "@iconify-json/streamline-ultimate-color", "CC-BY-4.0", False),
    IconSet("streamline-freehand", "@iconify-json/streamline-freehand-color", "CC-BY-4.0", False),
    IconSet("streamline-cyber", "@iconify-json/streamline-cyber-color", "CC-BY-4.0", False),
    IconSet("fluent-color", "@iconify-json/fluent-color", "MIT", False, "-(?:32|24)", each=1),
    IconSet("meteocons", "@iconify-json/meteocons", "MIT", False, "-fill", each=1),
    IconSet("marketeq", "@iconify-json/marketeq", "MIT", False),
    IconSet("solar", "@iconify-json/solar", "CC-BY-4.0", True, "-bold-duotone|-outline", each=1),
    IconSet("phosphor", "@iconify-json/ph", "MIT", True, "-fill|-duotone|-bold", each=1),
    IconSet("material", "@iconify-json/mdi", "Apache-2.0", True, "(?<!-outline)"),
    IconSet("tabler", "@iconify-json/tabler", "MIT", True, "-filled|"),
    IconSet("maki", "@iconify-json/maki", "CC0-1.0", True, r"(?<!\d)", each=1),
    IconSet("temaki", "@iconify-json/temaki", "CC0-1.0", True),
    IconSet("healthicons", "@iconify-json/healthicons", "MIT", True, "(?<!-negative)(?<!24px)"),
    IconSet("font-awesome", "@iconify-json/fa6-solid", "CC-BY-4.0", True, each=1),
)
ICON_STYLES = frozenset(s.style for s in ICON_SETS)
