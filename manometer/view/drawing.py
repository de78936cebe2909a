"""Draws a picture of a running workflow as lines of a given width, and no more of them than a terminal has."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from rich.text import Text

from engine.events import Alert
from manometer.demo.charts import Glyphs, chart, cut
from manometer.demo.listing import HUES as SEVERITIES
from manometer.demo.words import clock, lasted, number, quantity, some
from manometer.view.picture import EngineSeen, MonitorSeen, NumberSeen, Picture, StreamSeen, Telemetry, whose

HUES: Final = {
    "running": "green",
    "init": "cyan",
    "error": "bold red",
    "silent": "yellow",
    "left": "dim",
    "unknown": "dim",
}
"""State -> its colour."""
_WORST: Final = ("error", "silent", "init", "running", "unknown", "left")
_NAME: Final = 16
_ALERT: Final = 16
_FEW: Final = 3
"""Engines and alerts that are shown also where there is hardly any room."""
_NUMBERS: Final = 6
"""Other numbers that are shown, at most."""
_HIGH: Final = 30
"""Lines of a terminal from which on all lines that stand above and below are shown."""
_HEAD: Final = 2
_FOOT: Final = 3
"""How many are shown on a terminal that is not as high: the first ones above, the last ones below."""


class Sheet:
    """Lines of one width that are drawn with one set of characters."""

    def __init__(self, width: int, glyphs: Glyphs) -> None:
        """Draw for a terminal of so many columns; the last one stays empty."""
        self.width = max(40, width - 1)
        self.glyphs = glyphs

    def heading(self, text: str) -> Text:
        """Draw the line that begins a part."""
        line = self.glyphs.line
        rest = max(0, self.width - len(text) - 5)
        return Text.assemble((f" {line * 2} ", "dim"), (text, "bold"), (f" {line * rest}", "dim"))

    def spark(self, values: Sequence[float], width: int) -> str:
        """Draw the last values as a line of blocks, the newest at the right."""
        shown = list(values)[-width:]
        return chart(list(shown), self.glyphs, top=max(shown, default=0.0))[0].rjust(width) if shown else " " * width

    def name(self, text: str, width: int = _NAME) -> str:
        """Fit a name into a column."""
        return f"{cut(text, width, self.glyphs):{width}}"

    def fitted(self, line: Text) -> Text:
        """Cut a line that is too long."""
        line.truncate(self.width)
        line.no_wrap = True
        return line


def draw(
    picture: Picture, sheet: Sheet, height: int, around: tuple[Sequence[Text], Sequence[Text]] = ((), ())
) -> list[Text]:
    """Draw a picture in at most so many lines.

    What tells of trouble comes first: of engines, numbers, alerts and their history as many are drawn as fit.

    Args:
        picture: what there is to see.
        sheet: the width and the characters.
        height: how many lines there are.
        around: lines to put before and after it.
    """
    head, foot = around if height >= _HIGH else (around[0][:_HEAD], around[1][-_FOOT:])
    streams = [sheet.heading("streams"), *(stream_line(stream, sheet) for stream in picture.streams)]
    own = [sheet.heading("manometer"), *telemetry_lines(picture, sheet)]
    room = height - len(head) - len(foot) - len(streams) - len(own)
    engines = engine_lines(picture.engines, sheet, max(_FEW + 2, room - 1 - max(1, min(_FEW, len(picture.firing)))))
    room -= len(engines) + 1
    firing = [firing_line(alert, picture.time, sheet) for alert in picture.firing]
    firing = _limited(firing, max(2, room), "alerts more") or [Text(" no alert fires", style="dim")]
    room -= len(firing) + 1
    history = [change_line(alert, sheet) for alert in picture.changes[: max(0, room)]]
    room -= len(history) + 1
    numbers = [number_line(one, sheet) for one in picture.numbers[: max(0, min(room, _NUMBERS))]]
    lines = [*head, *engines, *streams, *_part("other numbers", numbers, sheet)]
    lines += [sheet.heading(f"alerts: {len(picture.firing)} firing"), *firing]
    lines += [*_part("what fired and resolved", history, sheet), *own, *foot]
    return [sheet.fitted(line) for line in lines[:height]]


def _part(title: str, lines: Sequence[Text], sheet: Sheet) -> list[Text]:
    return [sheet.heading(title), *lines] if lines else []


def _limited(lines: list[Text], most: int, words: str) -> list[Text]:
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], Text(f"   and {len(lines) - most + 1} {words}", style="dim")]


def engine_lines(engines: Sequence[EngineSeen], sheet: Sheet, most: int) -> list[Text]:
    """Draw the engines, model after model, in so many lines at most; then those that need a look come first."""
    lines: list[Text] = []
    ordered = sorted(engines, key=lambda one: one.model)
    models = [(model, list(found)) for model, found in groupby(ordered, lambda one: one.model)]
    each = max(_FEW, most // max(1, len(models)) - 2)
    for model, found in models:
        lines += [sheet.heading(f"{model}: {_states(found)}"), _top(sheet)]
        if len(found) > each:
            found.sort(key=lambda one: (_WORST.index(one.state), one.name))
        lines += _limited([engine_line(one, sheet) for one in found], each, "engines more")
    if not engines:
        lines += [sheet.heading("engines"), Text(" nothing was heard of an engine yet", style="dim")]
    return lines


def _states(engines: Sequence[EngineSeen]) -> str:
    counts = [(state, sum(one.state == state for one in engines)) for state in _WORST]
    return ", ".join(f"{count} {state}" for state, count in counts if count)


def _spark_width(sheet: Sheet) -> int:
    return max(0, sheet.width - _NAME - 50)


def _top(sheet: Sheet) -> Text:
    spark = " " * _spark_width(sheet)
    text = f" {'engine':{_NAME}}{'state':8}{'rec/s':>7} {spark} {'records':>9}{'rejected':>9}{'cpu':>5}{'memory':>9}"
    return Text(text, style="dim")


def engine_line(engine: EngineSeen, sheet: Sheet) -> Text:
    """Draw one engine; what is no longer told is not drawn, or dim."""
    there = engine.state in {"running", "init", "unknown"}
    hue = HUES[engine.state]
    line = Text(f" {sheet.name(engine.name)}", style="" if there else "dim")
    line.append(f"{engine.state:8}", style=hue)
    line.append(f"{_told(engine.rate, there):>7} ")
    line.append(sheet.spark(engine.rates, _spark_width(sheet)), style="cyan" if there else "dim")
    line.append(f" {engine.records:9,.0f}")
    line.append(f"{engine.rejected:9,.0f}", style="yellow" if engine.rejected else "")
    cpu = "" if engine.cpu is None or not there else f"{engine.cpu:.0%}"
    memory = "" if engine.memory is None or not there else quantity(engine.memory, "bytes")
    return line.append(f"{cpu:>5}{memory:>9}")


def _told(value: float | None, there: bool) -> str:  # noqa: FBT001 - reads as the state
    return number(value) if value is not None and there else "-"


def stream_line(stream: StreamSeen, sheet: Sheet) -> Text:
    """Draw one stream."""
    spark = sheet.spark(stream.rates, _spark_width(sheet))
    line = Text(f" {sheet.name(stream.name, _NAME + 8)}{number(stream.rate):>7} ")
    line.append(spark, style="blue").append(f" {stream.messages:9,}")
    word = "reject" if stream.rejects == 1 else "rejects"
    return line.append(f"{stream.rejects:9,} {word}", style="yellow" if stream.rejects else "dim")


def number_line(one: NumberSeen, sheet: Sheet) -> Text:
    """Draw one number."""
    name = sheet.name(f"{one.name} {one.whose}", _NAME + 22)
    line = Text(f" {name}{number(one.value):>9} ")
    return line.append(sheet.spark(one.values, max(0, sheet.width - _NAME - 33)), style="cyan")


def firing_line(alert: Alert, now: int, sheet: Sheet) -> Text:
    """Draw an alert that fires: how bad, what, of what, for how long, and its sentence."""
    since = lasted(max(0, now - alert.time))
    line = Text(" ")
    line.append(f"{alert.severity:9}{alert.name:{_ALERT}} ", style=SEVERITIES[alert.severity])
    line.append(f"{sheet.name(whose(alert.tags), 10)} {since:>7}  ")
    return line.append(cut(alert.summary, max(10, sheet.width - line.cell_len), sheet.glyphs), style="dim")


def change_line(alert: Alert, sheet: Sheet) -> Text:
    """Draw that an alert fired or resolved."""
    line = Text(f" {clock(alert.time)} ")
    if alert.firing:
        line.append("fired    ", style=SEVERITIES[alert.severity])
    else:
        line.append("resolved ", style="green")
    line.append(f"{alert.name:{_ALERT}} {sheet.name(whose(alert.tags), 10)} ")
    return line.append(cut(alert.summary, max(10, sheet.width - line.cell_len), sheet.glyphs), style="dim")


def telemetry_lines(picture: Picture, sheet: Sheet) -> list[Text]:
    """Draw how Manometer itself is: two lines."""
    own: Telemetry = picture.telemetry
    age = "none yet" if own.checkpoint_age is None else f"{own.checkpoint_age:.1f} s ago"
    first = Text(f" {number(own.rate)} messages/s, {some(picture.emissions, 'emission')}, ")
    first.append(some(picture.rejects, "reject"), style="yellow" if picture.rejects else "")
    first.append(f", checkpoint {age}")
    took = f" took {own.checkpoint_seconds * 1000:.1f} ms"
    first.append(took if first.cell_len + len(took) <= sheet.width else "")
    failed = sum(monitor.errors for monitor in own.monitors)
    second = Text(f" {some(len(own.monitors), 'monitor')}, {some(failed, 'error')}; time: ")
    for place, monitor in enumerate(own.monitors):
        told = _monitor(monitor)
        if place and second.cell_len + len(told) + 2 > sheet.width:
            break
        second.append(", " if place else "").append(told, style="red" if monitor.errors else "")
    return [first, second]


def _monitor(monitor: MonitorSeen) -> str:
    errors = f" {some(monitor.errors, 'error')}" if monitor.errors else ""
    return f"{monitor.name} {monitor.busy * 1000:.1f} ms/s{errors}"
