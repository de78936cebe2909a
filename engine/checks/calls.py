"""What single calls of a monitor do: records left alone, what is emitted, failures, memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from engine.checks.declared import not_saved
from engine.checks.keys import is_key, offset_of, records_of
from engine.events import Emission, Pair, Record
from engine.monitor import Key, Monitor
from engine.testing.table import Line

ROUNDS: Final = 50
GROWTH: Final = 256
"""Bytes by which a state may grow from one half of many rounds to the other: numbers get longer."""
SPOILT: Final[tuple[Any, ...]] = (None, "text", True, -1, 1e300, [], {})
"""What may stand in a field in the place of what is expected there."""


def of_calls(monitor: Monitor, table: Sequence[Line]) -> Iterator[str]:
    """Call the monitor by hand, with every record many times."""
    calls = Calls(monitor)
    records = records_of(monitor, table)
    for record in records:
        yield from calls.first(record)
    yield from _of_memory(calls, records)
    for state in calls.states.values():
        if lost := not_saved(state):
            yield f"State: {lost}"
    for record in records_of(monitor, list(spoilt(table))):
        yield from calls.spoilt(record)


def _of_memory(calls: Calls, records: Sequence[Record | Pair]) -> Iterator[str]:
    sizes = []
    for _ in range(ROUNDS):
        for record in records:
            yield from calls.again(record)
        sizes.append(sum(len(encoded(state)) for state in calls.states.values()))
    if sizes[-1] > sizes[ROUNDS // 2] + GROWTH * max(1, len(calls.states)):
        yield f"State: grew from {sizes[ROUNDS // 2]} to {sizes[-1]} bytes over the same records; bound it by an option"


class Calls:
    """The states that a monitor has after some calls."""

    def __init__(self, monitor: Monitor) -> None:
        """Begin without states."""
        self.states: dict[Key, Any] = {}
        self._monitor = monitor
        self._specs = {spec.name: spec for spec in monitor.emits}

    def first(self, record: Record | Pair) -> Iterator[str]:
        """Call with a record, and look at everything that a call may do."""
        monitor, before = self._monitor, repr(record)
        key = monitor.key(record)
        if key is None:
            return
        state = self.states.setdefault(key, type(monitor).State())
        emitted = tuple(monitor.on_record(record, state))
        if emitted and monitor.signs and isinstance(record.value, monitor.signs):
            yield f"signs: {type(record.value).__name__} made {emitted[0].name}, though the series was not silent"
        if repr(record) != before:
            yield f"record {offset_of(record)}: on_record changed it; monitors read records and change nothing in them"
        for emission in emitted:
            yield from self._of_emission(emission)

    def _of_emission(self, emission: Emission) -> Iterator[str]:
        spec = self._specs[emission.name]
        if other := set(emission.tags or ()).difference(spec.tags):
            there = ", ".join(spec.tags) or "no tags"
            yield f"{emission.name}: the tag {min(other)} is not declared; its spec has {there}"

    def again(self, record: Record | Pair) -> Iterator[str]:
        """Call with a record that was there before."""
        key = self._monitor.key(record)
        if key is None:
            return
        try:
            tuple(self._monitor.on_record(record, self.states[key]))
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises
            yield f"record {offset_of(record)}: when it comes again: {type(error).__name__}: {error}"

    def spoilt(self, record: Record | Pair) -> Iterator[str]:
        """Call with a record on which it may well raise; then the state has to be what it was."""
        monitor, kind = self._monitor, type(self._monitor).State
        try:
            key = monitor.key(record)
        except Exception:  # noqa: BLE001 - a reject, and no state is at hand
            return
        if key is None or not is_key(key):
            return
        before = encoded(self.states.get(key, kind()))
        state = msgspec.msgpack.decode(before, type=kind)
        try:
            tuple(monitor.on_record(record, state))
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises
            if encoded(state) != before:
                what = f"{type(error).__name__}: {error}"
                yield f"on_record changed its state before it raised {what}; change the state last"


def encoded(state: Any) -> bytes:
    """Give the bytes that would be saved."""
    return msgspec.msgpack.encode(state)


def spoilt(table: Sequence[Line]) -> Iterator[Line]:
    """Give records with one field left out or spoilt: of the first and the last of each shape.

    With two inputs each is followed by a sound record of the other one.
    """
    others = {line[1]: line for line in table if isinstance(line, tuple) and len(line) > 2}  # noqa: PLR2004 - with a role
    shapes: dict[Any, list[tuple[Any, ...]]] = {}
    for line in table:
        if isinstance(line, tuple) and isinstance(line[-1], Mapping):
            shapes.setdefault((line[-1].get("type"), *line[-1]), []).append(line)
    for *before, record in [line for lines in shapes.values() for line in (lines[0], lines[-1])]:
        for name in record:
            rest = {other: value for other, value in record.items() if other != name}
            for changed in (rest, *({**rest, name: value} for value in SPOILT)):
                yield (*before, changed)
                yield from (line for role, line in others.items() if role not in before)
