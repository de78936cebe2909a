"""How much arrives on a stream, how late, and whether anything does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pydantic import Field

from engine.catalogue import AlertSpec, MetricSpec
from engine.events import Emission, Record
from engine.monitor import Key, Monitor, MonitorOptions, MonitorState
from engine.times import MINUTE, SECOND, Micros, OptionalDuration, duration_text

STREAM_RECORDS = MetricSpec(
    name="stream_records_total",
    kind="counter",
    unit="records",
    help="Records that came on a stream, late ones too; rejects and duplicates are not records.",
)
STREAM_RECORDS_PER_SECOND = MetricSpec(
    name="stream_records_per_second",
    kind="gauge",
    unit="records per second",
    help="Records that came on a stream, over one minute of stream time.",
)
STREAM_DELAY = MetricSpec(
    name="stream_delay_seconds",
    kind="gauge",
    unit="seconds",
    help="Time from the event to the writing of its message, mean over the records of one minute.",
    direction="lower is better",
)
STREAM_SILENT = AlertSpec(
    name="StreamSilent", severity="critical", help="Nothing comes on the stream any more.", runbook="stream-silent"
)
WINDOW: Final = MINUTE


class Arrival(Monitor):
    """Counts the records of a stream by minutes of stream time, and notices when none comes.

        records    |x x xxx x|  x x x  |         |         |  x
        emitted              6         3         0            nothing, until a minute with records has ended
                    minute    minute    minute    minute

    Minutes begin at whole minutes since 1970. A record counts in the minute that is open when it comes, a late one
    too. Only the first empty minute is told, so a gap of any length costs one timer.
    """

    class Options(MonitorOptions):
        """When the stream counts as silent."""

        silent_after: OptionalDuration = Field(
            Micros(60 * SECOND), description="How long nothing may come on the stream; `off` for no alert."
        )

    class State(MonitorState, gc=False):
        """The open minute, the count of all, and whether the stream is silent."""

        ends: int = -1
        """When the open minute ends; -1 where none is open."""
        closed: int = -1
        """When the last minute ended that was told."""
        total: int = 0
        records: int = 0
        """In the open minute."""
        timed: int = 0
        """Those of them whose message has a time."""
        delay: float = 0.0
        """Sum of their delays in microseconds."""
        silent: int = -1
        """Since when the stream is silent; -1 where it is not."""
        newest: int = -1
        """While it is silent: the time of its newest record."""

    scope = "stream"
    series = ("stream",)
    emits = (STREAM_RECORDS, STREAM_RECORDS_PER_SECOND, STREAM_DELAY, STREAM_SILENT)
    key_fields = ("src",)
    """No field decides the key; naming the one that sensor messages have lets the engine remember it for them."""

    def __init__(self, options: Options | None = None) -> None:
        """Take the options."""
        given = options or self.Options()
        super().__init__(given)
        self.silent_after = given.silent_after

    def key(self, record: Record) -> Key:
        """Name the stream."""
        return (record.stream,)

    def on_record(self, record: Record, state: State) -> Sequence[Emission]:
        """Count a record, after the minutes that ended before it."""
        time = record.time
        emitted: list[Emission] = []
        if 0 <= state.ends <= time:
            emitted += self.on_timer(time, state)
        if 0 <= state.silent < time:
            emitted.append(_back(time, state))
        if state.ends < 0:
            state.ends = max(time // WINDOW * WINDOW, state.closed) + WINDOW
        state.total += 1
        state.records += 1
        if record.message_time is not None:
            state.timed += 1
            state.delay += record.message_time - time
        return emitted

    def next_timer(self, state: State) -> int | None:
        """Ask for the end of the open minute."""
        return state.ends if state.ends >= 0 else None

    def on_timer(self, now: int, state: State) -> Sequence[Emission]:
        """Tell the minutes that have ended: the one with records, and the first one without."""
        emitted: list[Emission] = []
        while 0 <= state.ends <= now:
            emitted += _close(state)
        return emitted

    def on_silent(self, now: int, state: State) -> Sequence[Emission]:
        """Tell that the stream is silent."""
        allowed = self.silent_after or 0
        state.silent = now
        state.newest = now - allowed
        summary = f"Nothing came on the stream for {duration_text(allowed)}."
        return (STREAM_SILENT.set(now, True, allowed / 1e6, summary, {"newest": state.newest / 1e6}),)


def _close(state: Arrival.State) -> Sequence[Emission]:
    """Tell the open minute; the next one opens unless this one was empty."""
    ended, records, timed, delay = state.ends, state.records, state.timed, state.delay
    state.closed = ended
    state.ends = ended + WINDOW if records else -1
    state.records = state.timed = 0
    state.delay = 0.0
    told = (
        STREAM_RECORDS.at(ended, state.total),
        STREAM_RECORDS_PER_SECOND.at(ended, records * SECOND / WINDOW),
    )
    return (*told, STREAM_DELAY.at(ended, delay / timed / 1e6)) if timed else told


def _back(time: int, state: Arrival.State) -> Emission:
    """End a silence; its value is how long it was."""
    lasted = time - state.newest
    evidence = {"newest": state.newest / 1e6}
    state.silent = state.newest = -1
    summary = f"The stream is back after {lasted / 1e6:g} seconds."
    return STREAM_SILENT.set(time, False, lasted / 1e6, summary, evidence)
