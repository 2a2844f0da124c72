"""Measures what users wait for, on this machine:  python -m benchmarks [NAME …].

Each figure has its baseline from the same run, since machines are noisy. The results are written to
`benchmarks/results`.
"""

import resource
import sys

from benchmarks import journeys, outbox, pages, report, signing, starting
from benchmarks.load import require_wrk

MEASURES = {
    "pages": pages.pages,
    "readers": pages.readers,
    "sign": signing.sign,
    "slow_disk": signing.slow_disk,
    "journeys": journeys.journeys,
    "emails": outbox.emails,
    "waiting": outbox.waiting,
    "start": starting.start,
}


def main(names: list[str]) -> None:
    """Measure what `names` say, or everything."""
    if unknown := set(names) - MEASURES.keys():
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; there are: {', '.join(MEASURES)}")
    require_wrk()
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    rows = [row for name in names or MEASURES for row in MEASURES[name]()]
    report.write(rows, "-".join(names) or "all")


if __name__ == "__main__":
    main(sys.argv[1:])
