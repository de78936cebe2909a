"""Processor and memory of each engine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from engine.catalogue import MetricSpec
from engine.events import Metric, Record
from engine.monitor import Key, Monitor
from engine.reports import CPU, MEMORY, SensorReport

CPU_UTILIZATION = MetricSpec(
    name="cpu_utilization",
    kind="gauge",
    unit="ratio",
    help="Share of the processor that an engine uses, 0 to 1, as it reports it.",
    direction="lower is better",
    zones=(0.7, 0.9),
)
MEMORY_BYTES = MetricSpec(
    name="memory_bytes",
    kind="gauge",
    unit="bytes",
    help="Memory that an engine uses, as it reports it.",
    direction="lower is better",
)
_SPECS: Final = {CPU: CPU_UTILIZATION, MEMORY: MEMORY_BYTES}


class Resources(Monitor):
    """Passes on what engines report of processor and memory; of a list the last value, late reports are left out."""

    reads = SensorReport
    series = ("engine",)
    emits = (CPU_UTILIZATION, MEMORY_BYTES)
    key_fields = ("src", "tap")

    def key(self, record: Record) -> Key | None:
        """Name the engine of a report of processor or memory."""
        return (record.value.src,) if record.value.tap in _SPECS else None

    def on_record(self, record: Record, state: object) -> Iterable[Metric]:
        """Emit the last value of a report."""
        del state
        if record.late:
            return ()
        report = record.value
        data = report.data
        value = data if type(data) is float else data[-1]
        return (_SPECS[report.tap].at(record.time, value),)
