"""Whether the inputs of a model still have the distribution of a reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from pydantic import BeforeValidator, Field, field_validator, model_validator

from engine.catalogue import AlertSpec, MetricSpec
from engine.events import Alert, Emission, Record
from engine.monitor import Key, Monitor, MonitorOptions, MonitorState
from engine.times import SECOND
from monitors.stats.distances import Score
from monitors.stats.extents import OF_RECORDS, OF_TIME, Extent, budget_of, chance
from monitors.stats.learning import Learner, Learning
from monitors.stats.panes import Counting, Pane, Panes
from monitors.stats.profile import read_profile
from monitors.stats.reference import Reference, References, Verdict
from monitors.stats.windows import read_windows

INPUT_DRIFT_SCORE = MetricSpec(
    name="input_drift_score",
    kind="gauge",
    unit="score",
    help="Distance between the values of a field in a window and those of the reference.",
    direction="lower is better",
    tags=("field", "score"),
)
INPUT_DRIFT_P_VALUE = MetricSpec(
    name="input_drift_p_value",
    kind="gauge",
    unit="ratio",
    help="Chance of such a score, or a larger one, in a window while the field does not drift.",
    direction="higher is better",
    tags=("field", "score"),
)
INPUT_DRIFTED = AlertSpec(
    name="InputDrifted",
    severity="warning",
    help="The values of a field are no longer distributed as in the reference.",
    runbook="input-drifted",
    tags=("field",),
)
REFERENCE_WINDOWS = 20
"""Windows that a reference should have; a smaller one is off by chance, for its whole life."""


def _as_names(given: object) -> object:
    return (given,) if isinstance(given, str) else tuple(given) if isinstance(given, list) else given


Text = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[Text, ...], BeforeValidator(_as_names)]


class InputDrift(Monitor):
    """Compares each window of a stream with a reference, field by field, and keeps to a budget of false alarms.

        reference    window    window    window    window
        p-value      0.4       0.7       1e-9      1e-7
        InputDrifted                     firing------------->

    A field drifts in a window when its p-value is below what its share of the budget allows and its score is at least
    `min_effect`. The state holds counts of bins and no values, but for the first records while it learns.
    """

    class Options(MonitorOptions):
        """Which fields, compared with what, in which windows, and how many false alarms are acceptable."""

        fields: Names = Field((), description="Fields of the records; without it all fields of the reference.")
        reference: Text | None = Field(
            None, description="File of a profile, as `manometer profile` writes it; relative to the workflow file."
        )
        learn: int | None = Field(
            None, ge=100, description="Records at the beginning of the stream that are the reference; needs `fields`."
        )
        categorical: Names = Field(
            (), description="With `learn`: fields that hold categories, though they may look like numbers."
        )
        window: int | str = Field(
            1000, description="Length of a window: records such as `1000`, or a time such as `1h`."
        )
        slide: int | str | None = Field(
            None, description="Distance from window to window where they overlap: 1/2 to 1/20 of the window."
        )
        score: Score = Field("js", description="How a window is compared with the reference.")
        false_alarms: str | None = Field(
            None,
            description="Budget: alerts that are acceptable while nothing drifts, all fields together. Left out: "
            f"`{OF_RECORDS}`, and `{OF_TIME}` with a window in time.",
        )
        min_effect: float = Field(0.0, ge=0, description="Smaller scores are never drift, however certain they are.")

        @field_validator("fields", "categorical")
        @classmethod
        def _once(cls, given: tuple[str, ...]) -> tuple[str, ...]:
            if len(set(given)) < len(given):
                raise ValueError("expected each field once")
            return given

        @model_validator(mode="after")
        def _fit_together(self) -> InputDrift.Options:
            if (self.reference is None) == (self.learn is None):
                raise ValueError("expected exactly one of reference and learn")
            if self.learn is not None and not self.fields:
                raise ValueError("learn needs fields, the names of the fields to learn")
            unknown = sorted(set(self.categorical) - set(self.fields))
            if self.categorical and (self.learn is None or unknown):
                raise ValueError("categorical names fields to learn; a profile says the kind of its fields itself")
            step = read_windows(self.window, self.slide).step
            chance(budget_of(self.false_alarms, step), len(self.fields), step)
            return self

    class State(MonitorState):
        """The open window as counts, the slides before it, what was learned, and which fields drift."""

        panes: Panes = msgspec.field(default_factory=Panes)
        learning: Learning = msgspec.field(default_factory=Learning)
        learned: bytes = b""
        """The profile, once it is learned."""
        drifted: list[str] = msgspec.field(default_factory=list)
        """Fields whose alert fires."""

    scope = "stream"
    series = ("stream",)
    emits = (INPUT_DRIFT_SCORE, INPUT_DRIFT_P_VALUE, INPUT_DRIFTED)
    reads = dict
    files = ("reference",)

    def __init__(self, options: Options) -> None:
        """Take the options; a profile comes with `take_file`."""
        super().__init__(options)
        self._options = options
        self._windows = read_windows(options.window, options.slide)
        self._learner = Learner(options.fields, categorical=options.categorical)
        self._references = References(options.fields, options.score)
        self._reference: Reference | None = None

    def take_file(self, option: str, data: bytes) -> None:
        """Take the profile.

        Raises:
            ValueError: it is none, lacks a field, or the budget is too large for its fields.
        """
        del option
        reference = self._references.of(read_profile(data))
        self._limit(len(reference.names))
        self._reference = reference

    def doubts(self) -> Sequence[tuple[str, str]]:
        """Doubt references that are too small for their windows."""
        option = "learn" if self._options.learn is not None else "reference"
        window, given = self._windows.window, self._length()
        if given is None or given.over(window) >= REFERENCE_WINDOWS:
            return ()
        few = f"the reference has {given}, fewer than {REFERENCE_WINDOWS} windows ({window.times(REFERENCE_WINDOWS)})"
        return ((option, f"{few}; it may be off by chance, and then false alarms are many for as long as it is used"),)

    def _length(self) -> Extent | None:
        """Give the length of the reference in what windows are counted in; None where nobody knows it yet."""
        known, learn = self._reference, self._options.learn
        if self._windows.window.records:
            records = learn or (known.records if known is not None else 0)
            return Extent(records=records) if records else None
        seconds = known.seconds if known is not None else None
        return Extent(micros=round(seconds * SECOND)) if seconds else None

    def key(self, record: Record) -> Key:
        """Name the stream."""
        return (record.stream,)

    def on_record(self, record: Record, state: State) -> Sequence[Emission]:
        """Take one record."""
        return [emission for _, emission in self._take((record,), state)]

    def on_batch(self, records: Sequence[Record], state: State) -> Sequence[tuple[int, Emission]]:
        """Take several records: learn from the first ones, count the others, close the windows that are full."""
        return self._take(records, state)

    def _take(self, records: Sequence[Record], state: State) -> Sequence[tuple[int, Emission]]:
        learned = 0
        if self._options.learn is not None and not state.learned:
            learned = self._learn(records, state, self._options.learn)
            records = records[learned:]
        if not records:
            return ()
        counting = Counting(self.reference(state), state.panes)
        values = [record.value for record in records]
        times = [record.time for record in records]
        offsets = [record.source[2] for record in records]

        def add(start: int, stop: int) -> None:
            counting.add(values[start:stop], times[start:stop], offsets[start:stop])

        course = state.panes.course
        emitted = self._windows.run(course, times, add, lambda time: self._close(counting, state, time))
        return [(place + learned, emission) for place, emission in emitted]

    def next_timer(self, state: State) -> int | None:
        """Ask for the end of a window in time."""
        ends = state.panes.course.ends
        return ends if ends >= 0 else None

    def on_timer(self, now: int, state: State) -> Sequence[Emission]:
        """Close the windows that are over."""
        counting = Counting(self.reference(state), state.panes)
        return self._windows.until(state.panes.course, now, lambda time: self._close(counting, state, time))

    def reference(self, state: State) -> Reference:
        """Give what the windows of a series are compared with.

        Raises:
            ValueError: there is none, because the workflow loader did not read it.
        """
        if self._options.learn is not None:
            return self._references.learned(state.learned)
        if self._reference is None:
            raise ValueError(f"the profile {self._options.reference} was not read; expected a call of take_file")
        return self._reference

    def _learn(self, records: Sequence[Record], state: State, wanted: int) -> int:
        """Learn from records; gives how many there still were to learn from."""
        here = min(len(records), wanted - state.learning.records)
        self._learner.take(state.learning, [record.value for record in records[:here]])
        if state.learning.records == wanted:
            state.learned = msgspec.msgpack.encode(self._learner.finish(state.learning))
            state.learning = Learning()
        return here

    def _limit(self, fields: int) -> float:
        """Give the p-value below which a field drifts, one of so many."""
        step = self._windows.step
        return chance(budget_of(self._options.false_alarms, step), fields, step)

    def _close(self, counting: Counting, state: State, time: int) -> list[Emission]:
        """Tell score and p-value of every field, and alerts where they change; then begin the next slide."""
        emitted: list[Emission] = []
        reference, pane = counting.reference, counting.window()
        whole = self._windows.whole(state.panes.course) and pane.first >= 0
        limit = self._limit(len(reference.names))
        for one in reference.verdicts(pane.array) if whole else ():
            tags = {"field": one.field, "score": one.score}
            emitted.append(INPUT_DRIFT_SCORE.at(time, one.distance, **tags))
            emitted.append(INPUT_DRIFT_P_VALUE.at(time, one.p_value, **tags))
            drifted = one.p_value <= limit and one.distance >= self._options.min_effect
            if drifted != (one.field in state.drifted):
                emitted.append(_alert(one, drifted, time, limit, _evidence(reference, one, pane)))
                state.drifted = sorted({*state.drifted, one.field} if drifted else {*state.drifted} - {one.field})
        if whole:
            emitted += _left(reference.names, state, time)
        counting.next(self._windows.panes - 1)
        return emitted


def _left(names: Sequence[str], state: InputDrift.State, time: int) -> list[Alert]:
    """End the alerts of fields that are watched no longer."""
    left = [field for field in state.drifted if field not in names]
    state.drifted = [field for field in state.drifted if field in names]
    return [INPUT_DRIFTED.set(time, False, None, f"{field}: watched no longer", field=field) for field in left]


def _evidence(reference: Reference, one: Verdict, pane: Pane) -> dict[str, Any]:
    window = {
        "since": pane.since / 1e6,
        "until": pane.until / 1e6,
        "first_offset": pane.first,
        "last_offset": pane.last,
    }
    return {"window": window, **reference.evidence(one.field, pane.array)}


def _alert(one: Verdict, firing: bool, time: int, limit: float, evidence: dict[str, Any]) -> Alert:  # noqa: FBT001 - as in AlertSpec.set
    sign = "below" if firing else "no longer drift at"
    summary = f"{one.field}: {one.score} is {one.distance:.3g}, p-value {one.p_value:.2g} {sign} the limit {limit:.2g}"
    found = {"score": one.score, "p_value": one.p_value, "limit": limit, **evidence}
    return INPUT_DRIFTED.set(time, firing, one.distance, summary, found, field=one.field)
