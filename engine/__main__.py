"""The command line `dream`: finds the command, and makes a sentence and an exit code of whatever fails.

Exit codes stand in `EXIT_CODES`; whatever a user can cause is one sentence on stderr, never a traceback.
"""

import atexit
import contextlib
import importlib
import logging
import os
import sys
import threading
from collections.abc import Sequence
from typing import NoReturn

from engine.command_line import COMMANDS
from engine.command_line.console import Interrupts
from engine.command_line.running import Failure
from engine.errors import BadSetting, DreamError, FailureKind, explained
from engine.process.streams import unbreakable

log = logging.getLogger(__name__)

EXIT_BAD_REQUEST, EXIT_MODEL, EXIT_DISK, EXIT_MEMORY, EXIT_FAULT = 2, 3, 4, 5, 1
EXIT_CODES = {
    FailureKind.BAD_REQUEST: EXIT_BAD_REQUEST,
    FailureKind.COLLAPSE: EXIT_BAD_REQUEST,  # another seed or prompt will do
    FailureKind.MODEL: EXIT_MODEL,
    FailureKind.DISK: EXIT_DISK,
    FailureKind.MEMORY: EXIT_MEMORY,
}


def run() -> NoReturn:
    """The program `dream`: does as `main`, then leaves at once.

    Python would take torch and the models apart first, which makes a person wait for half a second more.
    """
    code = main()
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        sys.exit(code)  # Python waits for them
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or there was none
            stream.flush()
    os._exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do as the arguments (default: the program's) say. Returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    name = given.pop(0) if given and given[0] in COMMANDS else ""
    with unbreakable(), Interrupts() as interrupts:
        try:
            command = importlib.import_module(f"engine.command_line.{COMMANDS.get(name, 'dream')}")
            code: int = command.run(name, given, interrupts)
            return code
        except Failure as error:
            return interrupts.exit_code or _refuse(error.kind, str(error))
        except (DreamError, BadSetting) as error:
            kind = error.kind if isinstance(error, DreamError) else FailureKind.BAD_REQUEST
            return _refuse(kind, str(error))
        except KeyboardInterrupt:
            print("Left at once; the picture was not kept.", file=sys.stderr)
            return interrupts.exit_code
        except Exception as error:
            kind, said = explained(error)
            if kind is FailureKind.INTERNAL:
                log.exception("dream failed")
            return _refuse(kind, str(said))


def _refuse(kind: FailureKind, sentence: str) -> int:
    print(f"dream: {sentence}", file=sys.stderr)
    return EXIT_CODES.get(kind, EXIT_FAULT)


if __name__ == "__main__":
    run()
