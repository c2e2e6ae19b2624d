"""`python -m engine.evaluate`: see `engine.evaluation`."""

import sys

from engine.evaluation.evaluate import main

if __name__ == "__main__":
    sys.exit(main())
