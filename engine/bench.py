"""`python -m engine.bench`: see `engine.benchmark`."""

import sys

from engine.benchmark.command import run

if __name__ == "__main__":
    sys.exit(run())
