"""A dream's recipe: all that repeats its picture, and how to do so."""

import discord

from bot.dreams.dream import Dream
from bot.sentences import Sentences
from bot.sentences.quoting import quoted
from bot.sentences.telling import recipe_fields
from engine import Recipe

SHOWN_WORDS = 1000  # characters of a prompt; escaping may double them, and a description holds 4096


def recipe_embed(dream: Dream, say: Sentences) -> discord.Embed:
    """Seed, settings, models and version, and the command that repeats it."""
    recipe = Recipe.from_json(dream.recipe)
    embed = discord.Embed(
        title=say.recipe_of(dream.id),
        description=f"**{quoted(recipe.prompt, SHOWN_WORDS)}**\n\n{say.how_to_repeat(dream.id)}",
    )
    for name, value in recipe_fields(dream, say):
        embed.add_field(name=name, value=value)
    return embed
