"""`manometer demo`, live: on a terminal as a view that changes, elsewhere as lines."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from engine.embedded.store import StoreFailed
from engine.plan import Plan
from engine.workflow import load
from manometer.cli.demo_page import here, page_of, print_lines
from manometer.cli.failure import CommandError
from manometer.demo.ending import ending, next_lines
from manometer.demo.live import Counts, Moment, Settings, live
from manometer.demo.plain import Plain
from manometer.demo.stage import Stage
from manometer.demo.story import ENGINES, MODEL
from manometer.resources import resource
from manometer.view.screen import Show, screen

WORKFLOW: Final = "workflows/demo.yaml"


def run_live(
    *, speed: float, seed: int, seconds: float | None, folders: tuple[str | None, str | None], plain: bool
) -> None:
    """Run the demo, then tell what was seen and what to try next.

    Args:
        speed: how many seconds of the recorded day pass in one.
        seed: of what is made up.
        seconds: when it ends by itself.
        folders: what keeps everything, and what gets the recordings; None: a temporary one, and no recordings.
        plain: whether to print lines also on a terminal.

    Raises:
        CommandError: a folder cannot be used.
        OSError: a file cannot be written, or nothing be listened on.
    """
    console = Console(highlight=False)
    shown = console.is_terminal and not plain
    data, record = folders
    workflow = resource(WORKFLOW)
    settings = Settings(
        workflow=workflow,
        data=Path(data or tempfile.mkdtemp(prefix="manometer-demo-")),
        record=None if record is None else Path(record),
        speed=speed,
        seed=seed,
        seconds=seconds,
        forever=shown,
    )
    read = cache(partial(load, workflow))
    try:
        counts = _on_screen(settings, read, console) if shown else _as_lines(settings, read)
        print_lines(console, ending(read(), settings.data, counts, page_of(console)))
        print_lines(console, next_lines(here(), workflow, settings.data, counts))
    except StoreFailed as error:
        raise CommandError(str(error)) from error


def _on_screen(settings: Settings, read: Callable[[], Plan], console: Console) -> Counts:
    stage = Stage()
    with ExitStack() as stack:
        shows: list[Show] = []

        def show(moment: Moment) -> None:
            if not shows:  # what was told before stands above the picture once that has gone
                shows.append(stack.enter_context(screen(console)))
            shows[0](moment.picture, stage.around(moment))

        return live(settings, read, show, _greet)


def _as_lines(settings: Settings, read: Callable[[], Plan]) -> Counts:
    plain = Plain()

    def show(moment: Moment) -> None:
        for line in plain.lines(moment):
            click.echo(line)

    return live(settings, read, show, _greet)


def _greet(address: str) -> None:
    click.echo(f"the board: {address}/ (open it in a browser)")
    click.echo(f" {len(ENGINES)} engines of {MODEL}, live")
