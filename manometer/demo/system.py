"""Manometer itself, as the live demo runs it: the embedded process with its store, archive, intake and board."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import msgspec

from engine.clock import SystemClock
from engine.embedded.runner import Embedded
from engine.embedded.store import Store
from engine.embedded.topics import Heard, nobody
from engine.plan import Plan
from manometer.board.content import content_of
from manometer.board.server import BoardPaths
from manometer.board.sqlite_reader import SqliteReader
from manometer.cli.run_board import ARCHIVE
from manometer.cli.run_sinks import Sinks
from manometer.intake.access import Access
from manometer.intake.server import Server

HOST: Final = "127.0.0.1"
DRAIN: Final = 5.0
"""Seconds that the archive file gets to take what was emitted last."""


class System(msgspec.Struct, frozen=True):
    """What runs."""

    embedded: Embedded
    address: str
    """Of the intake, and of the board."""


@contextmanager
def running(
    plan: Plan,
    data: Path,
    heard: Heard = nobody,
    *,
    workflow: Path | None = None,
    recordings: Mapping[str, Path] | None = None,
) -> Iterator[System]:
    """Run a workflow on a free port of this machine; at the end all that was answered is in `archive.db`.

    Args:
        plan: the workflow.
        data: the folder that keeps everything.
        heard: takes what comes, in the order in which it is applied.
        workflow: its file, for the board.
        recordings: stream -> where it is recorded, for the board.

    Raises:
        CommandError: the archive file cannot be opened.
        StoreFailed: the folder cannot be written, or another process runs on it.
        OSError: nothing can be listened on.
    """
    with closing(Store(data)) as store:
        sinks = Sinks(data / ARCHIVE, (), store)
        try:
            embedded = Embedded(plan, store, clock=SystemClock(), process="demo", more=sinks.readings, heard=heard)
            embedded.start()
            sinks.start()
            try:
                yield from _served(embedded, data / ARCHIVE, workflow, recordings)
            finally:
                embedded.close(DRAIN)
                _drain(sinks)
        finally:
            sinks.close()
    if embedded.ended.done():
        embedded.ended.result()


def _served(
    embedded: Embedded, archive: Path, workflow: Path | None, recordings: Mapping[str, Path] | None
) -> Iterator[System]:
    access = Access(HOST)
    reader = SqliteReader(archive)
    content = content_of(reader, f"sqlite={archive}", embedded.plan, file=workflow, recordings=recordings)
    with closing(BoardPaths(content, access)) as board:
        server = Server(embedded, access, 0, ready=list, beside=[board])
        with closing(server):
            yield System(embedded, access.address(server.start()))


def _drain(sinks: Sinks) -> None:
    until = time.monotonic() + DRAIN
    while time.monotonic() < until and any(pump.status().behind for pump in sinks.pumps):
        time.sleep(0.02)
