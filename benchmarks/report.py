"""The results, as a table to read (Markdown) and to compare (JSON), and as bars (SVG)."""

import json
import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
_BAR, _LINE, _LABEL = 320, 22, 330  # pixels


@dataclass(frozen=True, slots=True)
class Row:
    """A figure with its unit, its baseline in the same run, and its target."""

    what: str
    figure: float
    unit: str
    baseline: float | None = None
    target: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The figure as a part of its baseline."""
        return self.figure / self.baseline if self.baseline else None


def show(row: Row) -> Row:
    """Print a row, and return it."""
    ratio = f" = {row.ratio:.2f} of {_number(row.baseline or 0)}" if row.ratio else ""
    target = f"   (target: {row.target})" if row.target else ""
    print(f"{row.what:<58}{_number(row.figure):>9} {row.unit}{ratio}{target}   {row.note}", flush=True)
    return row


def write(rows: list[Row], name: str) -> None:
    """Write the rows of a run as `name`.md, .json and .svg into `RESULTS`."""
    RESULTS.mkdir(exist_ok=True)
    results = {"machine": machine(), "rows": [asdict(row) | {"ratio": row.ratio} for row in rows]}
    (RESULTS / f"{name}.json").write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")
    (RESULTS / f"{name}.md").write_text(markdown(rows))
    (RESULTS / f"{name}.svg").write_text(bars([row for row in rows if row.ratio]))


def machine() -> dict[str, str]:
    """Return the day, the machine and the versions that were measured."""
    model = next((line.partition(": ")[2] for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "")
    memory = next((line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), "0")
    packages = ("flask", "granian", "sqlalchemy", "psycopg")
    return {
        "day": datetime.now(UTC).date().isoformat(),
        "processors": f"{len(os.sched_getaffinity(0))} × {model.strip()}",
        "memory": f"{int(memory) / 1024**2:.0f} GiB",
        "system": platform.system(),
        "python": platform.python_version(),
    } | {package: version(package) for package in packages}


def markdown(rows: list[Row]) -> str:
    """Return the table of the rows, with the machine above it."""
    lines = [f"{name}: {value}  " for name, value in machine().items()]
    lines += ["", "| What | Measured | Baseline | Ratio | Target | Note |", "| --- | ---: | ---: | ---: | --- | --- |"]
    for row in rows:
        cells = (
            row.what,
            f"{_number(row.figure)} {row.unit}",
            _number(row.baseline) if row.baseline else "",
            f"{row.ratio:.2f}" if row.ratio else "",
            row.target,
            row.note,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def bars(rows: list[Row]) -> str:
    """Return a bar for each row: the full width is its baseline."""
    drawn = []
    for number, row in enumerate(rows):
        y, width = number * _LINE, min(row.ratio or 0, 1) * _BAR
        drawn.append(f'<text x="{_LABEL - 8}" y="{y + 15}" text-anchor="end">{escape(row.what)}</text>')
        drawn.append(f'<rect x="{_LABEL}" y="{y + 3}" width="{_BAR}" height="{_LINE - 6}" fill="#ddd"/>')
        drawn.append(f'<rect x="{_LABEL}" y="{y + 3}" width="{width:.0f}" height="{_LINE - 6}" fill="#1b6ca8"/>')
        drawn.append(f'<text x="{_LABEL + _BAR + 8}" y="{y + 15}">{row.ratio:.2f}</text>')
    box = f"0 0 {_LABEL + _BAR + 60} {len(rows) * _LINE}"
    style = 'font-family="sans-serif" font-size="12"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" {style}>\n' + "\n".join(drawn) + "\n</svg>\n"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()
