"""Lengths of windows, in records or in time, and budgets of false alarms per length."""

from __future__ import annotations

import re
from math import sqrt
from typing import Final

import msgspec

from engine.times import duration_text, parse_duration

MOST: Final = 0.2
"""Alerts a window and field that a budget may allow; above it every window could be one."""
OF_RECORDS: Final = "1 per 1000000 records"
OF_TIME: Final = "1 per 30d"
"""Budgets where none is given: for windows in records, and in time."""
_RECORDS: Final = re.compile(r"([1-9]\d{0,14})(?:\s+records?)?", re.ASCII)
_BUDGET: Final = re.compile(r"(\d+(?:\.\d+)?)\s+per\s+(\S.*)", re.ASCII)


class Extent(msgspec.Struct, frozen=True):
    """A length in records or in microseconds; the other is 0."""

    records: int = 0
    micros: int = 0

    def over(self, step: Extent) -> float:
        """Say how often a step goes into it; both are in records or both in time."""
        return self.records / step.records if step.records else self.micros / step.micros

    def times(self, count: int) -> Extent:
        """Give so many of it, one after the other."""
        return Extent(self.records * count, self.micros * count)

    def __str__(self) -> str:
        """Write it as in a workflow file."""
        return f"{self.records} records" if self.records else duration_text(self.micros)


class Budget(msgspec.Struct, frozen=True):
    """So many false alarms are acceptable in such a length."""

    alerts: float
    per: Extent


def read_extent(given: object) -> Extent:
    """Read a number of records or a duration with its unit.

    Raises:
        ValueError: it is neither, or nothing.

    >>> read_extent(1000), read_extent("1h")
    (Extent(records=1000, micros=0), Extent(records=0, micros=3600000000))
    """
    found = None if isinstance(given, bool) else _RECORDS.fullmatch(str(given).strip())
    if found is not None:
        return Extent(records=int(found[1]))
    try:
        micros = parse_duration(given) if isinstance(given, str) else 0
    except ValueError:
        micros = 0
    if micros <= 0:
        raise ValueError(f"expected a number of records such as 1000, or a duration such as 1h, got {given!r}")
    return Extent(micros=micros)


def read_budget(text: str) -> Budget:
    """Read a budget.

    Raises:
        ValueError: it has another form, or allows nothing.

    >>> read_budget("1 per 1000000 records")
    Budget(alerts=1.0, per=Extent(records=1000000, micros=0))
    """
    found = _BUDGET.fullmatch(text.strip())
    if found is None or not float(found[1]):
        raise ValueError(f"expected a budget such as 1 per 30d, or 1 per 1000000 records, got {text!r}")
    return Budget(float(found[1]), read_extent(found[2]))


def budget_of(text: str | None, step: Extent) -> Budget:
    """Read a budget, or take the default for windows that are this far from each other.

    Raises:
        ValueError: as `read_budget`.

    >>> str(budget_of(None, read_extent("1h")).per)
    '30d'
    """
    return read_budget((OF_RECORDS if step.records else OF_TIME) if text is None else text)


def chance(budget: Budget, fields: int, step: Extent) -> float:
    """Give the p-value below which a window of a field is drifted.

    An alert begins at a drifted window after one that is not, so with independent windows p (1 - p) are expected a
    window; that times the windows in the budget's length is the field's share.

    Raises:
        ValueError: budget and windows are not both in records or both in time, or it allows too much.

    >>> round(chance(read_budget("1 per 1000000 records"), 10, Extent(records=1000)), 9)
    0.00010001
    """
    if bool(budget.per.records) != bool(step.records):
        raise ValueError(
            f"false_alarms per {budget.per} and windows of {step}: expected both in records or both in time, "
            f"as in {OF_RECORDS if step.records else OF_TIME}"
        )
    share = budget.alerts / max(1, fields) / budget.per.over(step)
    if share > MOST:
        told = f"{budget.alerts:g} per {budget.per}"
        raise ValueError(f"false_alarms, {told}, allows {share:.2g} alerts a window and field; expected at most {MOST}")
    return (1 - sqrt(1 - 4 * share)) / 2
