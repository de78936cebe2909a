"""The running number of records that each slot of each engine rejected, by reason."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from engine.catalogue import MetricSpec
from engine.events import Metric, Record
from engine.monitor import Key, Monitor, MonitorOptions, MonitorState
from engine.reports import SensorReport, rejected_slot
from monitors.stats.counting import COUNTS_MEAN, Counts, grown, reading

RECORDS_REJECTED_TOTAL = MetricSpec(
    name="records_rejected_total",
    kind="counter",
    unit="records",
    help="Records that a slot of an engine rejected since the monitor first saw it, by reason: schema or encoding.",
    direction="lower is better",
)


class RejectedRecords(Monitor):
    """Counts the records that an engine could not read: those that do not fit the schema, those it cannot decode.

    These are the engine's rejects, told by its sensors; messages that Manometer itself cannot read lie on the rejects
    topic. Emitted at every report that is not left out.
    """

    class Options(MonitorOptions):
        """What the numbers of count taps mean."""

        counts: Counts = Field("interval", description=COUNTS_MEAN)

    class State(MonitorState, gc=False):
        """The sum so far, and the engine's last total."""

        records: float = 0.0
        total: float | None = None

    reads = SensorReport
    series = ("engine", "slot", "reason")
    emits = (RECORDS_REJECTED_TOTAL,)
    key_fields = ("src", "tap")

    def __init__(self, options: Options | None = None) -> None:
        """Take the options."""
        super().__init__(options)
        self._totals = self.options.counts == "total"

    def key(self, record: Record) -> Key | None:
        """Name engine, slot and reason of a report that counts rejected records."""
        found = rejected_slot(record.value.tap)
        return None if found is None else (record.value.src, *found)

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
        return (RECORDS_REJECTED_TOTAL.at(record.time, state.records),)
