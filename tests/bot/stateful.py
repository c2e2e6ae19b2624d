"""How long tests look for an order of things that breaks a promise: STATEFUL_EXAMPLES of them, or a few."""

import os

from hypothesis import HealthCheck, Phase, settings

EXAMPLES = int(os.environ.get("STATEFUL_EXAMPLES", "0"))  # 0: as few as everybody's tests can afford
FEW = 15

SETTINGS = settings(
    max_examples=EXAMPLES or FEW,
    stateful_step_count=30,
    deadline=None,
    derandomize=not EXAMPLES,
    database=None,
    print_blob=False,
    phases=(Phase.explicit, Phase.generate, Phase.shrink) if EXAMPLES else (Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
