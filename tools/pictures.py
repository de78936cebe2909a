"""Draws one metric over time as SVG: its line, its bound, and where its alert fires. Legible on light and on dark."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from html import escape
from typing import Final, NamedTuple

WIDTH: Final = 720
HEIGHT: Final = 220
LEFT: Final = 64
RIGHT: Final = 12
TOP: Final = 34
BOTTOM: Final = 26
LINES: Final = 4
"""Lines across, about."""
FEW_DAYS: Final = 12
FEW_MONTHS: Final = 370
"""Days up to which each day and each month has its name below."""
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
STYLE: Final = (
    "text{font:12px sans-serif;fill:#57606a}.head{font-weight:600;fill:#24292f}.grid{stroke:#8b949e;opacity:.35}"
    ".line{fill:none;stroke:#0969da;stroke-width:1.5;stroke-linejoin:round}"
    ".bound{stroke:#cf222e;stroke-dasharray:6 4}.firing{fill:#cf222e;opacity:.3}"
    "@media(prefers-color-scheme:dark){text{fill:#9ea7b3}.head{fill:#e6edf3}.line{stroke:#58a6ff}"
    ".bound{stroke:#ff7b72}.firing{fill:#ff7b72;opacity:.4}}"
)

Point = tuple[float, float]
"""Time in seconds since 1970, and value."""
Span = tuple[float, float]
"""From a time to another."""


class Drawing(NamedTuple):
    """What is drawn."""

    title: str
    points: Sequence[Point]
    firing: Sequence[Span] = ()
    """Where an alert fires."""
    bound: float | None = None
    """A value to compare with."""
    from_zero: bool = True
    """Whether the scale has to show 0."""


class Scale(NamedTuple):
    """Where values lie between two places."""

    low: float
    high: float
    start: float
    stop: float

    def at(self, value: float) -> str:
        """Give the place of a value, to a tenth of a point."""
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return f"{self.start + share * (self.stop - self.start):.1f}".removesuffix(".0")


def draw(given: Drawing) -> str:
    """Draw a picture; the same drawing gives the same text."""
    values = [value for _, value in given.points]
    values += [] if given.bound is None else [given.bound]
    values += [0.0] if given.from_zero else []
    steps = rulers(min(values), max(values))
    across = Scale(given.points[0][0], given.points[-1][0], LEFT, WIDTH - RIGHT)
    down = Scale(steps[0], steps[-1], HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(given.title)}</title><style>{STYLE}</style>",
        f'<text class="head" x="{LEFT}" y="18">{escape(given.title)}</text>',
        *_scales(across, down, steps),
        *_bands(given.firing, across),
        *_line(given.points, across, down),
    ]
    if given.bound is not None:
        place = down.at(given.bound)
        parts.append(f'<line class="bound" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{place}" y2="{place}"/>')
    return "\n".join([*parts, "</svg>", ""])


def rulers(low: float, high: float) -> list[float]:
    """Choose round values that hold others between them.

    >>> rulers(0.0, 0.61)
    [0.0, 0.2, 0.4, 0.6, 0.8]
    """
    rough = (high - low) / LINES or 1.0
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 9) for number in range(first, last + 1)]


def dates(start: float, stop: float) -> Iterator[tuple[float, str]]:
    """Give round dates between two times, with their names: all days, months or quarters."""
    length = (stop - start) / 86_400
    begun = datetime.fromtimestamp(start, timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    for day in (begun + timedelta(days=number) for number in range(1, int(length) + 1)):
        name = MONTHS[day.month - 1]
        if length <= FEW_DAYS:
            yield day.timestamp(), f"{day.day} {name}"
        elif day.day == 1 and length <= FEW_MONTHS:
            yield day.timestamp(), name
        elif day.day == 1 and day.month % 3 == 1:
            yield day.timestamp(), f"{name} {day.year}"


def _scales(across: Scale, down: Scale, steps: Iterable[float]) -> Iterator[str]:
    for value in steps:
        place = down.at(value)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{place}" y2="{place}"/>'
        yield f'<text x="{LEFT - 6}" y="{place}" dy="4" text-anchor="end">{value:,.10g}</text>'
    for time, name in dates(across.low, across.high):
        yield f'<text x="{across.at(time)}" y="{HEIGHT - 8}" text-anchor="middle">{name}</text>'


def _bands(spans: Iterable[Span], across: Scale) -> Iterator[str]:
    for since, until in spans:
        wide = max(2.0, float(across.at(until)) - float(across.at(since)))
        place = f'x="{across.at(since)}" y="{TOP}" width="{wide:.1f}" height="{HEIGHT - TOP - BOTTOM}"'
        yield f'<rect class="firing" {place}/>'


def _line(points: Iterable[Point], across: Scale, down: Scale) -> Iterator[str]:
    places = " ".join(f"{across.at(time)},{down.at(value)}" for time, value in points)
    yield f'<polyline class="line" points="{places}"/>'
