"""A plan without a workflow file: some monitors on one stream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from engine.catalogue import MetricSpec
from engine.decoders import Decoder, StreamSettings
from engine.decoders.json import Json
from engine.decoders.sensors import Sensors
from engine.events import Metric, Record
from engine.monitor import Key, Monitor
from engine.plan import METRICS, Attached, Plan, Stream
from engine.reports import SensorMessage
from engine.times import DAY

DECODERS: Final[Mapping[str, type[Decoder]]] = {"sensors": Sensors, "json": Json}
STREAM: Final = "given"
"""Name of the one stream that `plan_of` makes, and of its topic."""
KEY: Final = "id"
"""Field by which `plan_of` joins the streams of a monitor with two inputs."""


class Told(Monitor):
    """Emits the metrics that a table holds, for the monitors that read metrics."""

    scope = "stream"
    reads = dict

    def __init__(self, names: Iterable[str]) -> None:
        """Declare the names that stand in the table."""
        super().__init__()
        self._specs = {name: _told(name) for name in sorted(names)}
        self.emits = tuple(self._specs.values())

    def key(self, record: Record) -> Key | None:
        """Take the records that stand for a metric."""
        return () if record.value.get("name") in self._specs else None

    def on_record(self, record: Record, state: object) -> tuple[Metric, ...]:
        """Emit the metric."""
        del state
        value = record.value
        return (self._specs[value["name"]].at(record.time, value["value"], **(value.get("tags") or {})),)


def _told(name: str) -> MetricSpec:
    kind: Any = "counter" if name.endswith("_total") else "gauge"
    return MetricSpec(name=name, kind=kind, unit="", help="A metric of another monitor.")


def plan_of(
    *monitors: Monitor | Attached,
    decode: str | Decoder | None = None,
    metrics: Iterable[str] = (),
    **parts: Any,
) -> Plan:
    """Attach monitors to one stream, or to the two that they join, as a workflow file would.

    The streams of monitors with two inputs have the names of these, and are joined by the field `id`.

    Args:
        monitors: each gets its name in snake case (numbered where two are alike), or is attached already.
        decode: `sensors`, `json` or a decoder; where it is left out, sensors for monitors that read their messages.
        metrics: names of metrics that stand in the table, for monitors that read metrics.
        parts: `engines`, `repeat` (microseconds) and `workflow` of the plan where they are wanted.

    >>> from monitors.health import Health
    >>> [attached.name for attached in plan_of(Health(), Health()).monitors]
    ['health', 'health_2']
    """
    decoder = _decoder(decode, monitors)
    name = decode if isinstance(decode, str) else type(decoder).__name__.lower()
    streams = {role: _stream(role, decoder, name) for role in _roles(monitors) or (STREAM,)}
    attached = _attached(monitors, next(iter(streams.values())))
    told = [Attached(name="told", use="told", monitor=Told(metrics), sources={STREAM: STREAM})] if metrics else []
    return Plan(workflow=parts.pop("workflow", "test"), streams=streams, monitors=(*told, *attached), **parts)


def _roles(monitors: Iterable[Monitor | Attached]) -> list[str]:
    return list(dict.fromkeys(role for one in monitors for role in _monitor(one).inputs))


def _stream(name: str, decoder: Decoder, decode: str) -> Stream:
    return Stream(name=name, topic=name, decoder=decoder, decode=decode, key=decoder.settings.key, ahead=None)


def _decoder(decode: str | Decoder | None, monitors: Iterable[Monitor | Attached]) -> Decoder:
    if isinstance(decode, Decoder):
        return decode
    if decode is None:
        decode = "sensors" if any(reads_sensors(one) for one in map(_monitor, monitors)) else "json"
    return DECODERS[decode](StreamSettings(key=(KEY,) if _roles(monitors) else ()))


def _monitor(given: Monitor | Attached) -> Monitor:
    return given.monitor if isinstance(given, Attached) else given


def reads_sensors(monitor: Monitor) -> bool:
    """Say whether a monitor reads messages of engines and nothing else."""
    kinds = monitor.reads if isinstance(monitor.reads, tuple) else (monitor.reads,)
    return all(issubclass(kind, SensorMessage) for kind in kinds)


def reads_metrics(monitor: Monitor) -> bool:
    """Say whether a monitor reads what other monitors emit."""
    return monitor.reads is Metric


def _attached(monitors: Iterable[Monitor | Attached], stream: Stream) -> list[Attached]:
    found: list[Attached] = []
    for one in monitors:
        if isinstance(one, Attached):
            found.append(one)
            continue
        use = _snake(type(one).__name__)
        same = sum(other.use == use for other in found)
        sources = one.inputs or (METRICS if reads_metrics(one) else stream.name,)
        scope = "stream" if one.inputs else one.scope_on(stream.decoder.key_fields)
        found.append(
            Attached(
                name=f"{use}_{same + 1}" if same else use,
                use=use,
                monitor=one,
                sources=dict(zip(sources, sources, strict=True)),
                forget_after=None if scope == "stream" else 7 * DAY,
                **_of_pairs(one),
            )
        )
    return found


def _of_pairs(monitor: Monitor) -> dict[str, Any]:
    return {name: getattr(monitor.options, name) for name in ("wait", "pending") if hasattr(monitor.options, name)}


def _snake(name: str) -> str:
    parts = [f"_{sign.lower()}" if sign.isupper() and place else sign.lower() for place, sign in enumerate(name)]
    return "".join(parts).strip("_")
