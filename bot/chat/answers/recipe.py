"""A dream's recipe: all that repeats its picture, and how to do so."""

import discord

from bot.dreams.dream import Dream
from bot.sentences import Sentences
from bot.sentences.quoting import quoted
from engine import Recipe

SHOWN_WORDS = 1000  # characters of a prompt; escaping may double them, and a description holds 4096
SHOWN_SETTINGS = 1000  # characters; a field holds 1024 (Discord reference, 2026-08)


def recipe_embed(dream: Dream, say: Sentences) -> discord.Embed:
    """Seed, settings, models and version, and the command that repeats it."""
    recipe = Recipe.from_json(dream.recipe)
    embed = discord.Embed(
        title=say.recipe_of(dream.id),
        description=f"**{quoted(recipe.prompt, SHOWN_WORDS)}**\n\n{say.how_to_repeat(dream.id)}",
    )
    settings = {name: _shown(value) for name, value in sorted(recipe.settings.items())}
    size = settings.pop("size", "")  # as it was wished, or as a limit made it
    listed = ", ".join(f"{name} {value}" for name, value in settings.items())
    models = say.models(pair=recipe.model, generator=recipe.generator, perceptor=recipe.perceptor)
    for name, value in (
        (say.AVOID_LABEL, quoted(dream.avoid, SHOWN_WORDS // 2)),
        (say.SEED, str(recipe.seed)),
        (say.STEPS, str(recipe.steps)),
        (say.PRESET_LABEL, dream.preset),
        (say.SIZE_LABEL, size),
        (say.MODELS, models),
        (say.VERSION, recipe.version),
        (say.SETTINGS, quoted(listed, SHOWN_SETTINGS // 2)),
    ):
        if value:
            embed.add_field(name=name, value=value)
    return embed


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"
