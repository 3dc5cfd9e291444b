"""The bar chart: an SVG of our own making that can be read on a dark page and on a light one.

It has its own ground, in the same theme as its text: a page may be dark where the system is light.
"""

import statistics
from dataclasses import dataclass
from html import escape

from bench.contenders import Contender, Isolation
from bench.measures import DRAIN, FLOW, LATENCY_P50
from bench.results import Results, number

WIDTH = 860
MARGIN = 18
LABEL_WIDTH = 230
VALUE_WIDTH = 90
BAR_HEIGHT = 16
ROW_HEIGHT = 23
PANEL_GAP = 26
HEAD_HEIGHT = 26

PANELS = [
    (DRAIN, "Waiting jobs worked off by one worker, jobs a second"),
    (FLOW, "Enqueued and worked off at once, jobs a second"),
    (LATENCY_P50, "From enqueueing to the result on an idle system, median, milliseconds (less is better)"),
]

# Each with its colour on a light page and on a dark one.
COLOURS = {
    Isolation.SANDBOX: ("sandbox", "#0f766e", "#2dd4bf"),
    Isolation.PROCESS: ("process", "#b45309", "#fbbf24"),
    Isolation.NONE: ("none", "#8b95a1", "#768390"),
}

STYLE = """
.ground { fill: #ffffff; }
text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
.head { font-weight: 600; }
.value, .note { fill: #59636e; }
.range { stroke: #1f2328; stroke-width: 1; opacity: 0.55; }
"""
DARK_STYLE = """
.ground { fill: #0d1117; }
text { fill: #e6edf3; }
.value, .note { fill: #9198a1; }
.range { stroke: #e6edf3; }
"""


@dataclass
class Drawing:
    """Lines of SVG from the top down."""

    lines: list[str]
    y: float = 0

    def text(self, x: float, text: str, kind: str, anchor: str = "start") -> None:
        place = f'x="{x:.1f}" y="{self.y + BAR_HEIGHT - 3:.1f}" text-anchor="{anchor}"'
        self.lines.append(f'<text {place} class="{kind}">{escape(text)}</text>')

    def box(self, x: float, width: float, kind: str) -> None:
        size = f'width="{width:.1f}" height="{BAR_HEIGHT}" rx="2"'
        self.lines.append(f'<rect x="{x:.1f}" y="{self.y:.1f}" {size} class="{kind}"/>')

    def whisker(self, begin: float, end: float) -> None:
        y = self.y + BAR_HEIGHT / 2
        way = f"M{begin:.1f} {y}H{end:.1f}M{begin:.1f} {y - 3}v6M{end:.1f} {y - 3}v6"
        self.lines.append(f'<path d="{way}" class="range"/>')


def _style() -> str:
    light = STYLE + "".join(f".{name} {{ fill: {colour}; }}\n" for name, colour, _ in COLOURS.values())
    dark = DARK_STYLE + "".join(f".{name} {{ fill: {colour}; }}\n" for name, _, colour in COLOURS.values())
    return f"<style>{light}@media (prefers-color-scheme: dark) {{{dark}}}</style>"


def _legend(drawing: Drawing) -> None:
    x = float(LABEL_WIDTH)
    for isolation, (name, _, _) in COLOURS.items():
        drawing.box(x, 16, name)
        drawing.text(x + 22, isolation.value, "note")
        x += 40 + 7 * len(isolation.value)
    drawing.y += ROW_HEIGHT + PANEL_GAP / 2


def _panel(drawing: Drawing, results: Results, contenders: list[Contender], measure: str, title: str) -> None:
    shown = [(each, values) for each in contenders if (values := results.values(each.name, measure))]
    if not shown:
        return
    drawing.text(0, title, "head")
    drawing.y += HEAD_HEIGHT
    most = max(max(values) for _, values in shown)
    scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / most
    for contender, values in shown:
        median = statistics.median(values)
        drawing.text(LABEL_WIDTH - 8, results.title(contender), "name", "end")
        drawing.box(LABEL_WIDTH, max(1.0, median * scale), COLOURS[contender.isolation][0])
        if len(values) > 1:
            drawing.whisker(LABEL_WIDTH + min(values) * scale, LABEL_WIDTH + max(values) * scale)
        drawing.text(LABEL_WIDTH + max(values) * scale + 8, number(median, measure), "value")
        drawing.y += ROW_HEIGHT
    drawing.y += PANEL_GAP


def svg(results: Results, contenders: list[Contender]) -> str:
    """The whole chart."""
    drawing = Drawing(lines=[])
    _legend(drawing)
    for measure, title in PANELS:
        _panel(drawing, results, contenders, measure, title)
    wide, high = WIDTH + 2 * MARGIN, round(drawing.y - PANEL_GAP + 2 * MARGIN)
    place = f'x="-{MARGIN}" y="-{MARGIN}" width="{wide}" height="{high}"'
    size = f'viewBox="-{MARGIN} -{MARGIN} {wide} {high}" width="{wide}" height="{high}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    about = "<title>Gristmill and other job queues: jobs a second and milliseconds, as in the tables</title>"
    ground = f'<rect {place} rx="8" class="ground"/>'
    return "\n".join([head, about, _style(), ground, *drawing.lines, "</svg>", ""])
