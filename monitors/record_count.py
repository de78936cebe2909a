"""The running number of records through each slot of each engine."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from engine.catalogue import MetricSpec
from engine.events import Metric, Record
from engine.monitor import Key, Monitor, MonitorOptions, MonitorState
from engine.reports import SensorReport, counted_slot
from monitors.stats.counting import COUNTS_MEAN, Counts, grown, reading

RECORDS_TOTAL = MetricSpec(
    name="records_total",
    kind="counter",
    unit="records",
    help="Records through a slot of an engine since the monitor first saw it.",
    direction="neither",
)


class RecordCount(Monitor):
    """Counts the records that pass each slot of each engine, over restarts of the engine.

    Emitted at every report that is not left out. Use `throughput` for their rate.
    """

    class Options(MonitorOptions):
        """What the numbers of count taps mean."""

        counts: Counts = Field("interval", description=COUNTS_MEAN)

    class State(MonitorState, gc=False):
        """The sum so far, and the engine's last total."""

        records: float = 0.0
        total: float | None = None

    reads = SensorReport
    series = ("engine", "slot")
    emits = (RECORDS_TOTAL,)
    key_fields = ("src", "tap")

    def __init__(self, options: Options | None = None) -> None:
        """Take the options."""
        super().__init__(options)
        self._totals = self.options.counts == "total"

    def key(self, record: Record) -> Key | None:
        """Name engine and slot of a report that counts records."""
        slot = counted_slot(record.value.tap)
        return None if slot is None else (record.value.src, slot)

    def on_record(self, record: Record, state: State) -> Iterable[Metric]:
        """Add the records of a report to the sum."""
        data = record.value.data
        if self._totals:
            if record.late:
                return ()
            total = reading(data, "total")
            records = grown(total, state.total)
            state.total = total
        else:
            records = data if type(data) is float else reading(data, "interval")
        state.records += records
        return (RECORDS_TOTAL.at(record.time, state.records),)
