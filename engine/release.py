"""The way out of a monitor: tags are added, times made to increase, unchanged alerts held back, numbers checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from math import isfinite
from operator import index
from typing import Any

from engine.events import Alert, Emission, Metric, Tags, bounded_evidence
from engine.outcome import Counts, Outcome
from engine.saved_series import encode
from engine.series import Cell, Table

Reader = Callable[[Table, Cell, Any, Metric, "int | None"], None]


class Undeclared(Exception):  # noqa: N818 - it names what was emitted
    """A monitor emitted something that its `emits` does not declare."""

    def __init__(self, name: str, names: frozenset[str]) -> None:
        """Say what it was and what would have been allowed."""
        super().__init__(f"{name} is not in emits, which has {', '.join(sorted(names)) or 'nothing'}")


def checked(emitted: Iterable[Emission], names: frozenset[str]) -> tuple[Emission, ...]:
    """Run a monitor's call to its end and check what it gave.

    Raises:
        Undeclared: one of the emissions is not in the monitor's `emits`.
        TypeError: a value is no number, or a time no whole number.
    """
    items = tuple(emitted)
    for item in items:
        if item.name not in names:
            raise Undeclared(item.name, names)
        if type(item.value) is not float or type(item.time) is not int:
            item.time = index(item.time)
            item.value = None if item.value is None and type(item) is Alert else float(item.value)  # type: ignore[arg-type]  # None raises, as it should
    return items


class Release:
    """Lets the emissions of one pipeline out."""

    def __init__(self, counts: Counts, read: Reader | None) -> None:
        """Prepare; `read` is called with each metric, before the next emission, where a monitor reads metrics."""
        self.counts = counts
        self.outcome = Outcome()
        self.firing: dict[tuple[int, Any, Any], Alert] = {}
        self.held: dict[tuple[int, Any, Any], Cell] = {}
        self._read = read

    def take(self) -> Outcome:
        """Give what has come together and begin anew."""
        outcome, self.outcome = self.outcome, Outcome()
        self.counts.emissions += len(outcome.emissions)
        return outcome

    def let(self, table: Table, cell: Cell, emitted: Iterable[Emission], cause: int | None) -> None:
        """Let out what a call for a series gave: all of it, or nothing where it raises or was not declared.

        Raises:
            Exception: whatever the monitor raises while it emits; Undeclared.
        """
        outcome = self.outcome
        if table.plain and type(emitted) is tuple and len(emitted) == 1:
            item = emitted[0]
            if type(item) is Metric and item.tags is None and type(item.value) is float and type(item.time) is int:
                time, name = item.time, item.name
                known = name is cell.last_name
                last = cell.last_time if known else cell.others.get(name)
                if last is not None and isfinite(item.value) and name in table.metrics:
                    item.tags = cell.tags
                    if time <= last:
                        item.time = time = last + 1
                    if known:
                        cell.last_time = time
                    else:
                        cell.others[name] = time
                    outcome.emissions.append(item)
                    outcome.causes.append(cause)
                    return
        for item in checked(emitted, table.names):
            if type(item) is Metric:
                self._metric(table, cell, item, cause)
            elif self._changed(table, cell, item):  # type: ignore[arg-type]  # the other member of the union
                outcome.emissions.append(item)
                outcome.causes.append(cause)

    def _metric(self, table: Table, cell: Cell, metric: Metric, cause: int | None) -> None:
        """Complete a metric, keep its value where it holds, and show it to the monitors that read metrics."""
        if not isfinite(metric.value):
            self.counts.not_finite += 1
            return
        name: Any = metric.name
        if metric.tags is None:
            metric.tags = cell.tags
        else:
            name = (name, *sorted(metric.tags.items()))
            metric.tags = Tags({**(cell.tags or {}), **metric.tags})
        metric.time = cell.later(name, metric.time)
        self.outcome.emissions.append(metric)
        self.outcome.causes.append(cause)
        if table.metrics[metric.name].holds:
            self._hold(table, cell, name, metric.value)
        if self._read is not None:
            self._read(table, cell, name, metric, cause)

    def alert(self, alert: Alert, cause: int | None) -> None:
        """Let out an alert that is complete."""
        self.outcome.emissions.append(alert)
        self.outcome.causes.append(cause)

    def _hold(self, table: Table, cell: Cell, name: Any, value: float) -> None:
        if cell.held is None:
            cell.held = {}
        cell.held[name] = value
        self.held[table.index, cell.key, name] = cell

    def _changed(self, table: Table, cell: Cell, alert: Alert) -> bool:
        """Complete an alert and say whether it changes anything."""
        extra = alert.tags
        name = ("!", alert.name, *sorted(extra.items())) if extra else ("!", alert.name)
        known = cell.alerts.get(name) if cell.alerts else None
        if alert.firing == (known is not None):
            return False
        if alert.value is not None and not isfinite(alert.value):
            alert.value = None
        alert.evidence = _written(alert.evidence) if alert.evidence else None
        alert.summary = str(alert.summary).encode("utf-8", "replace").decode()  # half a surrogate pair is no text
        alert.time = cell.later(name, alert.time)
        if known is not None:
            alert.tags = known.tags
            self._resolve(table, cell, name)
            return True
        alert.tags = Tags({**(cell.tags or {}), **extra}) if extra else cell.tags
        cell.alerts = {**(cell.alerts or {}), name: alert}
        self.firing[table.index, cell.key, name] = alert
        return True

    def _resolve(self, table: Table, cell: Cell, name: Any) -> None:
        cell.alerts = {other: alert for other, alert in (cell.alerts or {}).items() if other != name} or None
        del self.firing[table.index, cell.key, name]

    def repeat(self, time: int, cause: int | None, own: Iterable[Alert]) -> None:
        """Emit firing alerts (`own` are the engine's) and held values again, in an order that no restart changes.

        One that fires since this very time was told just now: a second time it would take the place of the change, as
        stores keep one of a name, tags and time.
        """
        outcome = self.outcome
        for alert in (*own, *(alert for _, alert in sorted(self.firing.items(), key=_order))):
            if alert.time >= time:
                continue
            again = Alert(
                alert.name,
                time,
                firing=True,
                severity=alert.severity,
                value=alert.value,
                summary=alert.summary,
                runbook=alert.runbook,
                tags=alert.tags,
                evidence=alert.evidence,
                repeat=True,
            )
            outcome.emissions.append(again)
            outcome.causes.append(cause)
        for (_, _, name), cell in sorted(self.held.items(), key=_order):
            outcome.emissions.append(_again(cell, name, time))
            outcome.causes.append(cause)

    def adopt(self, cell: Cell) -> None:
        """Take what a restored series has firing and held."""
        for name, alert in (cell.alerts or {}).items():
            self.firing[cell.table.index, cell.key, name] = alert
        for name in cell.held or {}:
            self.held[cell.table.index, cell.key, name] = cell

    def close(self, cell: Cell, time: int) -> None:
        """Resolve what a series has firing: its monitor no longer knows of it."""
        for name, alert in tuple((cell.alerts or {}).items()):
            ended = copy(alert)
            ended.time, ended.firing = cell.later(name, time), False
            ended.summary = "It is not known any more whether this still holds: the state of the series was lost."
            self._resolve(cell.table, cell, name)
            self.alert(ended, None)

    def forget(self, cell: Cell) -> None:
        """Let go of what a dropped series held."""
        for name in cell.held or {}:
            self.held.pop((cell.table.index, cell.key, name), None)


def _order(entry: tuple[tuple[int, Any, Any], Any]) -> tuple[int, Any, str]:
    table, key, name = entry[0]
    return table, key, name if isinstance(name, str) else repr(name)


def _again(cell: Cell, name: Any, time: int) -> Metric:
    value = (cell.held or {})[name]
    if isinstance(name, str):
        return Metric(name, time, value, cell.tags, repeat=True)
    return Metric(name[0], time, value, Tags({**(cell.tags or {}), **dict(name[1:])}), repeat=True)


def _written(evidence: dict[str, Any]) -> dict[str, Any] | None:
    """Give evidence that can be saved, and every sink can write: as it is, or a note of what is wrong with it."""
    try:
        written = dict(bounded_evidence(evidence)) or None
        encode(written)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        return {"omitted": f"it cannot be written: {error}"}
    return written
