"""Whether what a model predicts is what then happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from pydantic import BeforeValidator, Field, model_validator

from engine.catalogue import AlertSpec, MetricSpec
from engine.events import Emission, Pair
from engine.monitor import Key, Monitor, MonitorState, PairOptions
from engine.times import HOUR, Duration, Micros, duration_text
from monitors.stats.errors import Errors, number_in
from monitors.stats.moments import Moments, merged

LOWER: Final = "lower is better"
NEITHER: Final = "neither"


def _error(name: str, text: str, direction: Literal["lower is better", "neither"] = NEITHER) -> MetricSpec:
    return MetricSpec(name=name, kind="gauge", unit="unit of the field", help=text, direction=direction)


PREDICTION_ERROR = _error("prediction_error", "Prediction less truth, of each pair of the two.")
PREDICTION_BIAS = _error("prediction_bias", "Mean of the errors of one window, with their signs.")
PREDICTION_MAE = _error("prediction_mae", "Mean of the absolute errors of one window.", LOWER)
PREDICTION_RMSE = _error("prediction_rmse", "Root of the mean squared error of one window.", LOWER)
PREDICTION_MATCH_RATIO = MetricSpec(
    name="prediction_match_ratio",
    kind="gauge",
    unit="ratio",
    direction="higher is better",
    zones=(0.95, 0.8),
    help="Share of the predictions of one window that met their truth.",
)
TRUTH_LAG = MetricSpec(
    name="label_lag_seconds",
    kind="gauge",
    unit="seconds",
    direction=LOWER,
    help="Time from a prediction to its truth, mean over the pairs of one window.",
)
PREDICTIONS_UNMATCHED = MetricSpec(
    name="predictions_unmatched_total",
    kind="counter",
    unit="predictions",
    help="Predictions for which no truth came within `wait`.",
)
TRUTHS_UNMATCHED = MetricSpec(
    name="truths_unmatched_total", kind="counter", unit="truths", help="Truths that no prediction was made for in time."
)
PREDICTION_DIVERGED = AlertSpec(
    name="PredictionDiverged",
    severity="critical",
    help="Predictions are further from the truth than the workflow allows.",
    runbook="prediction-diverged",
)
TRUTHS_MISSING = AlertSpec(
    name="LabelsMissing",
    severity="warning",
    help="Predictions come and no truth does, so nobody knows whether they are right.",
    runbook="labels-missing",
)
KNOWN_AFTER: Final = 30
"""Errors from which on their spread is known well enough for `sigma`: to about 13 %."""
LIMIT: Final = 1e150
"""The squares of errors as large as this would leave the floats."""


def _or_off(given: object) -> object:
    return None if given == "off" else given


Bound = Annotated[float, Field(ge=0, allow_inf_nan=False)] | None


class PredictionDivergence(Monitor):
    """Compares each prediction with its truth, once both are there.

        prediction   p1    p2        p3
        truth            t1     t2          (none within wait)
        emitted          e1     e2               LabelsMissing

    A pair diverges when its error is over all the bounds that are given. Windows are windows of the pairs' times and
    begin at whole multiples of their length since 1970.
    """

    class Options(PairOptions):
        """Which fields, which bounds, and how often they may be crossed."""

        prediction_field: str = Field(
            "value", min_length=1, description="Field with the predicted number; `a.b` is b inside a."
        )
        truth_field: str = Field("value", min_length=1, description="Field with the true number.")
        threshold: Bound = Field(None, description="Diverges when the absolute error is above this.")
        relative: Bound = Field(None, description="Diverges when the absolute error is above this share of the truth.")
        sigma: Bound = Field(
            None, description="Diverges when the error is so many standard deviations from the mean of those before."
        )
        consecutive: int = Field(1, ge=1, description="So many pairs in a row must diverge before the alert fires.")
        share: Annotated[Annotated[float, Field(ge=0, lt=1)] | None, BeforeValidator(_or_off)] = Field(
            None, description="Instead: the alert fires after a window in which a larger share of the pairs diverges."
        )
        window: Duration = Field(Micros(HOUR), gt=0, description="Length of the windows over which means are told.")

        @model_validator(mode="after")
        def _fit_together(self) -> PredictionDivergence.Options:
            if self.share is not None and "consecutive" in self.model_fields_set:
                raise ValueError(
                    "expected consecutive, which looks at pairs in a row, or share, which looks at windows"
                )
            if not self.bounds and self.model_fields_set & {"share", "consecutive"}:
                raise ValueError("expected threshold, relative or sigma too: without one no pair diverges")
            return self

        @property
        def bounds(self) -> dict[str, float]:
            """The bounds that are given."""
            names = ("threshold", "relative", "sigma")
            return {name: bound for name in names if (bound := getattr(self, name)) is not None}

    class State(MonitorState):
        """The open window, and what lasts longer."""

        ends: int = -1
        """When the open window ends; -1 where none is open."""
        window: Errors = msgspec.field(default_factory=Errors)
        """The errors of its pairs."""
        diverged: int = 0
        alone: int = 0
        """Its predictions without truth."""
        lag: int = 0
        """Sum of its lags in microseconds."""
        predictions_unmatched: int = 0
        truths_unmatched: int = 0
        streak: int = 0
        """Pairs that diverge, up to the newest."""
        firing: bool = False
        known: Moments = msgspec.field(default_factory=Moments)
        """Of the errors that did not diverge."""
        met: int = -1
        """Time of the newest pair."""
        missing: bool = False

    scope = "stream"
    inputs = ("prediction", "truth")
    emits = (
        PREDICTION_ERROR,
        PREDICTION_BIAS,
        PREDICTION_MAE,
        PREDICTION_RMSE,
        PREDICTION_MATCH_RATIO,
        TRUTH_LAG,
        PREDICTIONS_UNMATCHED,
        TRUTHS_UNMATCHED,
        PREDICTION_DIVERGED,
        TRUTHS_MISSING,
    )

    def __init__(self, options: Options | None = None) -> None:
        """Take the options."""
        self._options = options or self.Options()
        super().__init__(self._options)
        self._bounds = self._options.bounds

    def key(self, record: Pair) -> Key:
        """Put all pairs into one series."""
        del record
        return ()

    def on_record(self, record: Pair, state: State) -> Sequence[Emission]:
        """Take a pair, or a half that waited in vain, after the window that ended before it."""
        numbers = self._numbers(record)
        emitted = self.on_timer(record.time, state)
        if state.ends < 0:
            window = self._options.window
            state.ends = record.time // window * window + window
        if numbers is not None:
            emitted += self._met(record, *numbers, state)
        elif record.first is not None:
            emitted += self._alone(record, state)
        else:
            state.truths_unmatched += 1
        return emitted

    def _numbers(self, pair: Pair) -> tuple[float, float] | None:
        """Give prediction and truth of a pair; None for a half.

        Raises:
            ValueError: a field holds no number, or the two are so far apart that nothing can be computed.
        """
        if pair.first is None or pair.second is None:
            return None
        prediction = number_in(pair.first.value, self._options.prediction_field, "prediction")
        truth = number_in(pair.second.value, self._options.truth_field, "truth")
        if abs(prediction - truth) >= LIMIT:
            raise ValueError(f"expected prediction and truth less than {LIMIT:g} apart, got {prediction} and {truth}")
        return prediction, truth

    def _met(self, pair: Pair, prediction: float, truth: float, state: State) -> list[Emission]:
        error = prediction - truth
        diverged = bool(self._bounds) and self._diverges(error, truth, state.known)
        state.window.add(error)
        state.lag += pair.second.time - pair.first.time if pair.first and pair.second else 0
        state.diverged += diverged
        state.streak = state.streak + 1 if diverged else 0
        if not diverged:
            state.known = merged(state.known, Moments(1, error, 0.0, error, error))
        emitted: list[Emission] = [PREDICTION_ERROR.at(pair.time, error)]
        if self._options.share is None:
            emitted += self._judge(pair, prediction, truth, state)
        if state.missing:
            emitted.append(_truths_again(pair.time, state))
        state.met = pair.time
        return emitted

    def _diverges(self, error: float, truth: float, known: Moments) -> bool:
        """Say whether an error is over all the bounds that are given; over `sigma` only once the spread is known."""
        size, bounds = abs(error), self._bounds
        if "threshold" in bounds and size <= bounds["threshold"]:
            return False
        if "relative" in bounds and size <= bounds["relative"] * abs(truth):
            return False
        if "sigma" not in bounds:
            return True
        return known.count >= KNOWN_AFTER and abs(error - known.mean) > bounds["sigma"] * known.deviation

    def _judge(self, pair: Pair, prediction: float, truth: float, state: State) -> Sequence[Emission]:
        """Fire with the last of so many pairs in a row that diverge; resolve with the first that does not."""
        firing = state.streak >= self._options.consecutive
        if firing == state.firing:
            return ()
        state.firing = firing
        error = prediction - truth
        word = "diverges" if firing else "is right again"
        summary = f"The prediction {word}: {prediction:g} where the truth is {truth:g}."
        evidence: dict[str, Any] = {"key": pair.key, "prediction": prediction, "truth": truth, "error": error}
        return (PREDICTION_DIVERGED.set(pair.time, firing, abs(error), summary, {**evidence, **self._bounds}),)

    def _alone(self, pair: Pair, state: State) -> Sequence[Emission]:
        """Count a prediction without truth; where no pair came out since it was made, nothing is compared any more."""
        state.alone += 1
        state.predictions_unmatched += 1
        wait = self._options.wait
        if state.missing or state.met > pair.time - wait:
            return ()
        state.missing = True
        summary = f"No prediction has met its truth for {duration_text(wait)}."
        evidence = {"key": pair.key, "newest_pair": state.met / 1e6 if state.met >= 0 else None}
        return (TRUTHS_MISSING.set(pair.time, True, wait / 1e6, summary, evidence),)

    def next_timer(self, state: State) -> int | None:
        """Ask for the end of the open window."""
        return state.ends if state.ends >= 0 else None

    def on_timer(self, now: int, state: State) -> list[Emission]:
        """Tell the open window once it has ended."""
        if not 0 <= state.ends <= now:
            return []
        emitted = [*_told(state), *self._judge_window(state)]
        state.ends = -1
        state.window = Errors()
        state.alone = state.diverged = state.lag = 0
        return emitted

    def _judge_window(self, state: State) -> Sequence[Emission]:
        share, pairs = self._options.share, state.window.count
        if share is None or not pairs:
            return ()
        found = state.diverged / pairs
        summary = f"Of {pairs} predictions {state.diverged} diverged."
        return (PREDICTION_DIVERGED.set(state.ends, found > share, found, summary, {"share": share, **self._bounds}),)


def _told(state: PredictionDivergence.State) -> list[Emission]:
    ended, window = state.ends, state.window
    told: list[Emission] = []
    if window.count:
        told += [
            PREDICTION_BIAS.at(ended, window.bias),
            PREDICTION_MAE.at(ended, window.absolute),
            PREDICTION_RMSE.at(ended, window.root_mean_square),
            TRUTH_LAG.at(ended, state.lag / window.count / 1e6),
        ]
    if window.count + state.alone:
        told.append(PREDICTION_MATCH_RATIO.at(ended, window.count / (window.count + state.alone)))
    told.append(PREDICTIONS_UNMATCHED.at(ended, state.predictions_unmatched))
    told.append(TRUTHS_UNMATCHED.at(ended, state.truths_unmatched))
    return told


def _truths_again(time: int, state: PredictionDivergence.State) -> Emission:
    """End what began when truths were missing; its value is how long no pair came, where there was one before."""
    state.missing = False
    waited = (time - state.met) / 1e6 if state.met >= 0 else None
    return TRUTHS_MISSING.set(time, False, waited, "Predictions meet their truth again.")
