"""The real worker around scripted dreams: the prompt says what is to go wrong. Run as a child process."""

import errno
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from engine.errors import FailureKind, ModelError, OutOfMemory
from engine.process import child
from engine.protocol import DreamRequest, Event, Failed, Finished, Progress, Recipe, Started
from engine.sentences import Saying

STEP_S = 0.002  # the length of a scripted step
RAW_STDOUT = os.dup(1)  # the frames' pipe, for prompts that soil it


class ScriptedDreams:
    """Dreams without models."""

    device = "cpu"

    def dream(self, request: DreamRequest, should_stop: Callable[[], bool]) -> Iterator[Event]:
        prompt, _, argument = request.prompt.partition(" ")
        steps = request.steps or 5
        if prompt == "silent":
            time.sleep(3600)
        if prompt == "refused":
            yield Failed(request.id, FailureKind.BAD_REQUEST, Saying.plain("No."))
            return
        if prompt == "nothing":
            return
        yield Started(request.id, "pocket", steps)
        self._misbehave(prompt, argument)
        for step in range(1, steps + 1):
            picture = b"picture " + str(step).encode() if step % 2 else None
            if prompt == "flood":
                picture = os.urandom(200_000)
            else:
                time.sleep(STEP_S)
            yield Progress(request.id, step, steps, 20.0 + step, 20.0 + step, 0.1, picture)
            if step == 3:
                self._misbehave(prompt.removesuffix("-later") if "-later" in prompt else "", argument)
            if should_stop():
                break
        recipe = Recipe(request.prompt, request.seed, steps, "pocket", "g", "p", "0")
        end = Finished(request.id, recipe, 20.0 + step, step, step, 0.1, step < steps, b"final picture")
        yield end
        if prompt == "twice":
            yield end

    def _misbehave(self, prompt: str, argument: str) -> None:
        match prompt:
            case "exit":
                os._exit(int(argument))
            case "signal":
                os.kill(os.getpid(), getattr(signal, argument))
            case "hang":
                time.sleep(3600)
            case "garbage":
                os.write(RAW_STDOUT, b"Downloading: 100%\n")
                time.sleep(3600)
            case "close-stdout":
                os.closerange(RAW_STDOUT, RAW_STDOUT + 64)
                time.sleep(3600)
            case "print":
                print("printed by a library", flush=True)  # noqa: T201 - that is the point
                os.write(1, b"written by native code\n")
                sys.stdin.read()  # comes from nowhere, steals no request
            case "noise":
                sys.stderr.write("x" * 100_000 + "\nWARNING lib: careful\n  and more\n" + "line\n" * 5000)
            case "raise":
                raise RuntimeError("a fault of ours")
            case "memory":
                raise MemoryError
            case "cuda-memory":
                raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
            case "disk":
                raise OSError(errno.ENOSPC, "No space left on device")
            case "model":
                raise ModelError("The model file is damaged.")


def load(data_dir: Path) -> ScriptedDreams:
    """Load nothing; the first argument may ask for a start that fails."""
    match sys.argv[1:]:
        case ["dies"]:
            sys.exit(7)
        case ["impatient"]:
            child.ORPHAN_GRACE_S = 0.2
        case ["poor", marker] if not Path(marker).exists():
            raise OutOfMemory("A dream needs about 588 MB of memory, but only 12 MB are free.")
        case ["never-ready"]:
            time.sleep(3600)
        case ["dies-once", marker] if not Path(marker).exists():
            Path(marker).touch()
            sys.exit(7)
    return ScriptedDreams()


if __name__ == "__main__":
    sys.exit(child.main(load))
