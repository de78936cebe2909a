"""What the values of fields are like, window by window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from engine.catalogue import MetricSpec
from engine.events import Emission, Metric, Record
from engine.monitor import Key, Monitor, MonitorOptions, MonitorState
from monitors.stats.columns import all_kept, columns, numbers_of, texts_of
from monitors.stats.distinct import KEPT, estimate, hashes_of_numbers, hashes_of_texts, smallest, unknown
from monitors.stats.moments import Moments, merged, moments_of
from monitors.stats.weighted import Weighted, taken
from monitors.stats.windows import Course, read_windows

BLOCK: Final = 256
"""Records that are reduced at once, counted from the window's start; they wait in the state until there are so many."""
OF_VALUE: Final = "unit of the field"


def _spec(name: str, unit: str, text: str, direction: Literal["lower is better", "neither"] = "neither") -> MetricSpec:
    return MetricSpec(name=name, kind="gauge", unit=unit, help=text, direction=direction, tags=("field",))


MEAN = _spec("input_mean", OF_VALUE, "Mean of a field's numbers in a window.")
VARIANCE = _spec("input_variance", "square of the field's unit", "Variance of a field's numbers in a window.")
MINIMUM = _spec("input_minimum", OF_VALUE, "Smallest of a field's numbers in a window.")
MAXIMUM = _spec("input_maximum", OF_VALUE, "Largest of a field's numbers in a window.")
EWM_MEAN = _spec("input_ewm_mean", OF_VALUE, "Mean of a field's numbers, in which older ones count less.")
EWM_VARIANCE = _spec(
    "input_ewm_variance", "square of the field's unit", "Variance of a field's numbers, in which older ones count less."
)
MISSING = _spec("input_missing_ratio", "ratio", "Share of a window's records that lack a field.", "lower is better")
UNPARSABLE = _spec(
    "input_unparsable_ratio", "ratio", "Share of a window's records with a value that is no number.", "lower is better"
)
DISTINCT = _spec(
    "input_distinct_values", "values", "Different values of a field in a window, near enough beyond 1,000."
)
NEW = _spec("input_new_value_ratio", "ratio", "Share of a field's values in a window that no window before it had.")


def _as_names(given: object) -> object:
    return (given,) if isinstance(given, str) else tuple(given) if isinstance(given, list) else given


Text = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[Text, ...], BeforeValidator(_as_names)]


class FieldState(msgspec.Struct):
    """One field: the open window up to the last whole block, and what goes on over all windows."""

    moments: Moments = Moments()
    missing: int = 0
    unparsable: int = 0
    values: list[int] = []
    """Smallest hashes of the window's values."""
    new: int = 0
    """Values of the window that no window before it had."""
    known: list[int] = []
    """Hashes of the values of the windows before."""
    many: bool = False
    """There were too many different values to know them."""
    weighted: Weighted = Weighted()


