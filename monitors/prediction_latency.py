"""How long a model takes from an input to its prediction, and how often none comes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from pydantic import Field

from engine.catalogue import MetricSpec
from engine.events import Emission, Pair
from engine.monitor import Key, Monitor, MonitorState, PairOptions
from engine.times import MINUTE, Duration, Micros
from monitors.stats.quantiles import Durations

PREDICTION_LATENCY = MetricSpec(
    name="prediction_latency_seconds",
    kind="gauge",
    unit="seconds",
    help="Time from an input to its prediction, over one window: the mean, or a quantile of it.",
    direction="lower is better",
    tags=("statistic",),
)
INPUTS_UNANSWERED = MetricSpec(
    name="inputs_unanswered_total",
    kind="counter",
    unit="inputs",
    help="Inputs for which no prediction came within `wait`.",
)
QUANTILES: Final = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))


class PredictionLatency(Monitor):
    """Measures the time between the event times of an input and of its prediction.

        input         i1  i2   i3        i4
        prediction       p1    p2   p3         (none within wait)
        latency       |--|                     i4 is unanswered

    Windows are windows of the predictions' times and begin at whole multiples of their length since 1970.
    """

    class Options(PairOptions):
        """Over which time latencies are put together."""

        window: Duration = Field(Micros(MINUTE), gt=0, description="Length of the windows that are told.")

    class State(MonitorState):
        """The open window, and the count of all that was not answered."""

        ends: int = -1
        """When the open window ends; -1 where none is open."""
        latencies: Durations = msgspec.field(default_factory=Durations)
        """Those of the open window."""
        unanswered: int = 0

    scope = "stream"
    inputs = ("input", "prediction")
    emits = (PREDICTION_LATENCY, INPUTS_UNANSWERED)

    def __init__(self, options: Options | None = None) -> None:
        """Take the options."""
        given = options or self.Options()
        super().__init__(given)
        self._window = given.window

    def key(self, record: Pair) -> Key:
        """Put all pairs into one series."""
        del record
        return ()

    def on_record(self, record: Pair, state: State) -> Sequence[Emission]:
        """Take a latency, or an input without answer, after the window that ended before it."""
        emitted = self.on_timer(record.time, state)
        first, second = record.first, record.second
        if first is None:
            return emitted
        if state.ends < 0:
            state.ends = record.time // self._window * self._window + self._window
        if second is None:
            state.unanswered += 1
        else:
            state.latencies.add(second.time - first.time)
        return emitted

    def next_timer(self, state: State) -> int | None:
        """Ask for the end of the open window."""
        return state.ends if state.ends >= 0 else None

    def on_timer(self, now: int, state: State) -> Sequence[Emission]:
        """Tell the open window once it has ended."""
        if not 0 <= state.ends <= now:
            return ()
        emitted = [INPUTS_UNANSWERED.at(state.ends, state.unanswered)]
        latencies = state.latencies
        if latencies.count:
            told = [("mean", latencies.mean), *((name, latencies.quantile(share)) for name, share in QUANTILES)]
            emitted += [PREDICTION_LATENCY.at(state.ends, micros / 1e6, statistic=name) for name, micros in told]
        state.ends = -1
        state.latencies = Durations()
        return emitted
