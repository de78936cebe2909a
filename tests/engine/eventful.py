"""A stream in which much happens within an hour, and the plan of monitors that watch it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from engine.plan import Plan
from engine.testing import config, plan_of, report, state
from engine.times import SECOND, time_text
from monitors.arrival import Arrival
from monitors.health import Health
from monitors.record_count import RecordCount
from monitors.rejected_records import RejectedRecords
from monitors.resources import Resources
from monitors.threshold import Threshold
from monitors.throughput import Throughput
from tests.engine.runs import END, STREAM, Item, Tick, sent

BEGIN: Final = 1_770_000_000
COUNT: Final = "manifold.0.records.count"
REJECTED: Final = "manifold.0.records.rejected.by.schema"
CPU: Final = "sys.cpu.utilization"
MEMORY: Final = "sys.memory"

LONG_HIGH: Final = {"alert": "CpuSaturated", "for": "20s", "keep_firing_for": "15s", "stale_after": "40s"}
ON_A_GRID: Final = {"alert": "CpuBusy", "for": "30s", "every": "15s"}


def threshold(**options: Any) -> Threshold:
    """Make a threshold of these options."""
    return Threshold(Threshold.Options.model_validate(options))


def eventful_plan() -> Plan:
    """Attach every sensor monitor, arrival, and thresholds on fields and metrics, to one stream."""
    in_error = threshold(metric="engine_state", above=1, inclusive=False, alert="EngineUnwell")
    in_error.metric_holds = True
    return plan_of(
        Throughput(),
        RecordCount(),
        RejectedRecords(),
        Resources(),
        Health(Health.Options(expected=True)),
        Arrival(),
        threshold(field="data", by=["src", "tap"], above=900, alert="Large", **_durations(30, 5, 60)),
        threshold(metric="cpu_utilization", above=0.9, **LONG_HIGH),
        threshold(metric="cpu_utilization", above=0.9, **ON_A_GRID),
        threshold(metric="records_per_second", below=1, alert="Slow"),
        in_error,
        decode="sensors",
        engines={"e1": "lstm", "listed": "mlp"},
        repeat=300 * SECOND,
    )


def _durations(for_: int, keep: int, count: int) -> dict[str, str]:
    return {"for": f"{for_}s", "keep_firing_for": f"{keep}s", "stale_after": f"{count}s"}


def eventful_stream() -> list[Item]:
    """Give an hour: load that comes and goes, errors, silence, new names, twice told and late reports, bad bytes."""
    values = [_written(at, value) for at, value in _told()]
    ticks: list[Item] = [Tick(STREAM, (BEGIN + at) * SECOND) for at in (3_700, 3_701, 4_000)]
    return [*sent(values), *ticks, END]


def _written(at: float, value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    assert isinstance(value, dict)
    return json.dumps({"timestamp": time_text(round((BEGIN + at) * SECOND)), **value}).encode()


def _told() -> Iterator[tuple[float, object]]:
    """Give (seconds, message) in the order of delivery."""
    yield 0, state("e1", "init")
    yield 0, state("e2", "running")
    for n in range(1, 130):
        at = n * 9.5
        silent = 60 <= n < 75
        if not silent or n == 70:
            yield from _of_engine("e1", n, at)
        if not silent and not 30 <= n < 45:
            yield from _of_engine("e2", n, at + 0.25)
        yield from _special(n, at)
    yield 3_600, report("e1", COUNT, 5, delta_time=9.5, id=1)


def _of_engine(src: str, n: int, at: float) -> Iterator[tuple[float, object]]:
    yield at, report(src, COUNT, (n * 37) % 50, delta_time=9.5, id=n % 3)
    if n % 2:
        yield at, report(src, CPU, 0.95 if n // 8 % 2 else 0.3)
    if n % 3 == 0:
        yield at, report(src, "some.other.tap", 1_000 if n // 12 % 2 else 0)
    if n % 5 == 0:
        yield at, report(src, REJECTED, n % 4)
        yield at, report(src, MEMORY, [1e9, 1_000 + n])
    if n % 7 == 0:
        yield at, report(src, COUNT, (n * 37) % 50, delta_time=9.5, id=n % 3)  # twice told
        yield at - 33, report(src, COUNT, 3, delta_time=1.0, id="late")


def _special(n: int, at: float) -> Iterator[tuple[float, object]]:
    """Give what happens once."""
    once: dict[int, object] = {
        10: state("e1", "running"),
        16: state("e1", "error"),
        20: b"{broken",
        21: b"\xff\xfe",
        25: state("e1", "running"),
        28: config("e1", "lstm-2"),
        29: {"type": "sensor-report", "src": "e1", "tap": COUNT, "data": -1},
        50: config("e2", "second"),
        51: {"type": "log", "src": "e3"},
        80: state("e2", "stopped"),
        90: config("e1", "lstm-3"),
        95: state("e2", "error"),
        120: {"timestamp": "9999-01-01T00:00:00Z", **state("e1", "error")},
    }
    if n in once:
        yield at, once[n]
