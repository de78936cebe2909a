"""Fires what is due in stream time: timers of monitors, silences, forgetting, the end of the engine's own alerts."""

from __future__ import annotations

from typing import Any

from engine.caller import Caller
from engine.engines import Engine
from engine.notices import Notice
from engine.series import Cell, Table


class Firing:
    """Acts on the timers of one pipeline."""

    def __init__(self, caller: Caller) -> None:
        """Act through the same caller as the records do."""
        self._caller = caller
        self._remembered = caller.remembered

    def until(self, time: int, cause: int | None) -> None:
        """Fire what is due by a stream time, in the order of (time, monitor, series).

        A timer that raises, or that does not move on, is tried again when stream time moves again.
        """
        self._caller.quiet()
        remembered = self._remembered
        stuck: list[tuple[int, Cell]] = []
        while (entry := remembered.timers.pop(time)) is not None:
            due, owner = entry
            remembered.now = due if remembered.now is None else max(remembered.now, due)
            if isinstance(owner, Cell):
                if not self._series(owner, due, cause):
                    stuck.append((due, owner))
            elif isinstance(owner, Notice):
                self._notice(owner, due, cause)
            elif isinstance(owner, Engine):
                remembered.forget_engine(owner)
        for due, cell in stuck:
            remembered.timers.set(cell.table.next_due(cell, due), cell.table.index, cell.key, cell)

    def _notice(self, notice: Notice, due: int, cause: int | None) -> None:
        if notice.until > due:
            self._caller.later(notice)
        else:
            self._caller.release.alert(self._remembered.notices.end(notice), cause)

    def _series(self, cell: Cell, due: int, cause: int | None) -> bool:
        """Do the one thing that is due for a series; False where its timer does not move on."""
        table = cell.table
        monitor = table.monitor
        if table.timed and table.wanted(cell) <= due:
            if not self._call(table, cell, monitor.on_timer, due, cause):
                return False
            after = table.wanted(cell)
            if after <= due:
                self._caller.failed(table, RuntimeError(f"next_timer stays at {after} after on_timer at {due}"))
                return False
        elif table.silent_due(cell) <= due:
            cell.silent = due
            table.mark(cell)
            self._call(table, cell, monitor.on_silent, due, cause)
        elif not cell.alerts and table.forget_due(cell, due - 1) <= due:
            self._caller.release.forget(cell)
            table.forget(cell)
            return True
        self._remembered.timers.set(table.next_due(cell, due), table.index, cell.key, cell)
        return True

    def _call(self, table: Table, cell: Cell, method: Any, due: int, cause: int | None) -> bool:
        table.mark(cell)
        try:
            self._caller.release.let(table, cell, method(due, cell.state), cause)
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises is counted, never a stop
            self._caller.failed(table, error)
            return False
        return True
