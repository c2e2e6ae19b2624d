"""What a dream leaves behind, shown to whoever asks and to nobody else: its time-lapse, its recipe."""

from bot.chat.answers.answer import answer, think
from bot.chat.answers.recipe import recipe_embed
from bot.chat.buttons.click import Click, action
from bot.chat.messages.exhibit import exhibit
from bot.dreams.dream import Picture
from bot.dreams.showing import Showing, Visibility


@action("timelapse")
async def timelapse(click: Click) -> None:
    """How the dream took shape, as an animated picture."""
    await think(click.interaction)  # some megabytes on their way may take longer than an answer may
    allowed = await click.parts.sight.asked(click.interaction, click.dream)
    if allowed.visibility is Visibility.WITHHELD:
        await click.answer(click.say.WITHHELD)
        return
    async with click.parts.outlet.turn(click.interaction.user.id):
        await _send_film(click, allowed)


async def _send_film(click: Click, allowed: Showing) -> None:
    film = await click.parts.store.timelapse(click.dream.id)
    if film is None:
        await click.answer(click.say.NO_TIMELAPSE)
    elif len(film) > click.interaction.filesize_limit:
        await click.answer(click.say.TOO_LARGE)
    else:
        alt_text = click.say.alt_text(click.dream.prompt)
        stem = f"dream-{click.dream.id}-timelapse"
        shown = exhibit(Picture(film, "webp"), allowed, stem=stem, alt_text=alt_text)
        if shown is not None:
            await answer(click.interaction, file=shown.file())


@action("recipe")
async def recipe(click: Click) -> None:
    """Everything that repeats the picture."""
    if not click.dream.recipe:
        await click.answer(click.say.NO_RECIPE)
    else:
        await answer(click.interaction, embed=recipe_embed(click.dream, click.say))
