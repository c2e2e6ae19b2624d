"""Makes HTML of a template and facts. Everything is escaped but what `bot.web.markup` made."""

from functools import cache
from typing import Any

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bot.sentences import Sentences
from bot.web import assets, markup
from bot.web.guards.forgery import TOKEN_FIELD
from bot.web.visits import say_of, visit_of


@cache
def environment() -> Environment:
    """Our templates, with what is the same for all of them."""
    made = Environment(
        loader=PackageLoader("bot.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {"said": markup.said, "words": markup.words, "iso": markup.iso}
    made.globals["asset"] = assets.address
    return made


def page(request: web.Request, template: str, *, status: int = 200, **facts: Any) -> web.Response:
    """A page as an answer."""
    token = visit_of(request).token

    def token_field() -> Markup:
        return Markup('<input type="hidden" name="{}" value="{}">').format(TOKEN_FIELD, token)

    text = piece(template, say_of(request), path=request.path, token=token, token_field=token_field, **facts)
    return web.Response(text=text, content_type="text/html", status=status)


def piece(template: str, say: Sentences, **facts: Any) -> str:
    """Some HTML of a page, for a script to put where it belongs."""
    return environment().get_template(template).render(say=say, **facts)
