"""Counting in fixed windows of time: in Redis where there is one, in this process's memory while there is none."""

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import TypeVar, cast

import structlog
from limits import RateLimitItem
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from campaign.core.logging import error_code

MAX_KEYS = 200_000  # in memory, about 60 MB; the oldest are dropped first
REDIS_SECONDS = 0.25  # a slow Redis must not delay signing
REDIS_PAUSE = 5.0  # seconds before a Redis that failed is asked again

Result = TypeVar("Result")

log = structlog.get_logger(__name__)


class MemoryStorage(Storage):
    """A thread-safe storage in memory.

    The library's own loses counts between threads, and scans all keys a hundred times a second.
    """

    STORAGE_SCHEME = None

    def __init__(self) -> None:
        super().__init__()
        self._lock = Lock()
        self._windows: OrderedDict[str, tuple[int, float]] = OrderedDict()  # count and end, seconds since 1970

    @property
    def base_exceptions(self) -> type[Exception]:
        """The errors that may be raised; there are none."""
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add `amount` to the window of `key` and return its count; the first one opens it for `expiry` seconds."""
        now = time.time()
        with self._lock:
            count, end = self._windows.get(key, (0, 0.0))
            if end <= now:
                count, end = 0, now + expiry
                self._windows.pop(key, None)  # the new one is the youngest
            self._windows[key] = (count + amount, end)
            while len(self._windows) > MAX_KEYS:
                self._windows.popitem(last=False)
        return count + amount

    def get(self, key: str) -> int:
        """Return the count in the window of `key`."""
        count, end = self._windows.get(key, (0, 0.0))
        return count if end > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """Return when the window of `key` ends, in seconds since 1970."""
        return self._windows.get(key, (0, time.time()))[1]

    def check(self) -> bool:
        """Return whether it can be used."""
        return True

    def reset(self) -> int:
        """Forget all windows, and return how many there were."""
        with self._lock:
            number = len(self._windows)
            self._windows.clear()
        return number

    def clear(self, key: str) -> None:
        """Forget the window of `key`."""
        with self._lock:
            self._windows.pop(key, None)


class FixedWindows:
    """Counts against limits, in the Redis at an address, or in memory where there is none or it fails."""

    def __init__(self, redis_url: str, *, on_fallback: Callable[[bool], object] = lambda _is_alone: None) -> None:
        """Count in the Redis at `redis_url`; `on_fallback` is told whether this process counts by itself meanwhile."""
        self._own = FixedWindowRateLimiter(MemoryStorage())
        self._shared, self._resting_until = _redis(redis_url), 0.0
        self._on_fallback, self._is_alone = on_fallback, False

    def seconds_over(self, limits: list[RateLimitItem], *key: str) -> float:
        """Count one for `key` against each of `limits`; return the seconds until all allow more, 0 if they do now."""
        return self._with_storage(lambda counter: _seconds_over(counter, limits, key))

    def give_back(self, limits: list[RateLimitItem], *key: str) -> None:
        """Count one less for `key` against each of `limits`."""
        self._with_storage(lambda counter: _give_back(counter, limits, key))

    def _with_storage(self, act: Callable[[FixedWindowRateLimiter], Result]) -> Result:
        if self._shared and time.monotonic() >= self._resting_until:
            try:
                result = act(self._shared)
            except self._shared.storage.base_exceptions as error:
                self._resting_until = time.monotonic() + REDIS_PAUSE
                self._set_alone(is_alone=True)
                log.warning("Redis failed; this process applies its limits on its own", reason=error_code(error))
            else:
                self._set_alone(is_alone=False)
                return result
        return act(self._own)

    def _set_alone(self, *, is_alone: bool) -> None:
        if is_alone != self._is_alone:
            self._is_alone = is_alone
            self._on_fallback(is_alone)


def _seconds_over(counter: FixedWindowRateLimiter, limits: list[RateLimitItem], key: tuple[str, ...]) -> float:
    over = [limit for limit in limits if not counter.hit(limit, *key)]
    ends = [counter.get_window_stats(limit, *key).reset_time for limit in over]
    return max([max(end - time.time(), 1) for end in ends], default=0)


def _give_back(counter: FixedWindowRateLimiter, limits: list[RateLimitItem], key: tuple[str, ...]) -> None:
    for limit in limits:
        if counter.get_window_stats(limit, *key).remaining < limit.amount:  # else the window has ended meanwhile
            counter.storage.incr(limit.key_for(*key), limit.get_expiry(), amount=-1)


def _redis(url: str) -> FixedWindowRateLimiter | None:
    if not url:
        return None
    timeouts = {"socket_timeout": REDIS_SECONDS, "socket_connect_timeout": REDIS_SECONDS}
    return FixedWindowRateLimiter(cast("Storage", storage_from_string(url, **timeouts)))
