"""Manometer itself, as the live demo runs it: the embedded process with its store, its archive and its intake."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import msgspec

from engine.clock import SystemClock
from engine.embedded.runner import Embedded
from engine.embedded.store import Store
from engine.embedded.topics import Heard, nobody
from engine.plan import Plan
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
    """Of the intake."""


@contextmanager
def running(plan: Plan, data: Path, heard: Heard = nobody) -> Iterator[System]:
    """Run a workflow on a free port of this machine; at the end all that was answered is in `archive.db`.

    Args:
        plan: the workflow.
        data: the folder that keeps everything.
        heard: takes what comes, in the order in which it is applied.

    Raises:
        CommandError: the archive file cannot be opened.
        StoreFailed: the folder cannot be written, or another process runs on it.
        OSError: nothing can be listened on.
    """
    with closing(Store(data)) as store:
        sinks = Sinks(data / "archive.db", (), store)
        try:
            embedded = Embedded(plan, store, clock=SystemClock(), process="demo", more=sinks.readings, heard=heard)
            embedded.start()
            sinks.start()
            try:
                yield from _served(embedded)
            finally:
                embedded.close(DRAIN)
                _drain(sinks)
        finally:
            sinks.close()
    if embedded.ended.done():
        embedded.ended.result()


def _served(embedded: Embedded) -> Iterator[System]:
    server = Server(embedded, Access(HOST), 0, ready=list)
    port = server.start()
    try:
        yield System(embedded, f"http://{HOST}:{port}")
    finally:
        server.close()


def _drain(sinks: Sinks) -> None:
    until = time.monotonic() + DRAIN
    while time.monotonic() < until and any(pump.status().behind for pump in sinks.pumps):
        time.sleep(0.02)
