"""How fast this machine is just now: limits of time are those of a usual machine."""

import time

LOOP_SECONDS = 0.025  # of a million empty rounds, on the machine that the limits are from


def slowness() -> float:
    """Return how many times slower than a usual machine this one is just now, at least 1."""
    began = time.thread_time()
    for _ in range(1_000_000):
        pass
    return max(1.0, (time.thread_time() - began) / LOOP_SECONDS)
