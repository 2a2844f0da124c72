"""Process-wide protection of secrets in memory, and termination by signals."""

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress

_MCL_CURRENT_AND_FUTURE = 1 | 2 | 4  # MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT, mlockall(2)
_PR_SET_DUMPABLE = 4  # PR_SET_DUMPABLE, prctl(2)


def lock_memory() -> None:
    """Prevent this process's memory from being written to swap or core dumps.

    This is done only if the process may lock all memory that it will ever need (`LimitMEMLOCK=infinity`, or root). With
    a lower limit, later allocations would fail.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    may_lock = os.geteuid() == 0 or resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY
    with suppress(OSError, AttributeError):  # elsewhere than on Linux
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_DUMPABLE, 0)
        if may_lock:
            libc.mlockall(_MCL_CURRENT_AND_FUTURE)


def exit_on_termination() -> None:
    """Turn SIGTERM and SIGHUP into `SystemExit`, so that `finally` blocks and context managers clean up.

    The exit code is 128 plus the signal's number, as shells report it.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: sys.exit(128 + received))
