"""Small monitors that tests of the test kit feed."""

from __future__ import annotations

from collections.abc import Iterable

from engine.catalogue import AlertSpec, MetricSpec
from engine.events import Emission, Metric, Record
from engine.monitor import Key, Monitor, MonitorState
from engine.times import SECOND

SEEN = MetricSpec(name="seen_total", kind="counter", unit="records", help="Records so far.", tags=("name",))
QUIET = AlertSpec(name="Quiet", severity="info", help="Nothing came for 30 s.", runbook="quiet")
OVER = AlertSpec(name="Over", severity="info", help="A metric is over 1.", runbook="over")


class Counting(Monitor):
    """Counts records of each stream, and says when nothing came for 30 seconds."""

    class State(MonitorState):
        """How many there were."""

        count: int = 0
        quiet: bool = False

    scope = "stream"
    series = ("stream",)
    emits = (SEEN, QUIET)
    silent_after = 30 * SECOND

    def key(self, record: Record) -> Key:
        """Name the stream."""
        return (record.stream,)

    def on_record(self, record: Record, state: State) -> Iterable[Emission]:
        """Count it."""
        state.count += 1
        emitted: list[Emission] = [SEEN.at(record.time, state.count, name="all")]
        if state.quiet:
            state.quiet = False
            emitted.append(QUIET.set(record.time, False))
        return emitted

    def on_silent(self, now: int, state: State) -> Iterable[Emission]:
        """Say it."""
        state.quiet = True
        return [QUIET.set(now, True)]


class Forgetful(Counting):
    """Counts in itself and not in its state, which a crash brings to light."""

    count = 0

    def on_record(self, record: Record, state: Counting.State) -> Iterable[Emission]:
        """Count it in the wrong place."""
        self.count += 1
        return [SEEN.at(record.time, self.count)]


class Picky(Counting):
    """Raises on records that have `bad`."""

    def on_record(self, record: Record, state: Counting.State) -> Iterable[Emission]:
        """Count it, or raise."""
        if "bad" in record.value:
            raise ValueError("bad")
        return super().on_record(record, state)


class Limit(Monitor):
    """Fires while a metric of another monitor is over 1."""

    scope = "stream"
    reads = Metric
    emits = (OVER,)

    def key(self, record: Record) -> Key:
        """Take them all: of metrics the record's key is that of their series."""
        key: Key = record.key
        return key

    def on_record(self, record: Record, state: MonitorState) -> Iterable[Emission]:
        """Compare."""
        return [OVER.set(record.time, record.value.value > 1)]
