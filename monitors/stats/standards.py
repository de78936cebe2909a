"""What a measure of quality has to reach: a fixed limit, the windows of a reference, its own past."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from math import isfinite, sqrt
from typing import Any, Final

import msgspec

CLASSIFICATION: Final = ("accuracy", "precision", "recall", "f1", "roc_auc", "calibration_error")
REGRESSION: Final = ("mae", "rmse", "r2", "bias")
BY_CLASS: Final = frozenset({"precision", "recall", "f1"})
"""Measures that there are of each class too, as in `recall.fraud`."""
SCORED: Final = frozenset({"roc_auc", "calibration_error"})
"""Measures that need scores."""
ERRORS: Final = frozenset({"calibration_error", "mae", "rmse", "bias"})
"""Measures that are better the nearer to 0; of all others more is better."""
PREFIX: Final = "quality_"
KEPT: Final = 1_000
"""Windows of the past that are kept."""
KNOWN: Final = 5
"""Windows from which on their mean is one to compare with."""


def name_of(metric: str, tags: Mapping[str, str]) -> str:
    """Give the name of a measure as options have it.

    >>> name_of("quality_recall", {"class": "fraud"})
    'recall.fraud'
    """
    name = metric.removeprefix(PREFIX)
    return f"{name}.{tags['class']}" if "class" in tags else name


def check_name(name: str, measures: Collection[str], *, scored: bool) -> None:
    """Refuse what is no measure.

    Raises:
        ValueError: it is not among the measures, is of a class though it has none, or needs scores that are not there.
    """
    plain, dot, of_class = name.partition(".")
    if plain not in measures:
        raise ValueError(f"unknown measure {name}; expected one of {', '.join(measures)}")
    if dot and (plain not in BY_CLASS or not of_class):
        raise ValueError(f"{name}: only {', '.join(sorted(BY_CLASS))} are known of a class, such as recall.fraud")
    if plain in SCORED and not scored:
        raise ValueError(f"{name} needs score_field and positive")


def is_worse(name: str, value: float, bound: float) -> bool:
    """Say whether a measure is worse than a bound; exactly at the bound it is not.

    >>> is_worse("f1.a", 0.8, 0.9), is_worse("mae", 3.0, 3.0), is_worse("bias", -2.0, 1.0)
    (True, False, True)
    """
    return abs(value) > bound if name in ERRORS else value < bound


class Normal(msgspec.Struct, frozen=True):
    """Mean and standard deviation (divisor: the number of windows) of a measure over the windows of a reference."""

    windows: int
    mean: float
    deviation: float

    def bound(self, name: str, deviations: float) -> float:
        """Give the value that lies so many deviations from the mean, on the side that is worse."""
        return self.mean + deviations * self.deviation * (1 if name in ERRORS else -1)


def read_reference(data: bytes, wanted: Sequence[str]) -> dict[str, Normal]:
    """Read the windows of a reference from emissions, one a line, as `manometer replay` writes them.

    Raises:
        ValueError: a line is no emission, they come from several monitors, or a measure has fewer than two windows.
    """
    found: dict[str, list[float]] = {}
    sources: set[str] = set()
    for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        metric = _metric(line, number) if line.strip() else None
        if metric is not None and metric.name.startswith(PREFIX):
            found.setdefault(name_of(metric.name, metric.tags), []).append(metric.value)
            sources.add(metric.tags.get("monitor", ""))
    if len(sources) > 1:
        raise ValueError(f"expected the windows of one monitor, got those of {', '.join(sorted(sources))}")
    for name in wanted:
        if len(found.get(name, ())) < 2:  # noqa: PLR2004 - one value has no spread
            there = ", ".join(sorted(name for name, values in found.items() if len(values) > 1)) or "none"
            raise ValueError(f"expected at least two windows with {PREFIX}{name}; those with so many: {there}")
    return {name: _normal(found[name]) for name in wanted}


class _Metric(msgspec.Struct):
    name: str
    value: float
    tags: dict[str, str] = {}


def _metric(line: str, number: int) -> _Metric | None:
    try:
        given: Any = json.loads(line)
        return msgspec.convert(given, _Metric) if given["type"] == "metric" else None
    except (ValueError, TypeError, KeyError, RecursionError, msgspec.ValidationError):
        shown = f"got {line[:60]!r}"
        raise ValueError(f"line {number}: expected an emission, as manometer replay writes it, {shown}") from None


def _normal(values: Sequence[float]) -> Normal:
    mean = sum(values) / len(values)
    return Normal(len(values), mean, sqrt(sum((value - mean) ** 2 for value in values) / len(values)))


class Past(msgspec.Struct):
    """Values of a measure in the windows before, as far back as they count.

    >>> some = Past()
    >>> for day in range(9):
    ...     some.add(day, 10.0 + day)
    >>> some.forget(2)
    >>> some.bound("mae", 0.1)
    16.5
    """

    ended: list[int] = []
    """When they ended."""
    values: list[float] = []

    def forget(self, since: int) -> None:
        """Let go what ended before."""
        while self.ended and self.ended[0] < since:
            del self.ended[0], self.values[0]

    def add(self, ended: int, value: float) -> None:
        """Take one more window; the oldest goes where there are too many."""
        self.ended.append(ended)
        self.values.append(value)
        if len(self.ended) > KEPT:
            del self.ended[0], self.values[0]

    def bound(self, name: str, drop: float) -> float | None:
        """Give the value that is worse than their mean by a share of it; None while there are too few to say.

        None too where the mean is below 0, as that of r2 may be: a share of it says nothing.
        """
        if len(self.values) < KNOWN:
            return None
        mean = sum(self.values) / len(self.values)
        if mean < 0 or not isfinite(mean):
            return None
        return mean * (1 + drop if name in ERRORS else 1 - drop)
