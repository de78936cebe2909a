"""The states of one monitor: one cell a series, by key; bounded, forgotten, saved and restored."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from operator import index
from typing import Any, Final

import msgspec

from engine.catalogue import AlertSpec, MetricSpec
from engine.events import Alert, Metric, Tags
from engine.monitor import Key, Monitor, MonitorState
from engine.outcome import Counts
from engine.plan import METRICS, Attached
from engine.saved_series import SavedSeries, decode, encode, hashable

NEVER: Final = 1 << 62
"""A time after all times."""
NOTHING: Final[dict[Any, int]] = {}
"""Stands for an empty dict until something is put in; never changed."""


class Route:
    """The series that records of one kind go to: remembered so that `key` need not be asked again."""

    __slots__ = ("cells", "partly", "signs")

    def __init__(self) -> None:
        """Begin without series."""
        self.cells: tuple[Cell, ...] | None = None
        """Those whose monitors are called, in the order of the monitors; None where they have to be found."""
        self.signs: tuple[Cell, ...] = ()
        """Those to which such a record is but a sign of life."""
        self.partly = False
        """Whether there are monitors beside them that have to be asked for each record."""


class Cell:
    """One series: the monitor's state, and what the engine remembers beside it."""

    __slots__ = (
        "alerts",
        "dirty",
        "due",
        "gone",
        "held",
        "key",
        "last_name",
        "last_time",
        "others",
        "readers",
        "routes",
        "seen",
        "silent",
        "state",
        "table",
        "tags",
        "touched",
    )

    def __init__(self, table: Table, key: Key, state: Any, now: int) -> None:
        """Begin a series at a stream time."""
        self.table = table
        self.key = key
        self.state = state
        self.tags: Tags | None = None
        self.last_name = ""
        self.last_time = -1
        """Time of the last emission of the metric that was emitted first, which is often the only one."""
        self.others: dict[Any, int] = NOTHING
        """Time of the last emission of each other metric and alert."""
        self.alerts: dict[Any, Alert] | None = None
        """Firing alerts as they were emitted."""
        self.held: dict[Any, float] | None = None
        """Last values of metrics that hold."""
        self.seen = -1
        """Largest event time of its records."""
        self.touched = now
        """Stream time at its last record."""
        self.silent: int | None = None
        """Since when it is silent; a later record ends that."""
        self.due = NEVER
        """When its entry in the timers is due."""
        self.dirty = False
        self.gone = False
        self.routes: list[Route] = []
        """Where it is remembered."""
        self.readers: dict[Any, Route] | None = None
        """The ways of its metrics to the monitors that read metrics."""

    def later(self, name: Any, time: int) -> int:
        """Move the time of an emission until it is later than the last one of that name, and remember it."""
        if type(name) is str and self.last_name in (name, ""):
            self.last_name = name
            self.last_time = time = max(time, self.last_time + 1)
            return time
        if self.others is NOTHING:
            self.others = {}
        self.others[name] = time = max(time, self.others.get(name, -1) + 1)
        return time


