"""Every error in words: a page for whoever reads, JSON for a script, and in both no more than a sentence."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.typedefs import Handler

from bot.database.connection import StoreError
from bot.sentences import Sentences
from bot.sentences.refusals import Refusal, refusal
from bot.web.guards.forgery import Forged
from bot.web.markup import plainly
from bot.web.pages import page
from bot.web.visits import say_of

log = logging.getLogger(__name__)


class _OwnFaults(logging.Filter):
    """Of aiohttp's complaints: what strangers send that is no HTTP is refused, and fills no log."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError | web.RequestPayloadError)


logging.getLogger("aiohttp.server").addFilter(_OwnFaults())

UNAVAILABLE, REFUSED, FAULT = 503, 422, 500

ErrorPage = Callable[[web.Request, int, str], web.Response]
ERROR_PAGE: web.AppKey[ErrorPage] = web.AppKey("ERROR_PAGE")  # of an area that looks otherwise


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The one handler of errors."""
    try:
        return await handler(request)
    except Explained as error:
        return error.answer
    except web.HTTPException as error:
        if error.status < 400:
            raise  # a redirection
        return answer(request, error.status, _sentence(error, say_of(request)), error.headers)
    except Worded as error:
        return answer(request, error.status, error.sentence(say_of(request)))
    except Refusal as error:
        log.debug("%s %s: refused, %r", request.method, request.rel_url.raw_path[:200], error)
        status = UNAVAILABLE if isinstance(error, StoreError) else REFUSED
        return answer(request, status, refusal(error, say_of(request)))
    except ConnectionResetError:
        raise  # whoever asked is gone
    except Exception:
        # The last handler: whatever it is belongs into the log, and whoever asked gets an apology.
        log.exception("%s %s: a fault of ours", request.method, request.rel_url.raw_path[:200])
        return answer(request, FAULT, say_of(request).APOLOGY)


class Worded(Exception):
    """What somebody asks of the page cannot be, and its own `sentence` says why."""

    status = REFUSED

    def sentence(self, say: Sentences) -> str:
        """In the language of whoever asked."""
        raise NotImplementedError


class Explained(Exception):
    """A page that shows a form again, with the sentence that says why."""

    def __init__(self, answer: web.Response) -> None:
        super().__init__()
        self.answer = answer


@contextmanager
def explained(request: web.Request, template: str, **facts: Any) -> Iterator[None]:
    """Where something is refused, show this page with the `sentence` that says why."""
    try:
        yield
    except Refusal as error:
        sentence = refusal(error, say_of(request))
        raise Explained(page(request, template, status=REFUSED, sentence=sentence, **facts)) from error


def wants_json(request: web.Request) -> bool:
    """Whether a script of ours asks."""
    return "application/json" in request.headers.get("Accept", "")


def answer(
    request: web.Request, status: int, sentence: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """The sentence, as whoever asks can show it."""
    if wants_json(request):
        made = web.json_response({"sentence": plainly(sentence)}, status=status)
    else:
        show = request.config_dict.get(ERROR_PAGE, _plain_page)
        made = show(request, status, sentence)
    for name in ("Retry-After", "Allow"):
        if headers and name in headers:
            made.headers[name] = headers[name]
    return made


def _plain_page(request: web.Request, status: int, sentence: str) -> web.Response:
    return page(request, "error.html", status=status, sentence=sentence)


def _sentence(error: web.HTTPException, say: Sentences) -> str:
    match error:
        case Forged():
            return say.PAGE_TOO_OLD
        case web.HTTPNotFound() | web.HTTPGone():
            return say.PAGE_NOT_FOUND
        case web.HTTPTooManyRequests():
            return say.PAGE_TOO_FAST
        case web.HTTPRequestEntityTooLarge():
            return say.PAGE_TOO_LARGE
        case web.HTTPMisdirectedRequest():
            return say.PAGE_OTHER_HOST
        case web.HTTPForbidden() | web.HTTPUnauthorized():
            return say.PAGE_NOT_ALLOWED
    return say.PAGE_BAD_REQUEST if error.status < FAULT else say.APOLOGY
