"""`manometer demo`: a recorded day, replayed at full speed, and what the monitors saw in it."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.text import Text

from engine.clock import SystemClock
from engine.recording.files import Input
from engine.times import time_text
from manometer.cli.failure import told
from manometer.cli.progress import files_read, wanted
from manometer.demo.charts import ASCII, UNICODE
from manometer.demo.day import BEGIN, Day, read_report, recorded_day, replay_day
from manometer.demo.hints import Place, hints
from manometer.demo.listing import count_line
from manometer.demo.page import Page
from manometer.demo.report import Report
from manometer.demo.whole import as_json, lines
from manometer.demo.words import some
from manometer.replay import ReplayCounts

_NARROWEST: Final = 60
_WIDEST: Final = 130
"""A wider terminal shows no more: charts have 96 columns at most."""


@click.command("demo")
@click.option(
    "--store", metavar="FILE.db", help="An SQLite file to write to; a new one in a temporary folder if left out."
)
@click.option("--json", "as_object", is_flag=True, help="Print the report as one JSON object.")
def command(store: str | None, as_object: bool) -> None:
    """Show what Manometer does, on a recorded day.

    Replays 24 hours of nine engines and three models at full speed into an SQLite file: real arrivals and real load,
    with an engine that fails, one that falls silent, and messages that are no records. Then prints what the monitors
    saw: rates, counts, rejects, health and alerts. Nothing is sent anywhere and nothing else is written.

    \b
    Example:
      $ manometer demo
      $ manometer demo --store demo.db
      $ manometer demo --json

    The data and where it comes from: data/README.md. The workflow: workflows/demo.yaml.

    Exit codes: 0 done; 2 the store cannot be written.

    Read next: docs/tutorial.md, manometer replay --help
    """  # noqa: D301 - click reads the character that \b stands for
    with told():
        day = recorded_day()
        path = Path(store) if store is not None else Path(tempfile.mkdtemp(prefix="manometer-demo-")) / "demo.db"
        if as_object:
            report, counts = _run(day, path)
            click.echo(as_json(report, counts=counts, store=str(path)))
        else:
            _show(day, path)


def _show(day: Day, store: Path) -> None:
    console = Console(highlight=False)
    page = Page(max(_NARROWEST, min(console.width, _WIDEST)), ASCII if console.options.ascii_only else UNICODE)
    _print(console, [_title(day), Text()])
    report, counts = _run(day, store)
    _print(
        console, [*lines(report, page), count_line(counts), Text(f" Store: {store}"), Text(), *_hint_lines(day, store)]
    )


def _print(console: Console, some_lines: Iterable[Text]) -> None:
    """Print lines as they are: a command that is wrapped cannot be copied."""
    for line in some_lines:
        console.print(line, soft_wrap=True)
    console.file.flush()


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
    place = Place(folder=Path.cwd(), program=sys.argv[0], python=sys.executable, which=shutil.which)
    yield Text(" What to try next", style="bold")
    for why, what in hints(place, store=store, workflow=day.workflow, recordings=day.recordings):
        yield Text(f" - {why}:", style="dim")
        yield Text(f"   {what}")
