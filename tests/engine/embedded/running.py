"""Runs workflows embedded, for the tests: messages, plans, and a process that can be stopped dead."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from engine.clock import Clock, ManualClock
from engine.embedded.runner import Embedded
from engine.embedded.store import Store
from engine.events import Alert, Emission, decode_emissions
from engine.plan import Plan
from engine.times import SECOND
from engine.workflow import load

BEGUN = 1_700_000_000 * SECOND
NOTIFY = """
workflow: test
streams:
  notify: {topic: notify, decode: sensors}
monitors:
  - {use: throughput, from: notify}
  - {use: health, from: notify, with: {silent_after: 30s}}
archive: {topic: archive}
"""


def plan_of(folder: Path, text: str = NOTIFY) -> Plan:
    """Read a workflow."""
    path = folder / "workflow.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def report(second: float, data: int = 1, engine: str = "e1") -> bytes:
    """Make a sensor report, so many seconds after the beginning."""
    fields = {"type": "sensor-report", "src": engine, "tap": "manifold.0.records.count", "delta_time": 1, "data": data}
    return json.dumps({**fields, "timestamp": _moment(second)}).encode()


def _moment(second: float) -> str:
    return datetime.fromtimestamp(BEGUN / SECOND + int(second), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock_at(second: float = 0) -> ManualClock:
    """Give a clock so many seconds after the beginning."""
    return ManualClock(BEGUN + round(second * SECOND))


@contextmanager
def running(plan: Plan, folder: Path, clock: Clock | None = None, **options: Any) -> Iterator[tuple[Embedded, Store]]:
    """Run a workflow for the length of a block."""
    store = Store(folder)
    embedded = Embedded(plan, store, clock=clock, **options)
    try:
        embedded.start()
        yield embedded, store
    finally:
        embedded.close()
        store.close()


def send(embedded: Embedded, *values: bytes, topic: str = "notify", key: str | None = None) -> tuple[int, int]:
    """Send messages and wait for the answer: the first and the last offset."""
    receipt = embedded.send(topic, values, idempotency=key).result(10)
    return receipt.first, receipt.last


def emitted(store: Store) -> list[Emission]:
    """Read all emissions of the archive, those that the process tells of itself left out."""
    found = [emission for _, part in store.archive_after(0, 100_000) for emission in part]
    return [emission for emission in found if emission.tags["workflow"] != "manometer"]


def alerts(emissions: Sequence[Emission]) -> list[tuple[str, bool, float]]:
    """Show alerts as name, firing, and seconds after the beginning."""
    return [(a.name, a.firing, (a.time - BEGUN) / SECOND) for a in emissions if isinstance(a, Alert)]


def decoded(parts: Sequence[bytes]) -> list[Emission]:
    """Read the emissions of parts."""
    return [emission for data in parts for emission in decode_emissions(data)]
