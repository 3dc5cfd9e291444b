"""What was measured: kept as JSON, and shown as tables."""

import json
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.contenders import Contender
from bench.measures import ALL, RATE, unit

# By contender and measure, a value for each round.
Figures = dict[str, dict[str, list[float]]]


@dataclass
class Results:
    """A whole run."""

    date: str
    rounds: int
    # What it ran on, by what each thing is.
    machine: dict[str, str]
    versions: dict[str, str]
    # Times the jobs that `contenders.py` names.
    scale: float = 1.0
    figures: Figures = field(default_factory=dict)
    # Measures that could not be told of, with the reason.
    failures: list[str] = field(default_factory=list)

    def add(self, contender: str, measure: str, value: float) -> None:
        self.figures.setdefault(contender, {}).setdefault(measure, []).append(value)

    def values(self, contender: str, measure: str) -> list[float]:
        return self.figures.get(contender, {}).get(measure, [])

    def title(self, contender: Contender) -> str:
        return contender.title.format_map(self.versions)

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")


def read(path: Path) -> Results:
    """An earlier run."""
    return Results(**json.loads(path.read_text()))


def number(value: float, measure: str) -> str:
    """A figure with as many digits as it deserves."""
    if unit(measure) == "ms":
        return f"{value:.2f}" if value < 10 else f"{value:.1f}"
    if value >= 10_000:
        return f"{round(value, -2):,.0f}"
    return f"{round(value, -1):,.0f}" if value >= 1_000 else f"{value:,.0f}"


def cell(values: list[float], measure: str) -> str:
    """The median and, of several rounds, the range."""
    if not values:
        return "–"
    median = number(statistics.median(values), measure)
    if len(values) == 1:
        return median
    return f"{median} ({number(min(values), measure)}–{number(max(values), measure)})"


HEADS = dict(
    zip(
        ALL,
        [
            "enqueue, 1 at a time",
            "enqueue, 256 at a time",
            "enqueue in bulk",
            "drain, 1 worker",
            "drain, 2 workers",
            "enqueue and drain",
            "latency p50, ms",
            "latency p99, ms",
            f"p50 at {RATE:,} jobs/s, ms",
            f"p99 at {RATE:,} jobs/s, ms",
        ],
        strict=True,
    )
)


def rows(results: Results, contenders: list[Contender], measures: list[str]) -> list[list[str]]:
    """A table with its head, without those who have no figure in it."""
    table = [["", *(HEADS[measure] for measure in measures)]]
    for contender in contenders:
        cells = [cell(results.values(contender.name, measure), measure) for measure in measures]
        if any(text != "–" for text in cells):
            table.append([results.title(contender), *cells])
    return table


def text(results: Results, contenders: list[Contender], measures: list[str]) -> str:
    """A table for a terminal."""
    table = rows(results, contenders, measures)
    widths = [max(len(row[at]) for row in table) for at in range(len(table[0]))]
    lines = []
    for row in table:
        padded = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *padded[1:]]))
    return "\n".join(lines)


def markdown(results: Results, contenders: list[Contender], measures: list[str]) -> str:
    """A table for a page."""
    head, *body = rows(results, contenders, measures)
    lines = [head, ["---", *("--:" for _ in measures)], *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
