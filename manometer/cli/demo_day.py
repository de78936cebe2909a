"""`manometer demo --replay`: a recorded day, replayed at full speed, and what the monitors saw in it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from engine.clock import SystemClock
from engine.recording.files import Input
from engine.times import time_text
from manometer.cli.demo_page import here, page_of, print_lines
from manometer.cli.progress import files_read, wanted
from manometer.demo.day import BEGIN, Day, read_report, recorded_day, replay_day
from manometer.demo.hints import hints
from manometer.demo.listing import count_line
from manometer.demo.report import Report
from manometer.demo.whole import as_json, lines
from manometer.demo.words import some
from manometer.replay import ReplayCounts


def show_day(store: str | None, *, as_object: bool) -> None:
    """Replay the day into a store and print the report.

    Args:
        store: an SQLite file; None: a new one in a temporary folder.
        as_object: print one JSON object rather than charts.

    Raises:
        Broken: the store cannot be written.
        Busy: somebody else writes to it.
        OSError: this installation lacks the recordings.
    """
    day = recorded_day()
    path = Path(store) if store is not None else Path(tempfile.mkdtemp(prefix="manometer-demo-")) / "demo.db"
    if as_object:
        report, counts = _run(day, path)
        click.echo(as_json(report, counts=counts, store=str(path)))
    else:
        _show(day, path)


def _show(day: Day, store: Path) -> None:
    console = Console(highlight=False)
    print_lines(console, [_title(day), Text()])
    report, counts = _run(day, store)
    shown = [*lines(report, page_of(console)), count_line(counts), Text(f" Store: {store}"), Text()]
    print_lines(console, [*shown, *_hint_lines(day, store)])


def _title(day: Day) -> Text:
    engines, models = len(day.plan.engines), len(set(day.plan.engines.values()))
    title = f"A recorded day, {time_text(BEGIN)[:10]} (UTC): {some(engines, 'engine')} of {some(models, 'model')}"
    return Text.assemble((title, "bold"))


def _run(day: Day, store: Path) -> tuple[Report, ReplayCounts]:
    clock = SystemClock()
    with day.opened() as inputs, _bar(inputs) as progress:
        counts, rejects = replay_day(day, inputs, store, clock=clock, progress=progress)
    return read_report(day, store, rejects), counts


def _bar(inputs: Sequence[tuple[str, Input]]) -> AbstractContextManager[Callable[[], None]]:
    if wanted(results_on_stdout=False):
        return files_read([given for _, given in inputs], clock=SystemClock())
    return nullcontext(lambda: None)


def _hint_lines(day: Day, store: Path) -> Iterable[Text]:
    yield Text(" What to try next", style="bold")
    for why, what in hints(here(), store=store, workflow=day.workflow, recordings=day.recordings):
        yield Text(f" - {why}:", style="dim")
        yield Text(f"   {what}")
