"""What the pocket generator learns to draw: its classes, and one picture for each class and style."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.pocket.latents_map import INKED, STYLES

# Where a style has no picture of a concept, the nearest relative draws instead, so that every latent works.
RELATIVES = {
    "fluent-3d": ("fluent", "fluent-flat", "noto", "twemoji"),
    "fluent": ("fluent-3d", "fluent-flat", "noto", "twemoji"),
    "fluent-flat": ("fluent", "fluent-3d", "twemoji", "noto"),
    "noto": ("fluent-3d", "twemoji", "fluent", "fluent-flat"),
    "twemoji": ("fluent-flat", "noto", "fluent", "fluent-3d"),
}
FEWEST_STYLES = 3  # a concept with fewer drawings is left out

# Left out: drawings that differ from another class only in a small sign, or that say nothing as a dream.
_LEFT_OUT = """
    mahjong-red-dragon muted-speaker speaker-low-volume speaker-medium-volume
    closed-mailbox-with-lowered-flag
    open-mailbox-with-raised-flag open-mailbox-with-lowered-flag envelope-with-arrow incoming-envelope
    chart-increasing-with-yen yen-banknote euro-banknote pound-banknote mobile-phone-with-arrow
    page-facing-up oncoming-police-car oncoming-taxi magnifying-glass-tilted-right locked-with-pen
    locked-with-key bell-with-slash bookmark-tabs waxing-gibbous-moon waning-gibbous-moon
    waning-crescent-moon globe-showing-americas globe-showing-asia-australia hourglass-not-done
    light-rail metro heart-decoration heart-exclamation level-slider ledger outbox-tray inbox-tray
    file-folder calendar placard moon-viewing-ceremony low-battery umbrella-on-ground
    map-of-japan wedding cricket-game field-hockey lacrosse oncoming-bus guide-dog
    sun-behind-large-cloud snowman-without-snow love-hotel convenience-store
"""
LEFT_OUT = frozenset(_LEFT_OUT.split())

# What people ask for first: shown three times as often as the rest; SHOWN_FIRST and ASKED_OFTEN six times.
_FAMILIAR = """
    sunrise-over-mountains sunset rainbow bridge-at-night water-wave volcano milky-way
    globe-showing-europe-africa full-moon full-moon-face sun-with-face glowing-star
    shooting-star cloud-with-rain cloud-with-snow cloud-with-lightning tornado hot-dog taco burrito chestnut
    seedling evergreen-tree palm-tree cactus hot-pepper tulip cherry-blossom rose hibiscus blossom ear-of-corn
    four-leaf-clover maple-leaf fallen-leaf mushroom tomato eggplant grapes watermelon tangerine lemon banana
    pineapple red-apple green-apple pear peach strawberry hamburger poultry-leg steaming-bowl
    spaghetti bread french-fries sushi soft-ice-cream ice-cream doughnut cookie chocolate-bar candy lollipop
    honey-pot shortcake cooking wine-glass cocktail-glass tropical-drink beer-mug popcorn ribbon wrapped-gift
    birthday-cake jack-o-lantern christmas-tree santa-claus fireworks balloon backpack graduation-cap
    microphone movie-camera headphone artist-palette top-hat circus-tent video-game bullseye game-die
    musical-note musical-notes saxophone guitar trumpet violin tennis basketball trophy motorcycle racing-car
    volleyball snow-capped-mountain camping beach-with-umbrella cityscape desert desert-island
    house-with-garden office-building hospital school factory japanese-castle bow-and-arrow mouse cow tiger
    leopard rabbit black-cat dragon crocodile whale snail snake horse ram goat ewe monkey rooster chicken dog
    pig elephant octopus spiral-shell bug ant honeybee lady-beetle fish tropical-fish turtle hatching-chick
    baby-chick bird penguin koala camel dolphin cat-face tiger-face rabbit-face monkey-face dog-face pig-face
    cow-face horse-face dragon-face frog hamster wolf polar-bear bear panda paw-prints eyes eye ear nose mouth
    crown glasses necktie t-shirt jeans dress handbag running-shoe high-heeled-shoe womans-hat police-officer
    baby princess ogre ghost baby-angel alien alien-monster skull lipstick pill ring gem-stone bouquet
    broken-heart two-hearts blue-heart green-heart yellow-heart purple-heart light-bulb bomb droplet
    white-flower money-bag laptop briefcase scroll open-book books telephone-receiver megaphone package
    envelope newspaper mobile-phone camera television radio key locked bell fire wrench hammer kitchen-knife
    microscope telescope crystal-ball dove mosque candle sunglasses spider spider-web pen paintbrush crayon
    black-heart desktop-computer framed-picture old-key dagger world-map mount-fuji statue-of-liberty moai
    helicopter locomotive bullet-train train tram bus ambulance fire-engine police-car taxi automobile
    delivery-truck tractor ship speedboat vertical-traffic-light door bicycle toilet bathtub couch-and-lamp
    bed shopping-cart wheel shield canoe sled flying-saucer skateboard white-heart robot clown-face prince
    drum spoon boxing-glove croissant avocado cucumber bacon potato carrot egg glass-of-milk kiwi-fruit
    pancakes coconut broccoli pie pretzel sandwich mango crab lion scorpion unicorn eagle duck bat shark owl
    fox butterfly deer gorilla lizard rhinoceros shrimp squid giraffe zebra hedgehog sauropod t-rex kangaroo
    llama peacock hippopotamus parrot raccoon lobster mosquito swan sloth otter flamingo seal bone foot tooth
    superhero cheese-wedge cupcake garlic onion mage fairy vampire merperson zombie brain orange-heart scarf
    gloves coat socks puzzle-piece compass magnet teddy-bear broom basket soap kite parachute magic-wand
    ringed-planet chair axe banjo accordion coin ladder mirror window bucket toothbrush headstone rock
    potted-plant wood feather lotus coral jellyfish goose blueberries teapot watch hourglass-done
    alarm-clock sun cloud umbrella snowman comet telephone hot-beverage anchor crossed-swords
    gear high-voltage soccer-ball baseball church mountain fountain sailboat tent scissors airplane
    pencil sparkles snowflake star phoenix heart-on-fire
