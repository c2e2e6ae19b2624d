"""From a dream to the next one: again, varied, continued, with other words. For everybody who sees it."""

from dataclasses import replace

from bot.chat.asking import new_seed, order, same_wish
from bot.chat.buttons.click import Click, action
from bot.chat.buttons.forms import show_edit_form

VARY_STRENGTH = 0.5  # 0..1


@action("again")
async def again(click: Click) -> None:
    """The same wish with a new seed."""
    await order(click.interaction, [replace(same_wish(click.interaction, click.dream), seed=new_seed())])


@action("vary")
async def vary(click: Click) -> None:
    """A new dream that begins at a changed copy of this one."""
    if await _has_state(click):
        wish = replace(
            same_wish(click.interaction, click.dream),
            seed=new_seed(),
            begin="vary",
            parent_id=click.dream.id,
            other_id=None,
            strength=VARY_STRENGTH,
        )
        await order(click.interaction, [wish])


@action("continue")
async def more(click: Click) -> None:
    """A new dream that goes on where this one ended, for as many steps again."""
    if await _has_state(click):
        wish = replace(
            same_wish(click.interaction, click.dream),
            begin="continue",
            parent_id=click.dream.id,
            other_id=None,
        )
        await order(click.interaction, [wish])


@action("edit")
async def edit(click: Click) -> None:
    """Other words for it."""
    kept = click.dream.state.is_over and await click.parts.store.has_state(click.dream.id)
    await show_edit_form(click.interaction, click.dream, continuable=kept)


async def _has_state(click: Click) -> bool:
    """Whether the dream can be gone on from; if not, the click is answered."""
    if not click.dream.state.is_over:
        await click.answer(click.say.NOT_OVER)
    elif not await click.parts.store.has_state(click.dream.id):
        await click.answer(click.say.NO_STATE)
    else:
        return True
    return False
