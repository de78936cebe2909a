"""Calls the monitors of one pipeline: whose series a record is, one call after the other, failures kept apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from engine.batches import Batches
from engine.catalogue import AlertSpec
from engine.events import Message, Metric, Pair, Reason, Record, Reject
from engine.failures import told
from engine.monitor import Key
from engine.notices import SERIES_LIMIT, Notice
from engine.outcome import Counts
from engine.release import Release, checked
from engine.remembered import Remembered
from engine.reports import SensorReport
from engine.series import Cell, Route, Table, identity

_KNOWN: Final[Mapping[type, set[str]]] = {Metric: {"name", "tags"}, SensorReport: {"src", "tap"}}
"""Fields of which records with the same values take the same way."""


class Caller:
    """Brings records, metrics and timers to the monitors of one pipeline."""

    def __init__(self, remembered: Remembered, counts: Counts) -> None:
        """Prepare the ways to the monitors."""
        self.remembered = remembered
        self.counts = counts
        self._readers = [table for table in remembered.tables if table.reads_metrics]
        self._others = [table for table in remembered.tables if not table.reads_metrics]
        for table in remembered.tables:
            table.counts = counts
            table.plain = table.plain and not self._readers
        self.release = Release(counts, self._read if self._readers else None)
        self._batches = Batches()
        self.batched = any(table.batched for table in remembered.tables)
        """Whether any monitor takes records in batches, so that emissions come out of order."""
        self._ways: dict[type, tuple[list[Table], list[Table]]] = {}
        self._message: Message | None = None
        self._halves: Sequence[Message] = ()

    # --- records

    def _tables(self, kind: type) -> tuple[list[Table], list[Table]]:
        """Name the monitors that read a kind of value: those whose keys can be remembered, then the others."""
        found = self._ways.get(kind)
        if found is None:
            given = self._readers if kind is Metric else self._others
            tables = [table for table in given if issubclass(kind, table.monitor.reads)]
            known = _KNOWN.get(kind, {"src"})
            fixed = [table for table in tables if table.decided_by and known.issuperset(table.decided_by)]
            found = self._ways[kind] = (fixed, [table for table in tables if table not in fixed])
        return found

    def take(self, record: Record, message: Message, route: Route | None) -> None:
        """Bring a record to all monitors that want it."""
        self._message = message
        if route is None or route.partly or route.cells is None or message.headers:
            cells, signs = self._way(record, route, message.retried)
        else:
            cells, signs = route.cells, route.signs
        if not cells and not signs:
            self.counts.ignored += 1
        now, time = self.remembered.now or 0, record.time
        for cell in signs:
            if cell.silent is not None:  # it has to be called like those that read the record
                cells = sorted((*cells, cell), key=lambda cell: cell.table.index)
                continue
            if time > cell.seen:
                cell.seen = time
            cell.touched = now
            if not cell.dirty:
                cell.table.mark(cell)
        self._run(cells, record, message.offset)

    def _way(self, record: Record, route: Route | None, only: str | None) -> tuple[Sequence[Cell], Sequence[Cell]]:
        """Find the series of a record, those to which it is but a sign apart, and remember those that can be."""
        fixed, asked = self._tables(type(record.value))
        if only is not None:
            return self._cells([table for table in (*fixed, *asked) if table.name == only], record)[:2]
        if route is None or route.cells is None:
            cells, signs = self._find(route, fixed, record)
        else:
            cells, signs = route.cells, route.signs
        if asked:
            more, others, _ = self._cells(asked, record)
            cells, signs = [*cells, *more], [*signs, *others]
            if route is not None:
                route.partly = True
        return cells, signs

    def _run(self, cells: Sequence[Cell], record: Record | Pair, cause: int | None) -> None:
        """Call one monitor after the other; a failure of one is nothing to the others."""
        now = self.remembered.now or 0
        for cell in cells:
            table = cell.table
            if table.batched:
                self._wait(table, cell, record)
                continue
            try:
                emitted = table.on_record(record, cell.state)
                if emitted:
                    self.release.let(table, cell, emitted, cause)
            except Exception as error:  # noqa: BLE001 - whatever a plugin raises is a reject, never a stop
                self._spoiled(cell, error)
                continue
            if table.watched:
                self._seen(table, cell, record.time)
            cell.touched = now
            if not cell.dirty:
                cell.dirty = True
                table.dirty.append(cell)

    def _find(
        self, route: Route | None, tables: Sequence[Table], record: Record
    ) -> tuple[Sequence[Cell], Sequence[Cell]]:
        cells, signs, whole = self._cells(tables, record)
        if whole and route is not None:
            route.cells, route.signs = tuple(cells), tuple(signs)
            for cell in (*cells, *signs):
                if route not in cell.routes:
                    cell.routes.append(route)
        return cells, signs

    def _cells(self, tables: Iterable[Table], record: Record | Pair) -> tuple[list[Cell], list[Cell], bool]:
        """Ask monitors whose series a record is, and begin the series that are new; False where one refused."""
        cells: list[Cell] = []
        signs: list[Cell] = []
        whole = True
        for table in tables:
            try:
                key = table.key(record)
            except Exception as error:  # noqa: BLE001 - whatever a plugin raises is a reject, never a stop
                self.failed(table, error)
                whole = False
                continue
            if key is None:
                continue
            cell = table.cells.get(key) or self.begin(table, key)
            if cell is None:
                whole = False
            elif not isinstance(record.value, table.signs):
                cells.append(cell)
            elif cell.seen >= 0:
                signs.append(cell)
            else:
                whole = False
                cells.append(cell)
        return cells, signs, whole

    def begin(self, table: Table, key: Key) -> Cell | None:
        """Begin a series; where the monitor has as many as it may, the record is a reject and an alert fires."""
        now = self.remembered.now or 0
        cell = table.add(key, now)
        if cell is None:
            self.counts.series_refused += 1
            limit = table.attached.max_series
            self._reject("bound", f"expected at most {limit} series of {table.name}, got one more: {key!r}", table)
            self.notice(SERIES_LIMIT, table.name, f"{table.name} has {limit} series and refuses new ones")
            return None
        if not table.reads_metrics:
            self.remembered.tag(cell)
        table.mark(cell)
        self.remembered.timers.set(table.next_due(cell, now), table.index, key, cell)
        return cell

    def take_pair(self, table: Table, pair: Pair, halves: Sequence[Message], cause: int | None) -> None:
        """Bring a pair to its monitor; where it fails, both halves are rejects."""
        self._message, self._halves = None, halves
        self._run(self._cells((table,), pair)[0], pair, cause)
        self._halves = ()

    # --- records in batches

    def _wait(self, table: Table, cell: Cell, record: Any) -> None:
        """Keep a record for a monitor that takes several at once."""
        if self._message is not None:
            self._batches.add(cell, record, self._message)
            cell.touched = self.remembered.now or 0
            table.mark(cell)
            if table.monitor.silent_after is not None:
                self._seen(table, cell, record.time)
        if self._readers:
            self.flush()

    def flush(self) -> None:
        """Give waiting records to the monitors that take them in batches."""
        for cell, records, messages in self._batches.take():
            table = cell.table
            before = table.encoded(cell)
            try:
                pairs = [(messages[place], item) for place, item in table.monitor.on_batch(records, cell.state)]
                checked([emission for _, emission in pairs], table.names)
            except Exception:  # noqa: BLE001 - whatever a plugin raises: one by one shows which record it is
                cell.state = table.decode(before)
                self._one_by_one(cell, records, messages)
                continue
            for message, emission in pairs:
                self._message = message
                self.release.let(table, cell, (emission,), message.offset)
            self._seen(table, cell, max(record.time for record in records))

    def _one_by_one(self, cell: Cell, records: list[Record], messages: list[Message]) -> None:
        table = cell.table
        for record, message in zip(records, messages, strict=True):
            self._message = message
            try:
                self.release.let(table, cell, table.on_record(record, cell.state), message.offset)
            except Exception as error:  # noqa: BLE001 - whatever a plugin raises is a reject, never a stop
                self._spoiled(cell, error)
                continue
            self._seen(table, cell, record.time)

    def _seen(self, table: Table, cell: Cell, time: int) -> None:
        """Note when a series was seen: that may end a silence, or make its timer earlier."""
        seen = cell.seen
        if time > seen:
            cell.seen = time
        if not table.timed and seen >= 0 and cell.silent is None:
            return  # its silence only moves away, which is found out when it is due
        if cell.silent is not None and time > cell.silent:
            cell.silent = None
        self._watch(cell)

    def _watch(self, cell: Cell) -> None:
        due = cell.table.next_due(cell, self.remembered.now or 0)
        if due < cell.due:
            self.remembered.timers.set(due, cell.table.index, cell.key, cell)

    def _spoiled(self, cell: Cell, error: Exception) -> None:
        """Count a failure; should the monitor have changed the state all the same, a restart makes no difference."""
        self.failed(cell.table, error)
        cell.table.mark(cell)
        self._watch(cell)

    # --- metrics that monitors read

    def _read(self, table: Table, cell: Cell, name: Any, metric: Metric, cause: int | None) -> None:
        """Bring a metric to the monitors that read metrics, before the next emission."""
        if cell.readers is None:
            cell.readers = {}
        route = cell.readers.get(name)
        if route is None:
            route = cell.readers[name] = Route()
        cells: Sequence[Cell] | None = None if route.partly else route.cells
        source = ("", 0, 0) if self._message is None else (self._message.topic, self._message.partition, cause or 0)
        ident = identity(metric, table, cell) if cells is None else ()
        record = Record("metrics", "metrics", metric.time, None, ident, metric, False, source)
        if cells is None:
            cells, _ = self._way(record, route, None)
            for reader in cells:
                reader.tags = reader.table.borrowed(metric.tags)
        self._run(cells, record, cause)

    # --- time

    def expect(self, engines: Sequence[str], now: int) -> None:
        """Begin the series that monitors expect, as if seen at a stream time."""
        for table in self._others:
            for key in table.monitor.expects(engines):
                cell = table.cells.get(key) or self.begin(table, key)
                if cell is not None:
                    table.mark(cell)
                    self._seen(table, cell, now)

    def quiet(self) -> None:
        """Say that what follows is caused by time: a failure has no record that could be a reject."""
        self.flush()
        self._message = None

    # --- failures

    def failed(self, table: Table, error: Exception) -> None:
        """Count a failure; where a record is at hand it becomes a reject of that monitor."""
        self.counts.failed(table.name)
        self._reject("monitor", told(error), table)

    def _reject(self, reason: Reason, detail: str, table: Table) -> None:
        for message in self._halves if self._message is None else (self._message,):
            self.release.outcome.rejects.append(Reject(message, reason, detail, table.name))

    def notice(self, spec: AlertSpec, subject: str, summary: str, message: Message | None = None) -> None:
        """Fire an alert of the engine about itself; its cause is a message that no monitor has, or the one at hand."""
        notice = self.remembered.notices.set(spec, subject, self.remembered.now or 0, summary)
        if notice is not None:
            cause = message or self._message
            self.release.alert(notice.alert, None if cause is None else cause.offset)
            self.later(notice)

    def later(self, notice: Notice) -> None:
        """Set when the alert of a notice resolves."""
        self.remembered.timers.set(notice.until, -2, self.remembered.notices.key(notice), notice)
