"""The queue: fair turns, the worker coroutine that drains it, limits, durations. Knows no Discord."""
