"""`python -m engine.evaluate`: see `engine.evaluation`."""

import sys

from engine.evaluation.evaluate import run

if __name__ == "__main__":
    sys.exit(run())
