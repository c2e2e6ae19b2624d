"""What a dream leaves behind, shown to whoever asks and to nobody else: its time-lapse, its recipe."""

import io

import discord

from bot.chat.answer import answer, think
from bot.chat.buttons.button import Click, action
from bot.chat.quoting import ALT_TEXT, plain
from bot.chat.recipes import recipe_embed
from bot.chat.veil import Veil, veil_in


@action("timelapse")
async def timelapse(click: Click) -> None:
    """How the dream took shape, as an animated picture."""
    await think(click.interaction)  # some megabytes on their way may take longer than an answer may
    settings = click.client.moderation.settings(click.dream.guild_id)
    veil = veil_in(click.client, click.dream, settings)
    if veil is Veil.WITHHELD:
        await click.answer(click.say.WITHHELD)
        return
    async with click.client.outlet.turn(click.interaction.user.id):
        await _send_film(click, veil)


async def _send_film(click: Click, veil: Veil) -> None:
    film = await click.client.store.timelapse(click.dream.id)
    if film is None:
        await click.answer(click.say.NO_TIMELAPSE)
    elif len(film) > click.interaction.filesize_limit:
        await click.answer(click.say.TOO_LARGE)
    else:
        name = f"dream-{click.dream.id}-timelapse.webp"
        file = discord.File(
            io.BytesIO(film),
            filename=name,
            spoiler=click.dream.spoiler or veil is Veil.SPOILER,
            description=plain(click.say.alt_text(click.dream.prompt), ALT_TEXT),
        )
        await answer(click.interaction, file=file)


@action("recipe")
async def recipe(click: Click) -> None:
    """Everything that repeats the picture."""
    if not click.dream.recipe:
        await click.answer(click.say.NO_RECIPE)
    else:
        await answer(click.interaction, embed=recipe_embed(click.dream, click.say))
