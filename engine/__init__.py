"""Oneiro's engine: makes pictures from text. This door is all that `bot` needs; it imports no torch."""

from engine.errors import BadRequest, BadSetting, DreamError, EmptyPrompt, FailureKind, ModelError
from engine.models.registry import EMBEDDED, Prior
from engine.process import nobody, threads
from engine.protocol import DreamRequest, Event, Failed, Fetching, Finished, Progress, Recipe, Started
from engine.search.recipes import usual_steps
from engine.words.scene import panels
from engine.words.vocabulary import (
    completions,
    known_things,
    liked_things,
    without_article,
)

# Here, since this comes before torch in every program of ours: what runs here, or as a child of this process.
threads.prepare()
nobody.prepare()

__version__ = "0.1.0"
__all__ = [
    "EMBEDDED",
    "BadRequest",
    "BadSetting",
    "DreamError",
    "DreamRequest",
    "EmptyPrompt",
    "Event",
    "Failed",
    "FailureKind",
    "Fetching",
    "Finished",
    "ModelError",
    "Prior",
    "Progress",
    "Recipe",
    "Started",
    "completions",
    "known_things",
    "liked_things",
    "panels",
    "usual_steps",
    "without_article",
]