class InputStatistics(Monitor):
    """Tells mean, variance, range, missing and new values of fields, window by window.

        records          |x x x x|x x x x|x x x
        input_mean               m       m          a window that is not full emits nothing

    It judges nothing: put `threshold` on a metric, or use `input_drift`.
    """

    class Options(MonitorOptions):
        """Which fields, and in which windows."""

        fields: Names = Field(min_length=1, description="Fields of the records; `a.b` is b inside a.", examples=["age"])
        categorical: Names = Field((), description="Those of them that hold categories and not numbers.")
        window: int | str = Field(
            1000, description="Length of a window: records such as `1000`, or a time such as `1h`."
        )
        half_life: float = Field(
            1000,
            gt=0,
            description="After so many numbers one counts half, in `input_ewm_mean` and `input_ewm_variance`.",
        )

        @model_validator(mode="after")
        def _fit_together(self) -> InputStatistics.Options:
            strange = sorted(set(self.categorical) - set(self.fields))
            if strange or len(set(self.fields)) < len(self.fields):
                raise ValueError(
                    f"categorical: {strange[0]} is not in fields" if strange else "expected each field once"
                )
            read_windows(self.window)
            return self

    class State(MonitorState):
        """The course of windows, the open block, and each field."""

        course: Course = msgspec.field(default_factory=Course)
        waiting: list[list[Any]] = msgspec.field(default_factory=list)
        """Values of the records of the open block, one list a record."""
        fields: list[FieldState] = msgspec.field(default_factory=list)

    scope = "stream"
    series = ("stream",)
    reads = dict
    emits = (MEAN, VARIANCE, MINIMUM, MAXIMUM, EWM_MEAN, EWM_VARIANCE, MISSING, UNPARSABLE, DISTINCT, NEW)

    def __init__(self, options: Options) -> None:
        """Take the options."""
        super().__init__(options)
        self._names = options.fields
        self._categorical = frozenset(options.categorical)
        self._half_life = options.half_life
        self._windows = read_windows(options.window)

    def key(self, record: Record) -> Key:
        """Name the stream."""
        return (record.stream,)

    def on_record(self, record: Record, state: State) -> Sequence[Emission]:
        """Take one record."""
        return [emission for _, emission in self._take((record,), state)]

    def on_batch(self, records: Sequence[Record], state: State) -> Sequence[tuple[int, Emission]]:
        """Take several records: whole blocks are reduced, windows that are full are told."""
        return self._take(records, state)

    def _take(self, records: Sequence[Record], state: State) -> Sequence[tuple[int, Emission]]:
        values = [record.value for record in records]

        def add(start: int, stop: int) -> None:
            self._add(state, values[start:stop])

        times = [record.time for record in records]
        return self._windows.run(state.course, times, add, lambda time: self._close(state, time))

    def next_timer(self, state: State) -> int | None:
        """Ask for the end of a window in time."""
        return state.course.ends if state.course.ends >= 0 else None

    def on_timer(self, now: int, state: State) -> Sequence[Emission]:
        """Tell the windows that are over."""
        return self._windows.until(state.course, now, lambda time: self._close(state, time))

    def _add(self, state: State, values: Sequence[Any]) -> None:
        records = [list(record) for record in zip(*map(all_kept, columns(values, self._names)), strict=True)]
        while records:
            room = BLOCK - len(state.waiting)
            state.waiting += records[:room]
            records = records[room:]
            if len(state.waiting) == BLOCK:
                self._reduce(state)

    def _reduce(self, state: State) -> None:
        """Take the open block into the fields."""
        if not state.fields:
            state.fields = [FieldState() for _ in self._names]
        for name, field, values in zip(self._names, state.fields, zip(*state.waiting, strict=True), strict=False):
            if name in self._categorical:
                texts = [text for text in texts_of(values) if text is not None]
                field.missing += len(values) - len(texts)
                hashes = hashes_of_texts(texts)
            else:
                numbers, bad = numbers_of(values)
                unparsable = 0 if bad is None else int(bad.sum())
                numbers = numbers[~np.isnan(numbers)]
                field.unparsable += unparsable
                field.missing += len(values) - unparsable - numbers.size
                field.moments = merged(field.moments, moments_of(numbers))
                field.weighted = taken(field.weighted, numbers, self._half_life)
                hashes = hashes_of_numbers(numbers)
            field.new += 0 if field.many else unknown(hashes, field.known)
            field.values = smallest(field.values, hashes)
        state.waiting = []

    def _close(self, state: State, time: int) -> list[Metric]:
        """Tell the window of every field and begin the next one."""
        records = state.course.records
        self._reduce(state)
        emitted: list[Metric] = []
        for name, field in zip(self._names, state.fields, strict=True):
            emitted += _told(field, time, name, records, categorical=name in self._categorical)
            known = smallest(field.known, np.array(field.values, dtype=np.uint64))
            field.many = field.many or len(known) >= KEPT
            field.known = [] if field.many else known
            field.moments, field.values = Moments(), []
            field.missing = field.unparsable = field.new = 0
        return emitted


def _told(field: FieldState, time: int, name: str, records: int, *, categorical: bool) -> list[Metric]:
    """Make the metrics of one field; those of numbers where there are any."""
    told = [(MISSING, field.missing / records), (DISTINCT, estimate(field.values))]
    found = records - field.missing - field.unparsable
    if field.known and found:
        told.append((NEW, field.new / found))
    if not categorical:
        told.append((UNPARSABLE, field.unparsable / records))
    moments, weighted = field.moments, field.weighted
    if moments.count:
        told += [(MEAN, moments.mean), (VARIANCE, moments.variance)]
        told += [(MINIMUM, moments.minimum), (MAXIMUM, moments.maximum)]
        told += [(EWM_MEAN, weighted.mean), (EWM_VARIANCE, weighted.variance)]
    return [spec.at(time, value, field=name) for spec, value in told]
