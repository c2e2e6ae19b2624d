"""A dreamer by script for the real child process: each step takes a moment, each picture is its own."""

import io
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image

from engine.protocol import DreamRequest, Event, Finished, Progress, Recipe, Started

STEP_S = 0.03
STEPS = 6  # of a dream that names none
_MODEL = ("pocket", "pocket-gan", "pocket-clip", "0.1.0")


class ScriptedDreamer:
    """`engine.process.child.Dreams`. A state is the number of the step that was done."""

    device = "cpu"

    def dream(self, request: DreamRequest, should_stop: Callable[[], bool]) -> Iterator[Event]:
        """As the real one: shown and stored at its paces, stopped at a step, resumed from a state."""
        began = time.monotonic()
        steps = request.steps or STEPS
        first = int(request.state or b"0") if request.begin == "resume" else 0
        yield Started(request.id, "pocket", steps)
        shown = stored = began
        step = first
        for step in range(first + 1, steps + 1):
            time.sleep(STEP_S)
            now = time.monotonic()
            preview = state = None
            if now - shown >= request.preview_every_s or step == first + 1:
                shown, preview = now, picture("JPEG")
            if request.state_every_s and now - stored >= request.state_every_s:
                stored, state = now, b"%d" % step
            left_s = (steps - step) * STEP_S
            yield Progress(request.id, step, steps, 20.0 + step, 20.0 + step, left_s, preview, state)
            if should_stop():
                break
        recipe = Recipe(request.prompt, request.seed, steps, *_MODEL)
        yield Finished(
            request.id,
            recipe,
            score=20.0 + step,
            best_step=step,
            steps_done=step,
            seconds=time.monotonic() - began,
            stopped=step < steps,
            picture=picture("PNG"),
            state=b"%d" % step,
        )


def picture(kind: str) -> bytes:
    """A small picture unlike any other."""
    buffer = io.BytesIO()
    Image.frombytes("RGB", (8, 8), os.urandom(8 * 8 * 3)).save(buffer, kind)
    return buffer.getvalue()


def load(folder: Path) -> ScriptedDreamer:
    """See `engine.process.child.load_dreamer`."""
    return ScriptedDreamer()
