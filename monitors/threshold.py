"""Whether a number leaves its bounds, and for how long."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import inf, isfinite
from typing import Annotated, Final

import msgspec
from pydantic import BeforeValidator, Field, field_validator, model_validator

from engine.alert_state import Condition, ConditionState, Transition
from engine.catalogue import AlertSpec, Severity
from engine.events import Alert, Metric, Record, tag_text
from engine.monitor import Key, Monitor, MonitorOptions, Scope
from engine.times import MINUTE, Duration, Micros, OptionalDuration

VALUE_OUT_OF_BOUNDS = AlertSpec(
    name="ValueOutOfBounds",
    severity="warning",
    help="A number is outside the bounds that the workflow sets for it.",
    runbook="value-out-of-bounds",
)
TAKEN_TAGS: Final = frozenset({"time", "value", "alert", "severity", "workflow", "monitor"})
_IN_BRACES: Final = re.compile(r"\{(value|field|metric|limit)\}")


def _as_names(given: object) -> object:
    return (given,) if isinstance(given, str) else tuple(given) if isinstance(given, list) else given


Text = Annotated[str, Field(min_length=1)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Names = Annotated[tuple[Text, ...], BeforeValidator(_as_names)]


class Threshold(Monitor):
    """Fires an alert while a number is out of bounds, of records (`field`) or of another monitor (`metric`).

        number     . . x x . . x x x x x x . .
        bound      ---------------------------
        pending        |--|    |<-for->|
        firing                         |---|

    Without `every` each number is looked at, at its own time; with it only those that a grid of times sees.
    """

    class Options(MonitorOptions):
        """Which number, which bounds, for how long, and what the alert says."""

        field: Text | None = Field(None, description="Field of the records that holds the number; `a.b` is b inside a.")
        metric: Text | None = Field(None, description="Name of the metric that is the number, with `from: metrics`.")
        above: Number | None = Field(None, description="Out of bounds when larger than this.")
        below: Number | None = Field(None, description="Out of bounds when smaller than this.")
        outside: tuple[Number, Number] | None = Field(
            None, description="Out of bounds when smaller than the first or larger than the second."
        )
        inclusive: bool = Field(False, description="Whether a bound itself is out of bounds.")
        for_: Duration = Field(Micros(0), alias="for", description="How long it has to last before the alert fires.")
        keep_firing_for: Duration = Field(Micros(0), description="How long the alert fires on after it has ended.")
        stale_after: OptionalDuration = Field(
            Micros(5 * MINUTE),
            description="How long a number counts when no other comes; of a metric that holds, `off`.",
        )
        every: OptionalDuration = Field(
            None,
            description="Look only at a grid of times this far apart, from the first number on; off: at each number.",
        )
        by: Names = Field((), description="Fields of the records; each of their values is a series of its own.")
        alert: Text = Field(VALUE_OUT_OF_BOUNDS.name, description="Name of the alert.")
        severity: Severity = Field(VALUE_OUT_OF_BOUNDS.severity, description="How bad it is.")
        summary: Text | None = Field(
            None, description="Text of the alert; {value}, {limit} and {field} or {metric} are filled in."
        )
        runbook: Text = Field(VALUE_OUT_OF_BOUNDS.runbook, description="Page that says what to do.")

        @field_validator("outside")
        @classmethod
        def _in_order(cls, given: tuple[float, float] | None) -> tuple[float, float] | None:
            if given is not None and given[0] > given[1]:
                raise ValueError(f"expected [low, high], got {given[0]:g} above {given[1]:g}")
            return given

        @field_validator("every")
        @classmethod
        def _moves_on(cls, given: int | None) -> int | None:
            if given == 0:
                raise ValueError('expected a duration above 0, or "off" to look at each number')
            return given

        @field_validator("by")
        @classmethod
        def _are_tags(cls, given: tuple[str, ...]) -> tuple[str, ...]:
            taken = sorted(TAKEN_TAGS.intersection(given))
            if taken:
                raise ValueError(f"the field {taken[0]} cannot become a tag: the engine has one of that name")
            if len(set(given)) < len(given):
                raise ValueError("expected each field once")
            return given

        @model_validator(mode="after")
        def _fit_together(self) -> Threshold.Options:
            _exactly_one(field=self.field, metric=self.metric)
            _exactly_one(above=self.above, below=self.below, outside=self.outside)
            if self.by and self.metric is not None:
                raise ValueError("by goes with field, not with metric: the series of a metric are those of its monitor")
            self.spec()
            return self

        def spec(self) -> AlertSpec:
            """Declare the alert.

            Raises:
                ValueError: its name or runbook is not of the form that the catalogue asks for.
            """
            return AlertSpec(
                name=self.alert, severity=self.severity, help=VALUE_OUT_OF_BOUNDS.help, runbook=self.runbook
            )

    class State(ConditionState, gc=False):
        """What the condition of one series remembers."""

    scope: Scope = "stream"
    emits = (VALUE_OUT_OF_BOUNDS,)

    def __init__(self, options: Options) -> None:
        """Take the options; what is emitted and read depends on them."""
        super().__init__(options)
        self._options = options
        self._alert = options.spec()
        self._bounds = Bounds(options)
        self._name = options.field or options.metric or ""
        self.emits = (self._alert,)
        self.series = options.by
        if options.metric is not None:
            self.scope = "key"
            self.reads = Metric
            self.key_fields = ("name", "tags")
        self.metric_holds = False

    @property
    def metric_holds(self) -> bool:
        """Whether the metric holds its value, set by who knows the metric; `stale_after` is then off unless given."""
        return self._holds

    @metric_holds.setter
    def metric_holds(self, holds: bool) -> None:
        options = self._options
        self._holds = holds
        self._condition = Condition(
            for_=options.for_,
            keep_firing_for=options.keep_firing_for,
            stale_after=None if holds and "stale_after" not in options.model_fields_set else options.stale_after,
            every=options.every,
        )

    def scope_on(self, key_fields: Sequence[str]) -> Scope:
        """Follow the key where `by` names just the fields that key the stream."""
        return "key" if self._options.by and set(self._options.by) == set(key_fields) else self.scope

    def key(self, record: Record) -> Key | None:
        """Name the series of a record with the number; one without it, or without a field of `by`, is not for us."""
        if self._read(record) is None:
            return None
        if self._options.metric is not None:
            return record.key  # type: ignore[no-any-return]  # the engine made it
        return _texts(record.value, self.series)

    def _read(self, record: Record) -> float | None:
        if self._options.metric is None:
            return _number(_find(record.value, self._name))
        metric = record.value
        return metric.value if metric.name == self._name else None

    def on_record(self, record: Record, state: State) -> Sequence[Alert]:
        """Look at a number, after what was due before it."""
        value = self._read(record)
        if value is None:
            return ()
        changes = self._condition.sample(state, record.time, true=self._bounds.are_left(value), value=value)
        return self._alerts(changes) if changes else ()

    def next_timer(self, state: State) -> int | None:
        """Ask for the time at which something changes though no number comes."""
        return self._condition.next_timer(state)

    def on_timer(self, now: int, state: State) -> Sequence[Alert]:
        """Fire or resolve because time has passed."""
        return self._alerts(self._condition.on_timer(state, now))

    def _alerts(self, changes: Sequence[Transition]) -> Sequence[Alert]:
        return [self._told(change) for change in changes]

    def _told(self, change: Transition) -> Alert:
        limit = self._bounds.limit
        evidence = {"since": change.since / 1e6, "limit": limit, "last": change.value}
        return self._alert.set(change.time, change.firing, change.value, self._summary(change), evidence)

    def _summary(self, change: Transition) -> str:
        bounds, name = self._bounds, self._name
        value = bounds.show(change.value)
        if self._options.summary is not None:
            filled = {"value": value, "field": name, "metric": name, "limit": bounds.text}
            return _IN_BRACES.sub(lambda found: filled[found[1]], self._options.summary)
        if change.silent:
            return f"{name} was last {value}, and then nothing came"
        return f"{name} is {value}, {'' if change.firing else 'no longer '}{bounds.words}"


class Bounds:
    """What a number is compared with, and how that reads."""

    __slots__ = ("_high", "_inclusive", "_low", "limit", "text", "words")

    def __init__(self, options: Threshold.Options) -> None:
        self._low, self._high = options.outside or (-inf, inf)
        self._inclusive = options.inclusive
        word = "outside"
        if options.above is not None:
            self._high, word = options.above, "above"
        elif options.below is not None:
            self._low, word = options.below, "below"
        ends = [end for end in (self._low, self._high) if isfinite(end)]
        self.limit: float | list[float] = ends if options.outside else ends[0]
        self.text = " to ".join(map(_plain, ends))
        self.words = f"{'at or ' if options.inclusive else ''}{word} {self.text}"

    def are_left(self, value: float) -> bool:
        """Say whether a number is out of bounds."""
        if self._inclusive:
            return value >= self._high or value <= self._low
        return value > self._high or value < self._low

    def show(self, value: float) -> str:
        """Write a number with six digits; whole ones, and where six would be on the other side of a bound, with all."""
        short = float(f"{value:.6g}")
        whole = value.is_integer() or self.are_left(short) != self.are_left(value)
        return _plain(value if whole else short)


def _plain(value: float) -> str:
    return repr(value).removesuffix(".0")


def _exactly_one(**given: object) -> None:
    found = [name for name, value in given.items() if value is not None]
    if len(found) != 1:
        *first, last = given
        got = " and ".join(found) or "none"
        raise ValueError(f"expected exactly one of {', '.join(first)} and {last}, got {got}")


def _find(value: object, name: str) -> object:
    """Look a field up by its name, or by a path of names with dots; None where it is missing."""
    found = _step(value, name)
    if found is not None or "." not in name:
        return found
    first, _, rest = name.partition(".")
    return _find(_step(value, first), rest)


def _texts(value: object, names: Sequence[str]) -> Key | None:
    """Give the texts of fields; None where one is missing, or neither text nor number."""
    found = [_find(value, name) for name in names]
    return tuple(map(tag_text, found)) if all(isinstance(part, (str, int, float)) for part in found) else None


def _step(value: object, name: str) -> object:
    if isinstance(value, (dict, Mapping)):  # a dict is recognised ten times as fast
        return value.get(name)
    return getattr(value, name, None) if isinstance(value, msgspec.Struct) else None


def _number(value: object) -> float | None:
    """Give a number; None for what is none: text, true and false, NaN, infinities, whole numbers beyond floats."""
    if type(value) is float:
        return value if isfinite(value) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) else None
