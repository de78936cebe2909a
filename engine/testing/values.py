"""Records as a test writes them: what engines send, and metrics for monitors that read metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from engine.decoders import StreamSettings
from engine.decoders.sensors import Sensors
from engine.events import Message, Metric
from engine.plan import Stream
from engine.times import SECOND, time_text

_UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1}


def report(src: str, tap: str, data: float | Sequence[float], **fields: Any) -> dict[str, Any]:
    """Write what one sensor of an engine read; its time is that of the line it stands in.

    Args:
        src: the engine's id.
        tap: where the sensor reads, such as `manifold.0.records.count`.
        data: the reading, or several.
        fields: `delta_time` and `id` where the report has them, `timestamp` where it is not the line's time.

    >>> report("e1", "sys.memory", 2e9)
    {'type': 'sensor-report', 'src': 'e1', 'tap': 'sys.memory', 'data': 2000000000.0}
    """
    return {"type": "sensor-report", "src": src, "tap": tap, "data": data, **fields}


def state(src: str, word: str, **fields: Any) -> dict[str, Any]:
    """Write that an engine says in which state it is.

    >>> state("e1", "running")
    {'type': 'engine-state', 'src': 'e1', 'state': 'running'}
    """
    return {"type": "engine-state", "src": src, "state": word, **fields}


def config(src: str, model: str, **fields: Any) -> dict[str, Any]:
    """Write that an engine has loaded a model.

    >>> config("e1", "lstm")
    {'type': 'engine-config', 'src': 'e1', 'item': 'model', 'op': 'add', 'ref': 'lstm'}
    """
    return {"type": "engine-config", "src": src, "item": "model", "op": "add", "ref": model, **fields}


def metric(name: str, value: float, /, **tags: str) -> Metric:
    """Write a metric of another monitor, for a monitor that reads metrics; its time is that of its line."""
    return Metric(name, 0, value, tags)


def message(stream: str, offset: int, value: Any, *, time: int | None = None, **parts: Any) -> Message:
    """Make a message.

    Args:
        stream: the topic; that of a plan made by `plan_of` has the name of its stream.
        offset: its place on the partition.
        value: bytes as they are, None for a tombstone, anything else as JSON.
        time: message time in microseconds; None where nothing tells.
        parts: `partition`, `key` (bytes) and `headers` where they are not 0, None and none.

    >>> message("input", 3, {"a": 1}).value
    b'{"a":1}'
    """
    data = value if value is None or isinstance(value, bytes) else msgspec.json.encode(value)
    key, headers = parts.get("key"), tuple(parts.get("headers", ()))
    return Message(stream, parts.get("partition", 0), offset, time, key, data, headers)


def stamped(value: Any, stream: Stream, time: int) -> Any:
    """Give a record its event time where its decoder wants one in a field, and the record does not say it itself."""
    if not isinstance(value, Mapping):
        return value
    if isinstance(stream.decoder, Sensors):
        return {"timestamp": time_text(time), **value}
    settings: StreamSettings = stream.decoder.settings
    if settings.time is None or settings.time in value or "." in settings.time:
        return value
    return {settings.time: _in_unit(time, settings.unit), **value}


def _in_unit(time: int, unit: str) -> float:
    if unit == "ns":
        return time * 1_000
    return time // _UNITS[unit] if time % _UNITS[unit] == 0 else time * 1.0 / _UNITS[unit]


def micros(seconds: float) -> int:
    """Give seconds, as people write them in a table, in microseconds."""
    return round(seconds * SECOND)