class Table:
    """All series of one attached monitor in one pipeline."""

    def __init__(self, attached: Attached, place: int, workflow: str) -> None:
        """Prepare what is asked for each record, so that it is asked only once."""
        monitor = attached.monitor
        self.attached = attached
        self.name = attached.name
        self.index = place
        self.signs = monitor.signs
        self.decided_by = monitor.key_fields
        self.monitor = monitor
        self._static = {"workflow": workflow, "monitor": attached.name, **attached.tags}
        self.cells: dict[Key, Cell] = {}
        self.dirty: list[Cell] = []
        self.forgotten: list[Key] = []
        self.counts = Counts()
        self.fresh: list[Cell] = []
        """Series whose state was lost, because it could not be saved or no longer decodes, since that was last told."""
        self.on_record = monitor.on_record
        self.reads_metrics = METRICS in attached.sources
        self.timed = type(monitor).next_timer is not Monitor.next_timer
        self.batched = type(monitor).on_batch is not Monitor.on_batch and not self.reads_metrics and not monitor.inputs
        self.watched = self.timed or monitor.silent_after is not None
        """Whether its series have timers of their own, beside that of forgetting."""
        self.metrics = {spec.name: spec for spec in monitor.emits if isinstance(spec, MetricSpec)}
        self.alerts = {spec.name: spec for spec in monitor.emits if isinstance(spec, AlertSpec)}
        self.plain = not any(spec.holds for spec in self.metrics.values())
        """Whether its metrics go nowhere but out: none holds, and no monitor reads metrics."""
        self.names = frozenset(self.metrics) | frozenset(self.alerts)
        self.engine_at = monitor.series.index("engine") if "engine" in monitor.series else None
        self.decode = msgspec.msgpack.Decoder(type(monitor).State).decode

    def key(self, record: Any) -> Key | None:
        """Ask the monitor whose series a record is.

        Raises:
            TypeError: the monitor's answer is no key.
        """
        key = self.monitor.key(record)
        if key is None or (self.reads_metrics and key is record.key):
            return key
        if type(key) is not tuple or not self.fits(key):
            raise TypeError(f"key: expected a tuple of texts for {self.monitor.series}, got {key!r}")
        return key

    def fits(self, key: Key) -> bool:
        """Say whether a key has the parts that the monitor names."""
        whole = len(key) == len(self.monitor.series) or self.reads_metrics
        return whole and all(type(part) is str for part in key)

    def add(self, key: Key, now: int) -> Cell | None:
        """Begin a series; None when the bound is reached."""
        if len(self.cells) >= self.attached.max_series:
            return None
        cell = self.cells[key] = Cell(self, key, type(self.monitor).State(), now)
        return cell

    def mark(self, cell: Cell) -> None:
        """Note that a series has to be saved."""
        if not cell.dirty:
            cell.dirty = True
            self.dirty.append(cell)

    def tagged(self, key: Key, model: str | None) -> Tags:
        """Make the tags of a series."""
        tags = self._static.copy()
        if model is not None:
            tags["model"] = model
        tags.update(zip(self.monitor.series, key, strict=True))
        return Tags(tags)

    def borrowed(self, tags: Tags) -> Tags:
        """Make the tags of a series of metrics: those of the metric, and the static ones of the entry."""
        return Tags({**tags, **self.attached.tags}) if self.attached.tags else tags

    def next_due(self, cell: Cell, now: int) -> int:
        """Say when the engine has to look at a series again: timer, silence or forgetting."""
        due = self.wanted(cell) if self.timed else NEVER
        return min(due, self.silent_due(cell), self.forget_due(cell, now))

    def wanted(self, cell: Cell) -> int:
        """Ask when the monitor wants its timer; one that fails to say gets none, and that is counted."""
        try:
            wanted = self.monitor.next_timer(cell.state)
            return NEVER if wanted is None else index(wanted)
        except Exception:  # noqa: BLE001 - whatever a plugin raises is counted, never a stop
            self.counts.failed(self.name)
            return NEVER

    def silent_due(self, cell: Cell) -> int:
        """Say when a series becomes silent, unless it is already."""
        after = self.monitor.silent_after
        return NEVER if after is None or cell.silent is not None or cell.seen < 0 else cell.seen + after

    def forget_due(self, cell: Cell, now: int) -> int:
        """Say when a series may be forgotten; while an alert fires, it is asked again a whole time later."""
        after = self.attached.forget_after
        if after is None:
            return NEVER
        due = cell.touched + after
        if cell.alerts and due <= now:
            due += ((now - due) // max(after, 1) + 1) * max(after, 1)
        return due

    def forget(self, cell: Cell) -> None:
        """Drop a series and every memory of where it is."""
        del self.cells[cell.key]
        cell.gone = True
        cell.due = NEVER
        for route in cell.routes:
            route.cells = None
        self.forgotten.append(cell.key)

    def save(self) -> Iterable[tuple[Key, bytes | None]]:
        """Give what changed since the last call; None for a series that is gone."""
        for key in self.forgotten:
            if key not in self.cells:
                yield key, None
        self.forgotten = []
        dirty, self.dirty = self.dirty, []
        for cell in dirty:
            cell.dirty = False
            if not cell.gone:
                yield cell.key, self._written(cell)

    def encoded(self, cell: Cell) -> bytes:
        """Write the monitor's state of a series; one that cannot be written begins fresh, and that is counted."""
        try:
            return encode(cell.state)
        except Exception:  # noqa: BLE001 - whatever a plugin keeps
            cell.state = type(self.monitor).State()
            self.fresh.append(cell)
            return encode(cell.state)

    def _written(self, cell: Cell) -> bytes:
        try:
            return self._saved(cell, cell.state)
        except Exception:  # noqa: BLE001 - as in encoded
            self.encoded(cell)
            return self._saved(cell, None)  # which no state decodes from, so that a restart tells it too

    def _saved(self, cell: Cell, state: MonitorState | None) -> bytes:
        return encode(
            SavedSeries(
                state,
                cell.last_name,
                cell.last_time,
                [*cell.others.items()] if cell.others else (),
                cell.seen,
                cell.touched,
                cell.silent,
                [*cell.alerts.items()] if cell.alerts else (),
                [*cell.held.items()] if cell.held else (),
                cell.tags if self.reads_metrics else None,
            )
        )

    def restore(self, key: Key, data: bytes) -> bool:
        """Take a series as it was saved; False when nothing can be read. A state that does not decode begins fresh."""
        try:
            saved = decode(data)
        except msgspec.DecodeError:
            return False
        cell = self.cells[key] = Cell(self, key, None, saved.touched)
        try:
            cell.state = self.decode(saved.state)
        except msgspec.DecodeError:
            cell.state = type(self.monitor).State()
            self.fresh.append(cell)
            self.mark(cell)
        cell.last_name = sys.intern(saved.last_name)
        cell.last_time = saved.last_time
        cell.others = {hashable(name): time for name, time in saved.others} or NOTHING
        cell.seen = saved.seen
        cell.silent = saved.silent
        cell.alerts = {hashable(name): _tagged(alert) for name, alert in saved.alerts} or None
        cell.held = {hashable(name): value for name, value in saved.held} or None
        cell.tags = None if saved.tags is None else Tags(saved.tags)
        return True


def identity(metric: Metric, table: Table, cell: Cell) -> Key:
    """Name the series of a metric for the monitors that read metrics: name, monitor, key parts, extra tags."""
    key = (metric.name, table.name, *cell.key)
    own = cell.tags
    if metric.tags is own or own is None:
        return key
    return (*key, *(f"{name}={text}" for name, text in sorted(metric.tags.items()) if own.get(name) != text))


def _tagged(alert: Alert) -> Alert:
    alert.tags = Tags(alert.tags)
    return alert
