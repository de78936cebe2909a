"""The report on a terminal: the alert history, the rejects, and the counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.text import Text

from manometer.demo.charts import cut
from manometer.demo.page import Page
from manometer.demo.report import AlertSpan, RejectKind
from manometer.demo.words import clock, lasted, some
from manometer.replay import ReplayCounts

HUES: Final = {"critical": "bold red", "warning": "yellow", "info": "cyan"}
"""Severity -> its colour."""
_ALERT: Final = 14
_WHOSE: Final = 14
_WIDE: Final = 100
"""From this width on the model is told too."""


def alert_lines(alerts: Sequence[AlertSpan], page: Page) -> Iterator[Text]:
    """Draw the alert history, in the order in which alerts began: two lines for each."""
    yield page.heading(some(len(alerts), "alert"))
    model = "model" if page.width >= _WIDE else ""
    top = f" {'from':9} {'to':9} {'lasted':8} {'severity':9} {'alert':{_ALERT}} {'of':{_WHOSE}} {model}"
    yield Text(top.rstrip(), style="dim")
    for span in alerts:
        yield _first_line(span, page)
        yield _second_line(span, page)


def _first_line(span: AlertSpan, page: Page) -> Text:
    end = "firing" if span.end is None else clock(span.end)
    length = "" if span.end is None else lasted(span.end - span.begin)
    line = Text(f" {clock(span.begin):9} {end:9} {length:8} ")
    line.append(f"{span.severity:9} {span.alert:{_ALERT}} ", style=HUES[span.severity])
    line.append(f"{span.whose:{_WHOSE}} {span.model if page.width >= _WIDE else ''}")
    line.rstrip()
    return line


def _second_line(span: AlertSpan, page: Page) -> Text:
    room = page.width - 1 - 3 - len(span.runbook) - 1
    return Text(f"   {cut(span.summary, room, page.glyphs):{room}} {span.runbook}", style="dim")


def reject_lines(rejects: Sequence[RejectKind], page: Page) -> Iterator[Text]:
    """Draw the messages that could not become records, by reason."""
    yield page.heading(some(sum(kind.messages for kind in rejects), "reject"))
    widest = max((len(kind.topic) for kind in rejects), default=0)
    width = max(9, min(widest, page.width // 3))
    yield Text(f" {'messages':>8}  {'topic':{width}} {'reason':9} detail", style="dim")
    for kind in rejects:
        line = f" {kind.messages:8,}  {cut(kind.topic, width, page.glyphs):{width}} {kind.reason:9} {kind.detail}"
        yield Text(cut(line, page.width - 1, page.glyphs))


def count_line(counts: ReplayCounts) -> Text:
    """Write what was done in how long."""
    speed = counts.messages / counts.seconds if counts.seconds else 0.0
    done = f"{some(counts.messages, 'message')} in {counts.seconds:.1f} s ({speed:,.0f} a second)"
    return Text(f" {done}: {some(counts.emissions, 'emission')}, {some(counts.rejects, 'reject')}.")
