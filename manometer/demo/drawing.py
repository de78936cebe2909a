"""The report on a terminal: models and streams over the day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.text import Text

from engine.times import MINUTE
from manometer.demo.charts import chart, cut, strip
from manometer.demo.curves import MINUTES, Values, parted, shrink
from manometer.demo.health import NONE, in_columns
from manometer.demo.listing import HUES as SEVERITY_HUES
from manometer.demo.page import BEFORE, NAME, NUMBER, Page
from manometer.demo.report import AlertSpan, Curve, Health, ModelReport, Report, StreamReport
from manometer.demo.words import clock, lasted, listed, percent, quantity, some

HUES: Final = {"running": "green", "init": "cyan", "error": "bold red", "silent": "yellow", "left": "dim", NONE: "dim"}
"""State -> its colour."""
_NAMES: Final = {"cpu_utilization": "cpu, highest", "memory_bytes": "memory, most"}
_HEIGHT: Final = 3
_BUSY: Final = ((0.9, "red"), (0.7, "yellow"), (0.0, "green"))


def model_lines(model: ModelReport, report: Report, page: Page) -> Iterator[Text]:
    """Draw one model: what its engines read, how busy they were, how they were, and when an alert fired."""
    yield page.heading(model.name)
    yield Text(f" {some(len(model.engines), 'engine')}, records: {listed(model.records, '{count} in slot {name}')}")
    if any(model.rejected.values()):
        yield Text(f" rejected by the model: {listed(model.rejected, '{count} {name}')}", style="yellow")
    yield page.top("mean", "max")
    for place, curve in enumerate(model.rates):
        yield from curve_lines(curve, f"{curve.name}, per s", page, height=1 if place else _HEIGHT)
    for curve in model.load:
        yield from curve_lines(curve, _NAMES[curve.name], page)
    yield page.top("state", "running")
    for engine in model.engines:
        yield engine_line(engine, page)
    fired = [span for span in report.alerts if span.model == model.name]
    if fired:
        yield page.top("alerts", "firing")
    for name in sorted({span.alert for span in fired}):
        yield fired_line([span for span in fired if span.alert == name], report, page)


def stream_lines(stream: StreamReport, page: Page) -> Iterator[Text]:
    """Draw one stream: how much came when."""
    yield page.heading(f"stream {stream.name}")
    told = f"{some(stream.records, 'record')} until {clock(stream.until)[:5]}"
    yield Text(f" {told}, on average {stream.delay:.3f} s after the event")
    yield page.top("mean", "max")
    yield from curve_lines(stream.rate, "records per s", page)


def curve_lines(curve: Curve, name: str, page: Page, *, height: int = 1) -> Iterator[Text]:
    """Draw one number over the day."""
    values = shrink(curve.values, page.columns)
    top = 1.0 if curve.unit == "ratio" else max((value for value in values if value is not None), default=0.0)
    numbers = "".join(f"{quantity(value, curve.unit):>{NUMBER}}" for value in (curve.mean, curve.max))
    before = f"{_name(name, page)}{numbers} "
    for line in chart(values, page.glyphs, top=top, height=height):
        yield Text(f"{before:{BEFORE}}") + _coloured(line, values, curve.unit)
        before = ""


def _name(text: str, page: Page) -> str:
    return f" {cut(text, NAME, page.glyphs):{NAME}}"


def _coloured(line: str, values: Values, unit: str) -> Text:
    """Colour a line: shares by how high they are, all else alike."""
    if unit != "ratio":
        return Text(line, style="blue" if unit == "bytes" else "cyan")
    hues = [next(hue for bound, hue in _BUSY if (value or 0.0) >= bound) for value in values]
    return Text.assemble(*zip(line, hues, strict=True))


def engine_line(engine: Health, page: Page) -> Text:
    """Draw how one engine was."""
    states = in_columns(engine.states, page.columns)
    drawn = strip(states, page.glyphs)
    line = Text(_name(engine.engine, page))
    line.append(f"{engine.state:>{NUMBER}}", style=HUES[engine.state])
    line.append(f"{percent(engine.running):>{NUMBER}} ")
    return line.append_text(Text.assemble(*((cell, HUES[state]) for cell, state in zip(drawn, states, strict=True))))


def fired_line(spans: Sequence[AlertSpan], report: Report, page: Page) -> Text:
    """Draw when an alert of a model fired, for any engine of it; the time is that of all of them together."""
    minutes = firing_minutes(spans, report)
    nothing, firing = page.glyphs.fired
    hue = SEVERITY_HUES[spans[0].severity]
    time = lasted(minutes.count(True) * MINUTE).removesuffix(" 00s")
    line = Text(f"{_name(spans[0].alert, page)}{len(spans):>{NUMBER}}{time:>{NUMBER}} ")
    for part in parted(minutes, page.columns):
        line.append(*((firing, hue) if any(part) else (nothing, "dim")))
    return line


def firing_minutes(spans: Sequence[AlertSpan], report: Report) -> list[bool]:
    """Say of each minute of the day whether one of the alerts fired in it."""
    minutes = [False] * MINUTES
    for span in spans:
        first = (span.begin - report.begin) // MINUTE
        last = ((span.end or report.end) - report.begin) // MINUTE
        minutes[first : last + 1] = [True] * (min(last, MINUTES - 1) - first + 1)
    return minutes


def legend(page: Page) -> Text:
    """Explain the cells of the strips."""
    line = Text(" cells:")
    for state, cell in page.glyphs.cells.items():
        line.append(f"  {cell}", style=HUES[state]).append(" nothing heard" if state == NONE else f" {state}")
    return line.append(f"  {page.glyphs.fired[1]}", style="yellow").append(" alert firing")
