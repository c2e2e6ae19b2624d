"""Takes the password of whoever comes from elsewhere (`bot.web.guards.password` asks for it)."""

import logging
from math import ceil

from aiohttp import web

from bot.web.guards.password import GATE, PATH, form, remember
from bot.web.reading import fields
from bot.web.visits import say_of

log = logging.getLogger(__name__)

WRONG, TOO_OFTEN = 403, 429
routes = web.RouteTableDef()


@routes.get(PATH)
async def begin(_request: web.Request) -> web.Response:
    """Somebody reloads the form's own address: every page shows the form where it is needed."""
    raise web.HTTPSeeOther("/")


@routes.post(PATH)
async def give(request: web.Request) -> web.Response:
    """The form's password; a wrong one costs a pause, which grows."""
    gate = request.config_dict.get(GATE)
    if gate is None:
        raise web.HTTPNotFound
    say, address, given = say_of(request), request.remote or "", await fields(request)
    to, password = _inside(given.get("to", "")), given.get("password", "")
    # Nothing is waited for from here on, so that many tries at once are counted one after the other.
    if wait_s := gate.tries.wait_s(address):
        answer = form(request, status=TOO_OFTEN, to=to, sentence=say.too_many_passwords(ceil(wait_s)))
        answer.headers["Retry-After"] = str(ceil(wait_s))
        return answer
    if not gate.is_right(password):
        gate.tries.wrong(address)
        log.warning("A wrong password for the local channel came from %s", address)
        return form(request, status=WRONG, to=to, sentence=say.WRONG_PASSWORD)
    gate.tries.right(address)
    done = web.HTTPSeeOther(to)
    remember(request, done, gate)
    raise done


def _inside(path: str) -> str:
    """A path of ours; what could lead elsewhere becomes the channel itself."""
    is_ours = path.startswith("/") and not path.startswith("//") and path.isascii() and path.isprintable()
    return path if is_ours and "\\" not in path else "/"
