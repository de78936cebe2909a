"""How good a model is, window by window, and whether it is worse than it was or has to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from pydantic import BeforeValidator, Field, model_validator

from engine.catalogue import AlertSpec, MetricSpec
from engine.events import Emission, Metric, Pair
from engine.monitor import Key, Monitor, MonitorState, PairOptions
from engine.times import DAY, Duration, Micros, duration_text
from monitors.stats.columns import text_of
from monitors.stats.confusion import class_in
from monitors.stats.errors import number_in
from monitors.stats.outcomes import Outcomes, bounded_in
from monitors.stats.standards import (
    CLASSIFICATION,
    KEPT,
    PREFIX,
    REGRESSION,
    Normal,
    Past,
    check_name,
    is_worse,
    read_reference,
)
from monitors.stats.windows import Course, read_windows


def _measure(
    name: str, text: str, *, unit: str = "ratio", tags: tuple[str, ...] = (), higher: bool = True
) -> MetricSpec:
    direction: Any = "higher is better" if higher else "lower is better"
    return MetricSpec(name=PREFIX + name, kind="gauge", unit=unit, help=text, direction=direction, tags=tags)


MEASURES: Final = (
    _measure("accuracy", "Share of the predictions of one window that named the true class."),
    _measure(
        "precision", "Share of the predictions of a class that were right; without class their mean.", tags=("class",)
    ),
    _measure(
        "recall", "Share of the truths of a class that were predicted; without class their mean.", tags=("class",)
    ),
    _measure("f1", "Harmonic mean of precision and recall of a class; without class their mean.", tags=("class",)),
    _measure("roc_auc", "Chance that a record of the positive class has a higher score than one of the others."),
    _measure("calibration_error", "Mean distance between scores and shares of the positive class.", higher=False),
    _measure("mae", "Mean absolute error over one window.", unit="unit of the field", higher=False),
    _measure("rmse", "Root of the mean squared error over one window.", unit="unit of the field", higher=False),
    _measure("r2", "Share of the variance of the truths of one window that the predictions explain."),
)
QUALITY_BIAS = MetricSpec(
    name="quality_bias",
    kind="gauge",
    unit="unit of the field",
    help="Mean error over one window, with its sign: prediction less truth.",
)
QUALITY_DROPPED = AlertSpec(
    name="QualityDropped",
    severity="critical",
    help="A measure of the model's quality is worse than it has to be, or than it was.",
    runbook="quality-dropped",
    tags=("measure",),
)
_SPECS: Final = {spec.name.removeprefix(PREFIX): spec for spec in (*MEASURES, QUALITY_BIAS)}
FEW: Final = 10
"""Windows from which on a reference says how much a measure varies by itself."""
WATCHED: Final[Mapping[str, tuple[str, ...]]] = {"classification": ("accuracy", "f1"), "regression": ("mae", "rmse")}

Text = Annotated[str, Field(min_length=1)]
Bound = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Names = Annotated[tuple[Text, ...], BeforeValidator(lambda given: tuple(given) if isinstance(given, list) else given)]
Class = Annotated[Text, BeforeValidator(text_of)]


class PredictionQuality(Monitor):
    """Measures the predictions of each window against their truths.

        pairs      |.......|.......|.......|.......|
        f1               0.94    0.93    0.88    0.94
        QualityDropped                   firing  resolved

    Only complete pairs count. A window of N pairs closes with its N-th, one in time at a multiple of its length since
    1970. What is kept of a window is counts and sums, and a bounded number of scores.
    """

    class Options(PairOptions):
        """What is predicted, in which windows it is measured, and what it is compared with."""

        task: Literal["classification", "regression"] = Field(description="Classes are predicted, or numbers.")
        prediction_field: Text = Field(
            "value", description="Field with the predicted class or number; `a.b` is b inside a."
        )
        truth_field: Text = Field("value", description="Field with the true class or number.")
        score_field: Text | None = Field(
            None, description="Field of the prediction with the score of the class `positive`, such as its probability."
        )
        positive: Class | None = Field(None, description="The class that a high score speaks for.")
        scores: int = Field(
            50_000,
            ge=100,
            le=100_000,
            description="Scores of a window that are kept; up to so many pairs roc_auc is exact.",
        )
        window: int | str = Field(1000, description="Length of a window: pairs such as `1000`, or a time such as `1h`.")
        least: int = Field(1, ge=1, description="Windows with fewer pairs change no alert.")
        limits: dict[Text, Bound] = Field(
            {}, description="By measure, such as `f1` or `recall.fraud`: what is worse fires the alert."
        )
        reference: Text | None = Field(
            None, description="File of emissions of windows that were good; relative to the workflow file."
        )
        deviations: Share = Field(
            3.0, description="With `reference`: worse by so many standard deviations of its windows fires the alert."
        )
        drop: Share | None = Field(
            None, description="Worse than the moving average by more than this share of it fires the alert."
        )
        average: Duration = Field(Micros(7 * DAY), gt=0, description="With `drop`: how far back the average goes.")
        watch: Names = Field(
            (),
            description="Measures that `reference` and `drop` look at; `[accuracy, f1]` or `[mae, rmse]` if left out.",
        )

        @model_validator(mode="after")
        def _fit_together(self) -> PredictionQuality.Options:
            windows, given = read_windows(self.window).window, self.model_fields_set
            if (self.score_field is None) != (self.positive is None):
                raise ValueError("expected score_field and positive together, or neither")
            if self.task == "regression" and self.score_field is not None:
                raise ValueError("score_field is for classification")
            if "deviations" in given and self.reference is None:
                raise ValueError("deviations needs reference")
            if "average" in given and self.drop is None:
                raise ValueError("average needs drop")
            if self.watch and self.reference is None and self.drop is None:
                raise ValueError("watch needs reference or drop; limits names its measures itself")
            if windows.records and self.least > windows.records:
                raise ValueError(f"least: expected at most the {windows.records} pairs of a window, got {self.least}")
            if self.drop is not None and windows.micros and self.average > KEPT * windows.micros:
                length = duration_text(self.average)
                raise ValueError(f"average {length} has more than {KEPT} windows of {windows}; expected longer windows")
            self._check_names()
            return self

        def _check_names(self) -> None:
            measures = CLASSIFICATION if self.task == "classification" else REGRESSION
            for name in (*self.limits, *self.watch):
                check_name(name, measures, scored=self.score_field is not None)
            if "bias" in self.watch:
                raise ValueError("bias has no side that is worse; watch mae, or give limits: {bias: ...}")

        @property
        def watched(self) -> tuple[str, ...]:
            """The measures that reference and drop look at."""
            compared = self.reference is not None or self.drop is not None
            return (self.watch or WATCHED[self.task]) if compared else ()

    class State(MonitorState):
        """The open window, the windows before it as far as they count, and what is dropped."""

        course: Course = msgspec.field(default_factory=Course)
        window: Outcomes = msgspec.field(default_factory=Outcomes)
        past: dict[str, Past] = msgspec.field(default_factory=dict)
        dropped: list[str] = msgspec.field(default_factory=list)
        """Measures whose alert fires."""

    scope = "stream"
    inputs = ("prediction", "truth")
    emits = (*MEASURES, QUALITY_BIAS, QUALITY_DROPPED)
    files = ("reference",)

    def __init__(self, options: Options) -> None:
        """Take the options; the reference comes with `take_file`."""
        super().__init__(options)
        self._options = options
        self._windows = read_windows(options.window)
        self._normal: dict[str, Normal] = {}

    def take_file(self, option: str, data: bytes) -> None:
        """Take the windows of the reference.

        Raises:
            ValueError: these are none, or a measure that is watched is not there.
        """
        del option
        self._normal = read_reference(data, self._options.watched)

    def doubts(self) -> Sequence[tuple[str, str]]:
        """Doubt a reference of few windows."""
        windows = min((one.windows for one in self._normal.values()), default=FEW)
        if windows >= FEW:
            return ()
        return (
            ("reference", f"it has {windows} windows; from {FEW} on it is known how much a measure varies by itself"),
        )

    def key(self, record: Pair) -> Key:
        """Put all pairs into one series."""
        del record
        return ()

    def on_record(self, record: Pair, state: State) -> Sequence[Emission]:
        """Take a pair into the open window, after the one that ended before it; halves alone do not count."""
        first, second = record.first, record.second
        if first is None or second is None:
            return self.on_timer(record.time, state)
        take = self._reader(first.value, second.value)
        emitted = self._windows.run(
            state.course, (record.time,), lambda *_: take(state.window), lambda time: self._close(state, time)
        )
        return [emission for _, emission in emitted]

    def _reader(self, prediction: Any, truth: Any) -> Callable[[Outcomes], None]:
        """Read a pair, and give what puts it into a window.

        Raises:
            ValueError: a field does not hold what the options say.
        """
        options = self._options
        if options.task == "regression":
            numbers = (
                bounded_in(prediction, options.prediction_field, "prediction"),
                bounded_in(truth, options.truth_field, "truth"),
            )
            return lambda window: window.add_numbers(*numbers)
        classes = (
            class_in(prediction, options.prediction_field, "prediction"),
            class_in(truth, options.truth_field, "truth"),
        )
        field = options.score_field
        score = None if field is None else number_in(prediction, field, "prediction")

        def take(window: Outcomes) -> None:
            window.confusion.add(*classes)
            if score is not None:
                window.add_score(score, positive=classes[1] == options.positive, most=options.scores)

        return take

    def next_timer(self, state: State) -> int | None:
        """Ask for the end of a window in time."""
        return state.course.ends if state.course.ends >= 0 else None

    def on_timer(self, now: int, state: State) -> Sequence[Emission]:
        """Close a window in time that is over."""
        return self._windows.until(state.course, now, lambda time: self._close(state, time))

    def _close(self, state: State, time: int) -> list[Emission]:
        """Tell the measures of the open window, and alerts where they change."""
        window, state.window = state.window, Outcomes()
        measures = dict(window.measures())
        emitted: list[Emission] = [_metric(name, value, time) for name, value in measures.items()]
        if window.count < self._options.least:
            return emitted
        for name in dict.fromkeys((*self._options.limits, *self._options.watched, *state.dropped)):
            if name in measures:
                emitted += self._judge(name, measures[name], time, state)
        if self._options.drop is not None:
            for name in self._options.watched:
                if name in measures:
                    state.past.setdefault(name, Past()).add(time, measures[name])
        return emitted

    def _judge(self, name: str, value: float, time: int, state: State) -> Sequence[Emission]:
        """Fire with the first window that is worse than one of the bounds, resolve with the first that is not."""
        bounds = self._bounds(name, time, state)
        broken = [f"{bound:.4g} ({kind})" for kind, bound in bounds.items() if is_worse(name, value, bound)]
        if bool(broken) == (name in state.dropped):
            return ()
        state.dropped = sorted({*state.dropped, name} if broken else {*state.dropped} - {name})
        worse = f"worse than {' and '.join(broken)}" if broken else "good enough again"
        summary = f"{name} is {value:.4g}, {worse}."
        return (QUALITY_DROPPED.set(time, bool(broken), value, summary, {"bounds": bounds}, measure=name),)

    def _bounds(self, name: str, time: int, state: State) -> dict[str, float]:
        """Give the values that must not be worse, by the option that they come from."""
        options, bounds = self._options, dict[str, float]()
        if name in options.limits:
            bounds["limits"] = options.limits[name]
        if name in self._normal:
            bounds["reference"] = self._normal[name].bound(name, options.deviations)
        past = state.past.get(name)
        if options.drop is not None and past is not None:
            past.forget(time - options.average)
            bound = past.bound(name, options.drop)
            if bound is not None:
                bounds["average"] = bound
        return bounds


def _metric(name: str, value: float, time: int) -> Metric:
    plain, dot, of_class = name.partition(".")
    return _SPECS[plain].at(time, value, **({"class": of_class} if dot else {}))
