"""Fills in the page: the words are in page.md, the figures come from a run."""

from pathlib import Path

from bench.contenders import WINDOW, Contender
from bench.measures import ALL, GROUPS, RATE
from bench.results import Results, markdown

# Where the page is, the chart is beside it; where its words are, it isn't.
CHART = "![Jobs a second and milliseconds, the tables below as bars](benchmarks.svg)"
TEMPLATE = Path(__file__).with_name("page.md")


def _differences(results: Results, contenders: list[Contender]) -> str:
    lines = [
        f"| {results.title(each)} | {each.isolation.value} | {each.durability} | {each.settings} |"
        for each in contenders
        if each.name in results.figures
    ]
    return "\n".join(lines)


def page(results: Results, contenders: list[Contender]) -> str:
    """The whole page."""
    rounds = "1 round" if results.rounds == 1 else f"{results.rounds} rounds, taken in turn"
    if results.scale != 1:
        rounds += f", with {results.scale:g} times the usual jobs"
    failures = "".join(f"\n- Not counted: {failure}." for failure in results.failures)
    return TEMPLATE.read_text().format_map(
        {
            **results.versions,
            **results.machine,
            "load": results.machine["load before"],
            "chart": CHART,
            "date": results.date,
            "rounds": rounds,
            "throughput": markdown(results, contenders, [each for each in ALL if each not in GROUPS["latency"]]),
            "latency": markdown(results, contenders, GROUPS["latency"]),
            "differences": _differences(results, contenders),
            "rate": f"{RATE:,}",
            "window": f"{WINDOW:,}",
            "apalis_window": f"{next(each.window for each in contenders if each.name == 'apalis'):,}",
            "failures": failures,
        }
    )
