"""What is told when the live demo has ended: the alerts, the rejects, the counts, and what to try next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from rich.text import Text

from archiver.sinks.sqlite import read_alerts
from engine.embedded.store import Store
from engine.plan import Plan
from manometer.demo.building import kinds, spans
from manometer.demo.charts import cut
from manometer.demo.half_year import half_year_lines
from manometer.demo.hints import Place, live_hints
from manometer.demo.listing import alert_lines, reject_lines
from manometer.demo.live import Counts
from manometer.demo.page import Page
from manometer.demo.words import some


def ending(plan: Plan, data: Path, counts: Counts, page: Page) -> Iterator[Text]:
    """Tell what was seen; it is read from the files in the data folder.

    Raises:
        Broken: the archive cannot be read.
        StoreFailed: another process runs on the folder already.
    """
    found = spans(read_alerts(data / "archive.db", tags={"workflow": plan.workflow}))
    with closing(Store(data)) as store:
        rejects = kinds(reject for _, reject in store.rejects())
    yield Text()
    yield from alert_lines(found, page)
    yield Text()
    yield from reject_lines(rejects, page)
    yield Text()
    if counts.half_year is not None:
        first, *rest = half_year_lines(counts.half_year)
        yield page.heading(first)
        yield from (Text(cut(f" {line}", page.width - 1, page.glyphs)) for line in rest)
        yield Text()
    told = f"{some(counts.messages, 'message')} in {counts.seconds:.1f} s"
    yield Text(f" {told}: {some(counts.emissions, 'emission')}, {some(counts.rejects, 'reject')}.")
    yield Text(f" All of it is in {data}.")


def next_lines(place: Place, workflow: Path, data: Path, counts: Counts) -> Iterator[Text]:
    """Tell what to try next."""
    yield Text()
    yield Text(" What to try next", style="bold")
    for why, what in live_hints(place, data=data, workflow=workflow, recordings=counts.recordings):
        yield Text(f" - {why}:", style="dim")
        yield Text(f"   {what}")
