"""An engine that dreams by script: real requests and events, and each step only when the test says so."""

import asyncio
import io
from collections.abc import AsyncGenerator, Awaitable, Callable

from PIL import Image

from bot.queue.worker import Worker
from engine import DreamRequest, Event, Failed, FailureKind, Fetching, Finished, Progress, Recipe, Started
from engine.sentences import NOTHING, Saying

DEADLINE_S = 20.0  # for a machine with other work; a test waits that long only when it fails


def picture(kind: str, *, shade: int = 200, size: int = 16) -> bytes:
    """A real picture, `kind` 'PNG' or 'JPEG'."""
    buffer = io.BytesIO()
    Image.new("RGB", (size, size), (shade, 20, 60)).save(buffer, kind)
    return buffer.getvalue()


async def until(true: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
    """Let the loop run until something is true; fail after a while."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            answer = true()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.002)


class ScriptedEngine:
    """`bot.queue.engine_worker.Engine`. Dreams one request at a time; ids are the dreams' ids."""

    def __init__(self, *, steps: int = 10) -> None:
        self.steps = steps
        self.requests: list[DreamRequest] = []  # every one, in order
        self.current: DreamRequest | None = None
        self.abandoned: list[str] = []  # ids of dreams whose events nobody wanted to the end
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._step = 0

    async def dream(self, request: DreamRequest) -> AsyncGenerator[Event, None]:
        assert self.current is None, "two dreams at a time"
        self.requests.append(request)
        self.current = request
        self._events = asyncio.Queue()
        self._step = 0
        ended = False
        try:
            while not ended:
                event = await self._events.get()
                ended = isinstance(event, Finished | Failed)
                yield event
        finally:
            self.current = None
            if not ended:
                self.abandoned.append(request.id)

    async def stop(self, id: str) -> None:
        if self.current is not None and self.current.id == id:
            if self._step == 0:
                self._events.put_nowait(Failed(id, FailureKind.BAD_REQUEST))
            else:
                self.finish(stopped=True)

    async def dreams(self, dream_id: int) -> None:
        """Wait until it is this dream's turn."""
        await until(lambda: self.current is not None and self.current.id == str(dream_id))

    def fetch(self, model: str, done: int, total: int) -> None:
        """A model's file is on its way."""
        self._events.put_nowait(Fetching(self._request().id, model, "weights", done, total))

    def start(self, notice: Saying = NOTHING, *, model: str = "pocket") -> None:
        """The models are loaded."""
        request = self._request()
        self._events.put_nowait(Started(request.id, model, self._steps(request), notice))

    def step(
        self,
        *,
        score: float = 20.0,
        preview: bytes | None = None,
        state: bytes | None = None,
        flagged: str = "",
    ) -> None:
        """One step is done."""
        request = self._request()
        self._step += 1
        steps = self._steps(request)
        self._events.put_nowait(
            Progress(
                request.id,
                self._step,
                steps,
                score,
                score,
                2.0 * (steps - self._step),
                preview,
                state,
                flagged,
            )
        )

    def finish(
        self,
        *,
        model: str = "pocket",
        score: float = 31.5,
        png: bytes | None = None,
        stopped: bool = False,
        timelapse: bytes | None = None,
        flagged: str = "",
        nearest: dict[str, list[str]] | None = None,
    ) -> None:
        """The dream is done. Its state is the text 'end of' and its id."""
        request = self._request()
        steps = max(self._step, 1) if stopped else self._steps(request)
        size = request.size or request.most_size  # as the real one records what it kept to
        recorded: dict[str, float | str] = {} if size is None else {"size": float(size)}
        names = (model, f"{model}-gan", f"{model}-clip", "0.1.0")
        recipe = Recipe(request.prompt, request.seed, steps, *names, settings=recorded)
        self._events.put_nowait(
            Finished(
                request.id,
                recipe,
                score,
                best_step=recipe.steps,
                steps_done=recipe.steps,
                seconds=42.0,
                stopped=stopped,
                picture=png or picture("PNG"),
                state=f"end of {request.id}".encode(),
                timelapse=timelapse,
                flagged=flagged,
                nearest=nearest or {},
            )
        )

    def fail(self, kind: FailureKind, message: str = "It broke.") -> None:
        """The dream ends without a picture."""
        self._events.put_nowait(Failed(self._request().id, kind, Saying.plain(message)))

    def _request(self) -> DreamRequest:
        assert self.current is not None, "nothing is being dreamt"
        return self.current

    def _steps(self, request: DreamRequest) -> int:
        return request.steps or self.steps


def places(worker: Worker) -> dict[int, int]:
    """The place in line of each dream that may begin, by the dream, the next one first."""
    return {turn.dream_id: number for number, turn in enumerate(worker.order(), start=1)}
