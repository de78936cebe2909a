"""Streams that drift in a known place and way, and streams that do not, for judging detectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Fields = Mapping[str, NDArray[Any]]
Draw = Callable[[np.random.Generator, Numbers], Fields]
"""Draws records: one for each amount of drift, from 0 (none) to 1 (all of it)."""

WINDOW: Final = 500
"""Records."""
BEFORE: Final = 20
"""Windows without drift before it."""
DURING: Final = 10
"""Windows that drift lasts, where a scenario does not say otherwise."""
AFTER: Final = 10
SEASON: Final = WINDOW // 5
"""Records of a season; a window has whole ones."""


class Scenario(NamedTuple):
    """A kind of stream."""

    name: str
    told: str
    """What drifts, for a person."""
    draw: Draw
    drifting: str = "value"
    """The field that drifts; empty where none does."""
    lasts: int = DURING
    """Windows."""
    gradual: bool = False

    def amounts(self, start: int) -> Numbers:
        """Give the amount of drift of each record of a stream in which it starts at this one."""
        amounts = np.zeros((BEFORE + DURING + AFTER) * WINDOW)
        if self.drifting:
            count = self.lasts * WINDOW
            amounts[start : start + count] = np.linspace(0, 1, count) if self.gradual else 1
        return amounts


def _moved(draw: Callable[[np.random.Generator, int], Numbers], by: float) -> Draw:
    """Move what is drawn by so much where there is drift."""
    return lambda generator, amounts: {"value": draw(generator, amounts.size) + by * amounts}


def _normal(generator: np.random.Generator, count: int) -> Numbers:
    return generator.normal(size=count)


def _tailed(generator: np.random.Generator, count: int) -> Numbers:
    return generator.standard_t(2, size=count)


def _several(generator: np.random.Generator, amounts: Numbers) -> Fields:
    return {f"f{n}": generator.normal(size=amounts.size) for n in range(5)}


def _wider(generator: np.random.Generator, amounts: Numbers) -> Fields:
    return {"value": generator.normal(size=amounts.size) * (1 + 0.25 * amounts)}


def _missing(generator: np.random.Generator, amounts: Numbers) -> Fields:
    lost = generator.random(amounts.size) < 0.01 + 0.03 * amounts
    return {"value": np.where(lost, np.nan, generator.normal(size=amounts.size))}


def _category(generator: np.random.Generator, amounts: Numbers) -> Fields:
    known = generator.choice(np.array(["a", "b", "c"]), p=[0.7, 0.28, 0.02], size=amounts.size)
    return {"value": np.where(generator.random(amounts.size) < 0.01 * amounts, "d", known)}


def _season(generator: np.random.Generator, amounts: Numbers) -> Fields:
    wave = 2 * np.sin(2 * np.pi * np.arange(amounts.size) / SEASON)
    return {"value": wave + generator.normal(size=amounts.size)}


def _discrete(generator: np.random.Generator, amounts: Numbers) -> Fields:
    return {"value": generator.poisson(3 + 0.4 * amounts)}


def _correlated(generator: np.random.Generator, amounts: Numbers) -> Fields:
    shared = generator.normal(size=amounts.size)
    fields = {f"f{n}": 0.95 * shared + 0.3 * generator.normal(size=amounts.size) for n in range(10)}
    return {**fields, "f3": fields["f3"] + 0.3 * amounts}


SCENARIOS: Final = (
    Scenario("stable", "nothing; five normal fields", _several, drifting=""),
    Scenario("step", "the mean of a normal field, at once, by 0.25 standard deviations", _moved(_normal, 0.25)),
    Scenario("gradual", "the mean, evenly over ten windows, by 1 standard deviation", _moved(_normal, 1), gradual=True),
    Scenario("pulse", "the mean, by 0.5 standard deviations for two windows", _moved(_normal, 0.5), lasts=2),
    Scenario("variance", "the standard deviation, by 25 %", _wider),
    Scenario("missing", "missing values, from 1 % to 4 %", _missing),
    Scenario("new category", "1 % of the records have a value that the reference does not know", _category),
    Scenario("seasonal", "nothing; a wave, of which a window has five", _season, drifting=""),
    Scenario("heavy tails", "the median of a t distribution with 2 degrees of freedom, by 0.4", _moved(_tailed, 0.4)),
    Scenario("discrete", "the mean of Poisson counts, from 3 to 3.4", _discrete),
    Scenario("correlated", "one of ten fields that share most of their variance, by 0.3", _correlated, drifting="f3"),
)


def records_of(fields: Fields) -> list[dict[str, Any]]:
    """Give the records that columns make."""
    columns = [column.tolist() for column in fields.values()]
    return [dict(zip(fields, values, strict=True)) for values in zip(*columns, strict=True)]
