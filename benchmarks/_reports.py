"""Sensor reports for benchmarks: engines with two slots that report six taps every ten seconds, as JSON text."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from engine.decoders import StreamSettings
from engine.decoders.sensors import Sensors
from engine.plan import Attached, Plan, Stream
from monitors.health import Health
from monitors.record_count import RecordCount
from monitors.rejected_records import RejectedRecords
from monitors.resources import Resources
from monitors.throughput import Throughput

TAPS: Final = (
    "manifold.0.records.count",
    "manifold.1.records.count",
    "manifold.0.records.rejected.by.schema",
    "manifold.0.records.rejected.by.encoding",
    "sys.cpu.utilization",
    "sys.memory",
)
ROUND: Final = timedelta(seconds=10)
SENSOR_MONITORS: Final = (Throughput, RecordCount, RejectedRecords, Resources, Health)


def lines(count: int, engines: int, seed: int = 1) -> Iterator[bytes]:
    """Give reports, each engine's taps one after the other, all engines once in ten seconds of event time."""
    numbers = random.Random(seed)
    ids = [str(uuid.UUID(int=numbers.getrandbits(128))) for _ in range(engines)]
    begun = datetime(2023, 11, 16, 18, tzinfo=timezone.utc)
    step = ROUND / (engines * len(TAPS))
    for place in range(count):
        tap = TAPS[place % len(TAPS)]
        moment = begun + step * place
        report = {
            "type": "sensor-report",
            "timestamp": moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "src": ids[place // len(TAPS) % engines],
            "tap": tap,
            "id": place % len(TAPS),
            "delta_time": round(10 + numbers.uniform(-0.3, 0.3), 6),
            "data": _reading(tap, numbers),
        }
        yield json.dumps(report).encode()


def _reading(tap: str, numbers: random.Random) -> float:
    if tap == "sys.memory":
        return numbers.randrange(1 << 31, 1 << 36, 4096)
    return round(numbers.random(), 6) if tap == "sys.cpu.utilization" else numbers.randrange(60)


def plan() -> Plan:
    """Make a workflow of the five sensor monitors, without options."""
    stream = Stream(name="notify", topic="notify", decode="sensors", decoder=Sensors(StreamSettings()))
    attached = []
    for monitor in SENSOR_MONITORS:
        name = monitor.__module__.rpartition(".")[2]
        attached.append(Attached(name=name, use=name, monitor=monitor(), sources={"notify": "notify"}))
    return Plan(workflow="benchmark", streams={"notify": stream}, monitors=tuple(attached))


def table(lines: list[tuple[str, Any]]) -> str:
    """Draw names and figures as two columns."""
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name.ljust(width)}  {_shown(value)}" for name, value in lines)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:,.3g}" if abs(value) < 1e3 else f"{value:,.0f}"  # noqa: PLR2004 - three digits say enough
    return f"{value:,}"
