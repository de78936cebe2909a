"""What a workflow has saved, as people read it: series of each monitor, their sizes, and one series whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from engine import saved_series
from engine.plan import Attached, Plan
from engine.remembered import Watermark
from engine.times import time_text


class Saved(msgspec.Struct, frozen=True):
    """One record of a checkpoint."""

    partition: int
    group: str
    kind: str
    """series, engine, half, marks, watermark or tick."""
    parts: tuple[str, ...]
    """Of a series: the monitor's name, then its key."""
    data: bytes


class Held(msgspec.Struct, frozen=True):
    """What a monitor, or the engine itself, holds in one group and partition."""

    group: str
    partition: int
    what: str
    """The monitor's name; in brackets what the engine keeps beside the monitors."""
    records: int
    bytes: int
    largest: int
    """Bytes of the largest record."""


def read_states(records: Iterable[tuple[int, bytes, bytes]]) -> Iterator[Saved]:
    """Read records by their names: partition, name and data; what has another form is passed over."""
    for partition, name, data in records:
        try:
            group, kind, *parts = msgspec.json.decode(name, type=list[str])
        except (msgspec.DecodeError, ValueError):
            continue
        yield Saved(partition, group, kind, tuple(parts), data)


def held(states: Iterable[Saved]) -> list[Held]:
    """Sum up what is held, by group, partition and monitor."""
    sizes: dict[tuple[str, int, str], list[int]] = {}
    for one in states:
        what = one.parts[0] if one.kind == "series" and one.parts else f"({one.kind})"
        sizes.setdefault((one.group, one.partition, what), []).append(len(one.data))
    return [Held(*place, len(found), sum(found), max(found)) for place, found in sorted(sizes.items())]


def series_of(states: Iterable[Saved], monitor: str, key: tuple[str, ...]) -> list[Saved]:
    """Give the series of a monitor whose key begins with these parts, the largest first."""
    wanted = (monitor, *key)
    found = [one for one in states if one.kind == "series" and one.parts[: len(wanted)] == wanted]
    return sorted(found, key=lambda one: (-len(one.data), one.parts, one.partition))


def workflow_hashes(states: Iterable[Saved]) -> set[str]:
    """Give the hashes of the workflow files that watermarks were saved with."""
    marks = [one for one in states if one.kind == "watermark"]
    return {msgspec.msgpack.decode(one.data, type=Watermark).workflow_hash for one in marks}


def whole(plan: Plan, saved: Saved) -> dict[str, Any]:
    """Give one series in the words of its monitor; times as text.

    Raises:
        ValueError: it does not decode.
    """
    attached = next((one for one in plan.monitors if one.name == saved.parts[0]), None)
    try:
        found = saved_series.decode(saved.data)
        state = msgspec.msgpack.decode(found.state, type=Any if attached is None else type(attached.monitor).State)
    except msgspec.DecodeError as error:
        raise ValueError(f"{'/'.join(saved.parts)}: its state does not decode: {error}") from error
    key = saved.parts[1:]
    last = [*([(found.last_name, found.last_time)] if found.last_time >= 0 else []), *found.others]
    return {
        "group": saved.group,
        "partition": saved.partition,
        "monitor": saved.parts[0],
        "key": _named(attached, key),
        "bytes": len(saved.data),
        "state": msgspec.to_builtins(state, str_keys=True),
        "seen": _time(found.seen),
        "touched": _time(found.touched),
        "silent_since": _time(found.silent),
        "last_emissions": {_name(name): _time(time) for name, time in last},
        "firing": [_name(name) for name, _ in found.alerts],
    }


def _named(attached: Attached | None, key: tuple[str, ...]) -> dict[str, str] | list[str]:
    names = () if attached is None else attached.monitor.series
    return dict(zip(names, key, strict=True)) if len(names) == len(key) else list(key)


def _name(name: Any) -> str:
    return name if isinstance(name, str) else msgspec.json.encode(name).decode()


def _time(micros: int | None) -> str | None:
    return None if micros is None or micros < 0 else time_text(micros)
