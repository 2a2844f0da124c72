"""The goal that the page shows, and the count rounded down where it cannot be renewed each time."""

from collections.abc import Sequence

MIN_SHOWN_COUNT = 100  # a lower number attracts nobody

_GOALS = tuple(int(first * 10**power) for power in range(2, 9) for first in (1, 2.5, 5))


def goal_for(count: int, goals: Sequence[int] = ()) -> int:
    """Return the goal to show at `count`: the next of `goals` above it, or of the round numbers."""
    return next((goal for goal in (*goals, *_GOALS) if goal > count), count + 1)


def at_least(count: int) -> int:
    """Return `count` rounded down to its first two digits, or 0 below 100."""
    unit = 10 ** max(len(str(count)) - 2, 1)
    return count // unit * unit if count >= MIN_SHOWN_COUNT else 0
