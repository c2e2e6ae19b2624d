"""Where the pocket models' pictures come from: package, drawing style, licence, permitted use.

Names only: the packages are installed with their ordinary clients (see README.md beside this file).
"""

from dataclasses import dataclass


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
    Source("fxemoji", "@iconify-json/fxemoji", "Apache-2.0", "train"),
    Source("streamline", "@iconify-json/streamline-emojis", "CC-BY-4.0", "train"),
    Source("openmoji", "@iconify-json/openmoji", "CC-BY-SA-4.0", "test_only"),
    Source("openclipart", "openclipart-svg", "public-domain", "train"),
)
NAME_PACKAGES = ("cldr-annotations-full", "emojibase-data")

# Concepts that people ask for first: never among those held out for the unseen-concept figure.
_POPULAR_TEXT = """
    cherry cherries house home heart tree moon cat dog pizza rocket sunflower castle sun star fire flower
    rose tulip apple banana bird fish car train ship boat airplane bicycle bread cake coffee tea beer
    wine cheese egg horse cow pig sheep rabbit bear lion tiger elephant monkey mouse frog snake turtle
    dragon unicorn butterfly bee spider ant snail whale dolphin shark octopus crab penguin owl eagle duck
    chicken rooster swan parrot snowman snowflake cloud rain rainbow lightning mountain volcano beach
    island desert river sea ocean wave city night sunset sunrise church tower bridge school hospital
    hotel tent bus truck tractor motorcycle ambulance helicopter umbrella clock book lamp candle bulb key
    lock door bed chair window mirror guitar piano violin drum trumpet camera television phone telephone
    computer robot alien ghost skull pumpkin gift balloon ball football soccer basketball tennis trophy
    crown ring hat shoe shirt dress glasses bag sword knife hammer bomb gem diamond money strawberry
    grapes watermelon lemon orange pear peach pineapple tomato carrot corn potato mushroom burger
    hamburger fries hotdog sandwich taco spaghetti sushi rice icecream ice cream cookie chocolate candy
    donut doughnut honey milk leaf clover cactus palm christmas santa angel witch fairy mermaid eye hand
    foot baby fox wolf deer panda koala kangaroo camel giraffe zebra gorilla crocodile dinosaur sauropod
    t-rex feather fountain map globe earth planet comet anchor sailboat bowl statue wheel kite teddy bell
    microphone scissors pencil pen paintbrush palette magnet telescope microscope hot-air
"""
POPULAR = frozenset(_POPULAR_TEXT.split())
HELD_OUT_CONCEPTS = 135
