"""A progress bar on standard error, for people only: where standard error is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from engine.clock import Clock
from engine.recording.files import Input

_BETWEEN: Final = 0.1
"""Seconds between two looks of the bar, so that it costs nothing that can be measured."""


def wanted(*, results_on_stdout: bool) -> bool:
    """Say whether somebody would see a bar: on a terminal that does not show the results already."""
    return sys.stderr.isatty() and not (results_on_stdout and sys.stdout.isatty())


@contextmanager
def files_read(inputs: Sequence[Input], *, clock: Clock) -> Iterator[Callable[[], None]]:
    """Show how much of some files was read; what is given is called after each batch."""
    from rich.console import Console  # noqa: PLC0415 - only on a terminal
    from rich.progress import Progress  # noqa: PLC0415 - only on a terminal

    total = sum(given.total_bytes for given in inputs)
    with Progress(console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task("replay", total=total or None)
        due = clock.monotonic()

        def look() -> None:
            nonlocal due
            if clock.monotonic() >= due:
                due = clock.monotonic() + _BETWEEN
                bar.update(task, completed=sum(given.read_bytes for given in inputs), refresh=True)

        yield look
