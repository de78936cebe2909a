"""What a monitor says of its series: keys that stay, fields that decide them, and the scope."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from engine.events import Message, Metric, Pair, Record
from engine.monitor import Key, Monitor
from engine.testing.feeding import as_plan
from engine.testing.plans import reads_metrics
from engine.testing.table import Line, steps_of


def of_keys(monitor: Monitor, table: Sequence[Line]) -> Iterator[str]:
    """Ask for the key of every record, twice."""
    decoder = next(iter(as_plan(monitor, table).streams.values())).decoder
    keyed = not monitor.inputs and monitor.scope_on(decoder.key_fields) == "key"
    decided: dict[Any, Key | None] = {}
    owners: dict[Key, str] = {}
    for record in records_of(monitor, table):
        try:
            key, again = monitor.key(record), monitor.key(record)
        except Exception:  # noqa: BLE001, S112 - a reject, which a run tells
            continue
        if again != key:
            yield f"key: the same record had the keys {key!r} and {again!r}"
        elif key is not None and not is_key(key):
            yield f"key: expected a tuple of texts, got {key!r}"
        elif key is not None:
            yield from _decided(monitor, record, key, decided)
            if keyed and isinstance(record.key, str) and (owner := owners.setdefault(key, record.key)) != record.key:
                yield f'scope: {key!r} is the series of {owner!r} and of {record.key!r}; say scope = "stream"'


def _decided(monitor: Monitor, record: Record | Pair, key: Key, decided: dict[Any, Key | None]) -> Iterator[str]:
    if not monitor.key_fields:
        return
    values = tuple(str(getattr(record.value, name, None)) for name in monitor.key_fields)
    known = decided.setdefault((type(record.value), values), key)
    if known != key:
        yield f"key_fields: {values!r} has the keys {known!r} and {key!r}"


def is_key(key: object) -> bool:
    """Say whether something can be a key."""
    return isinstance(key, tuple) and all(type(part) is str for part in key)


def records_of(monitor: Monitor, table: Sequence[Line]) -> Sequence[Record | Pair]:
    """Give the records of a table that the monitor reads, as the engine would; as pairs where it has two inputs."""
    records = list(_records_of(monitor, table))
    return list(_pairs_of(monitor, records)) if monitor.inputs else records


def _pairs_of(monitor: Monitor, records: Sequence[Record]) -> Iterator[Pair]:
    """Put records together by their place on the two streams, and let each be alone too."""
    sides = [[record for record in records if record.stream == role] for role in monitor.inputs]
    for first, second in zip(*sides, strict=False):
        yield Pair(first.key or "", max(first.time, second.time), first, second)
        yield Pair(first.key or "", first.time, first, None)
        yield Pair(second.key or "", second.time, None, second)


def offset_of(record: Record | Pair) -> int:
    """Give the offset of a record; of a pair that of its first half that is there."""
    found = record if isinstance(record, Record) else record.first or record.second
    return -1 if found is None else found.source[2]


def _records_of(monitor: Monitor, table: Sequence[Line]) -> Iterator[Record]:
    plan = as_plan(monitor, table)
    for step in steps_of(plan, table):
        stream, message = step if isinstance(step, tuple) else ("", step)
        if not isinstance(message, Message):
            continue
        decoded = plan.streams[stream].decoder.decode_all([message])[0]
        if not isinstance(decoded, tuple):
            continue
        time, key, value = decoded
        time = time if time is not None else message.time or 0
        if reads_metrics(monitor):
            value = Metric(value["name"], time, value["value"], dict(value["tags"] or {}))
            key = (value.name, "told")  # type: ignore[assignment]  # of metrics the key is a tuple
        if isinstance(value, monitor.reads):
            source = (message.topic, message.partition, message.offset)
            yield Record(stream, stream, time, message.time, key, value, False, source)
