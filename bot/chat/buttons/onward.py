"""From a dream to the next one: again, varied, continued, with other words. For everybody who sees it."""

from bot.chat.asking import order
from bot.chat.buttons.click import Click, action
from bot.chat.buttons.forms import show_edit_form
from bot.dreams import onward


@action("again")
async def again(click: Click) -> None:
    """The same wish with a new seed."""
    await order(click.interaction, onward.again(click.dream))


@action("repeat")
async def repeat(click: Click) -> None:
    """The very same picture, where it is kept no longer."""
    await order(click.interaction, onward.exact(click.dream))


@action("vary")
async def vary(click: Click) -> None:
    """A new dream that begins at a changed copy of this one."""
    await order(click.interaction, await onward.varied(click.dream, store=click.parts.store))


@action("continue")
async def more(click: Click) -> None:
    """A new dream that goes on where this one ended, for as many steps again."""
    await order(click.interaction, await onward.continued(click.dream, store=click.parts.store))


@action("edit")
async def edit(click: Click) -> None:
    """Other words for it."""
    kept = await onward.can_go_on(click.dream, store=click.parts.store)
    await show_edit_form(click.interaction, click.dream, continuable=kept)
