"""The races as a picture: a panel of bars for each, those of one database below one another."""

from collections.abc import Sequence
from html import escape
from itertools import zip_longest

from tests.benchmarks.rows import Figures, digits

COLUMN, MARGIN, GAP = 460, 24, 40
NAME, FIGURE = 200, 96
TITLE, BAR, SPACE = 26, 14, 22

STYLE = """
  .paper { fill: #fff } text { fill: #1f2328; font: 12px system-ui, sans-serif }
  .title { font-weight: 600; font-size: 13px } .bar { fill: #9aa4b2 } .ours { fill: #1f6feb }
  .figure { font-variant-numeric: tabular-nums }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 } text { fill: #e6edf3 } .bar { fill: #57606a } .ours { fill: #58a6ff }
  }
"""


def drawn(races: Sequence[Figures]) -> str:
    """An SVG that is readable on light and on dark paper, whichever its reader prefers."""
    columns: dict[str, list[Figures]] = {}
    for race in races:
        columns.setdefault(race.database.split()[0], []).append(race)
    parts, y = [], MARGIN
    for beside in zip_longest(*columns.values()):
        for number, race in enumerate(beside):
            if race:
                parts.append(panel(race, MARGIN + number * (COLUMN + GAP), y))
        y += max(height(race) for race in beside if race)
    width = 2 * MARGIN + len(columns) * (COLUMN + GAP) - GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" width="{width}" role="img"'
        f' aria-label="Benchmark results">\n<style>{STYLE}</style>\n'
        f'<rect class="paper" width="{width}" height="{y}"/>\n{"".join(parts)}</svg>\n'
    )


def height(race: Figures) -> int:
    return TITLE + SPACE * len(race.by_name) + GAP // 2


def panel(race: Figures, x: int, y: int) -> str:
    """A title, and a bar for each who took part, as long as its figure is large."""
    most = max(race.by_name.values())
    parts = [text(x, y + 12, f"{race.title} ({race.unit}, {race.database})", "title")]
    for number, (name, figure) in enumerate(race.by_name.items()):
        top = y + TITLE + number * SPACE
        long = max(1.0, (COLUMN - NAME - FIGURE) * figure / most)
        kind = "bar ours" if name.startswith("ours") else "bar"
        parts.append(text(x, top + 11, name, "name"))
        parts.append(
            f'<rect class="{kind}" x="{x + NAME}" y="{top}" width="{long:.1f}" height="{BAR}" rx="2"/>\n'
        )
        parts.append(text(x + NAME + long + 6, top + 11, f"{figure:,.{digits(figure)}f}", "figure"))
    return "".join(parts)


def text(x: float, y: float, content: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y}">{escape(content)}</text>\n'