"""
FAMILIAR = frozenset(_FAMILIAR.split())
SHOWN_FIRST = (
    "cherries",
    "house",
    "red-heart",
    "deciduous-tree",
    "evergreen-tree",
    "crescent-moon",
    "cat",
    "pizza",
    "rocket",
    "sunflower",
    "castle",
)

# And what else people are likely to begin with; among them the things of engine/evaluation/prompts.txt.
_ASKED_OFTEN = """
    cat-face dog dog-face lion elephant owl frog dragon dragon-face unicorn penguin shark snake honeybee panda
    fox octopus hamburger birthday-cake banana strawberry watermelon wine-glass mushroom bread sushi carrot
    full-moon sun rainbow mountain snow-capped-mountain rose cactus snowman high-voltage
    cloud-with-lightning church bridge-at-night tent train locomotive airplane sailboat bus helicopter crown
    guitar musical-keyboard open-book books key alarm-clock watch camera wrapped-gift crossed-swords dagger
    robot ghost skull bird blue-heart automobile umbrella butterfly horse top-hat high-heeled-shoe
    running-shoe balloon soccer-ball monkey mouse cheese-wedge rabbit jack-o-lantern red-apple cow fish
    ice-cream soft-ice-cream star hot-beverage bicycle volcano turtle candle house-with-garden fire lollipop
    doughnut cloud-with-rain musical-notes beach-with-umbrella cityscape milky-way ogre gem-stone
"""
ASKED_OFTEN = frozenset(_ASKED_OFTEN.split())


@dataclass(frozen=True)
class Drawings:
    """Everything the training shows: `pictures` uint8 [N, 128, 128, 4] straight RGBA, `coarse` float16
    [N, 4, 32, 32] premultiplied, `index` [classes, styles] into both, `weights` [classes], the classes."""

    pictures: Tensor
    coarse: Tensor
    index: Tensor
    weights: Tensor
    classes: list[dict[str, Any]]


def read_drawings(folder: Path, limit: int | None = None) -> Drawings:
    """Picks the classes and their pictures out of `folder`/pictures.npy and .jsonl (from the data step)."""
    lines = (folder / "pictures.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    found: dict[str, dict[str, int]] = {}
    for row, record in enumerate(records):
        if record["thing"] and record["style"] in STYLES and record["concept"] not in LEFT_OUT:
            found.setdefault(record["concept"], {}).setdefault(record["style"], row)
    concepts = sorted(name for name, styles in found.items() if len(styles) >= FEWEST_STYLES)
    if limit is not None:
        concepts = sorted(concepts, key=lambda name: -familiarity(name))[:limit]
    store = np.load(folder / "pictures.npy", mmap_mode="r")
    rows: list[int] = []
    index = torch.zeros(len(concepts), len(STYLES), dtype=torch.long)
    classes = []
    for number, concept in enumerate(concepts):
        place: dict[str, int] = {}
        for style, row in found[concept].items():
            place[style] = len(rows)
            rows.append(row)
        for column, style in enumerate(STYLES):
            drawn = next(name for name in (style, *RELATIVES[style]) if name in place)
            index[number, column] = place[drawn]
        record = records[next(iter(found[concept].values()))]
        classes.append(
            {
                "id": concept,
                "name_en": record["name_en"],
                "name_it": record["name_it"],
                "keywords_en": record["keywords_en"],
                "keywords_it": record["keywords_it"],
                "styles": [*(style for style in STYLES if style in found[concept]), INKED],
            }
        )
    pictures = torch.from_numpy(np.stack([store[row] for row in rows]))  # [drawn, 128, 128, 4]
    coarse = torch.cat([shrink(part) for part in pictures.split(256)])
    weights = torch.tensor([familiarity(name) for name in concepts])
    return Drawings(pictures, coarse, index, weights, classes)


def familiarity(concept: str) -> float:
    """How often a concept is shown, relative to the rest."""
    if concept in SHOWN_FIRST or concept in ASKED_OFTEN:
        return 6.0
    return 3.0 if concept in FAMILIAR else 1.0


def shrink(pictures: Tensor) -> Tensor:
    """Premultiplied float16 [B, 4, 32, 32] of straight uint8 [B, 128, 128, 4], by area."""
    colours, cover = straight(pictures)
    full = torch.cat((colours * cover, cover), dim=1)  # [B, 4, 128, 128]
    return torch.nn.functional.avg_pool2d(full, 4).half()


def straight(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Colour [B, 3, H, W] and coverage [B, 1, H, W], both 0..1, of uint8 RGBA [B, H, W, 4]."""
    values = pictures.permute(0, 3, 1, 2).float() / 255
    return values[:, :3], values[:, 3:]
