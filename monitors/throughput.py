"""Records per second through each slot of each engine."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from engine.catalogue import MetricSpec
from engine.events import Metric, Record
from engine.monitor import Key, Monitor, MonitorOptions, MonitorState
from engine.reports import SensorReport, counted_slot
from monitors.stats.counting import COUNTS_MEAN, Counts, grown, reading

RECORDS_PER_SECOND = MetricSpec(
    name="records_per_second",
    kind="gauge",
    unit="records per second",
    help="Records through a slot of an engine, over the time that its reports cover.",
    direction="higher is better",
)


class Throughput(Monitor):
    """Measures how many records a second pass each slot of each engine.

    The value is the sum of records over the sum of seconds since the last emission, emitted at the report's time as
    soon as the seconds are above zero. Use `record_count` for the running sum of the same records.
    """

    class Options(MonitorOptions):
        """What the numbers of count taps mean."""

        counts: Counts = Field("interval", description=COUNTS_MEAN)

    class State(MonitorState, gc=False):
        """What has come since the last emission, and where the clock stands."""

        records: float = 0.0
        seconds: float = 0.0
        newest: int | None = None
        """Timestamp of the newest report."""
        since: int = 0
        """`total`: the timestamp from which the difference of timestamps counts."""
        total: float = 0.0

    reads = SensorReport
    series = ("engine", "slot")
    emits = (RECORDS_PER_SECOND,)
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
        """Add a report, and emit the rate once it has seconds."""
        return self._total(record, state) if self._totals else self._interval(record, state)

    def _interval(self, record: Record, state: State) -> Iterable[Metric]:
        report = record.value
        data = report.data
        records = state.records + (data if type(data) is float else reading(data, "interval"))
        seconds = state.seconds
        if report.delta_time is not None:
            seconds += report.delta_time
        elif not record.late:
            if state.newest is None:
                state.newest = record.time
                return ()
            seconds += (record.time - state.newest) / 1e6
        if not record.late:
            state.newest = record.time
        if seconds > 0:
            state.records = state.seconds = 0.0
            return (RECORDS_PER_SECOND.at(record.time, records / seconds),)
        state.records = records
        state.seconds = seconds
        return ()

    def _total(self, record: Record, state: State) -> Iterable[Metric]:
        if record.late:
            return ()
        report = record.value
        total = reading(report.data, "total")
        time, newest = record.time, state.newest
        if newest is None:
            state.newest = state.since = time
            state.total = total
            return ()
        if total < state.total and report.delta_time is not None:
            state.seconds += (newest - state.since) / 1e6 + report.delta_time
            state.since = time
        state.records += grown(total, state.total)
        state.total = total
        state.newest = time
        seconds = state.seconds + (time - state.since) / 1e6
        if seconds <= 0 or report.delta_time == 0:
            return ()
        records, state.records, state.seconds, state.since = state.records, 0.0, 0.0, time
        return (RECORDS_PER_SECOND.at(time, records / seconds),)
