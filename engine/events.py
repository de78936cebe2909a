"""What travels: messages in, records inside, metrics, alerts and rejects out; and how emissions look on the wire."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

TAG_LENGTH: Final = 200
EVIDENCE_BYTES: Final = 16_384
MESSAGE_BYTES: Final = 1_048_576
"""A longer message is a reject, reason `bound`; it is also Kafka's default limit."""

Reason = Literal["encoding", "schema", "time", "monitor", "bound", "store"]
Source = tuple[str, int, int]
"""Topic, partition and offset of a message."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]|[\ud800-\udfff]")

_encode_tags: Final = msgspec.json.Encoder().encode


class Message(msgspec.Struct, frozen=True, gc=False):
    """Raw bytes as they came from one partition of a topic."""

    topic: str
    partition: int
    offset: int
    time: int | None
    """When the message was written, in microseconds; None where nothing tells."""
    key: bytes | None
    value: bytes | None
    """None is a tombstone."""
    headers: tuple[tuple[str, bytes], ...] = ()

    @property
    def retried(self) -> str | None:
        """Name of the monitor that alone gets it, where it was sent again after a reject."""
        for name, value in self.headers:
            if name == "retry-monitor":
                return value.decode("utf-8", "replace")
        return None


class Record(msgspec.Struct, gc=False):
    """One decoded message on a stream; monitors read it and change nothing in it."""

    input: str
    """The role of the stream in the monitor's `from:`; the stream's name where it has one input."""
    stream: str
    time: int
    """Event time in microseconds, the only time that monitors know."""
    message_time: int | None
    key: Any
    """Text that the series of scope `key` follow; on metrics the tuple of name, monitor and key parts."""
    value: Any
    late: bool
    """Older than the newest report of its engine and tap."""
    source: Source


class Pair(msgspec.Struct, frozen=True):
    """Two records that met by key and time; monitors with two inputs get these, a half may be missing."""

    key: str
    time: int
    first: Record | None
    second: Record | None

    @property
    def value(self) -> tuple[Any, Any]:
        """What the two records hold; None for a half that is missing."""
        first, second = self.first, self.second
        return None if first is None else first.value, None if second is None else second.value


class Tags(dict[str, str]):
    """The tags of one series, made once and shared by all its emissions; `wire` is their JSON."""

    __slots__ = ("wire",)

    def __init__(self, tags: Mapping[str, object]) -> None:
        super().__init__([(name, text) for name, value in tags.items() if (text := tag_text(value))])
        self.wire = msgspec.Raw(_encode_tags(self))


class Metric(msgspec.Struct, gc=False):
    """A named number with tags at a time. Made by a MetricSpec; the engine adds the tags, then nobody changes it."""

    name: str
    time: int
    value: float
    tags: Any = None
    repeat: bool = False


class Alert(msgspec.Struct):
    """A named condition that began or ended. Made by an AlertSpec; the engine adds the tags, then nobody changes it."""

    name: str
    time: int
    firing: bool
    severity: str
    value: float | None = None
    summary: str = ""
    runbook: str = ""
    tags: Any = None
    evidence: dict[str, Any] | None = None
    repeat: bool = False


Emission = Metric | Alert


class Reject(msgspec.Struct, frozen=True):
    """A message that could not become a record, or on which a monitor failed, with the reason."""

    message: Message
    reason: Reason
    detail: str
    monitor: str | None = None

    def headers(self) -> dict[str, str]:
        """Give the headers of the rejects topic; topic, partition, offset, reason and monitor are its identity."""
        message = self.message
        headers = {
            "reason": self.reason,
            "detail": self.detail[:1000],
            "topic": message.topic,
            "partition": str(message.partition),
            "offset": str(message.offset),
        }
        if self.monitor is not None:
            headers["monitor"] = self.monitor
        return headers


def tag_text(value: object) -> str:
    """Make text that every store takes as a tag: 1 to 200 characters without control characters.

    Longer text is cut; where characters were cut or replaced a hash of the whole ends it, so that two series never
    become one.

    >>> tag_text(7), tag_text("a b"), tag_text("a" * 300)[-18:]
    ('7', 'a b', 'a~9835fa6bf4e20a9b')
    """
    text = value if isinstance(value, str) else _plain_text(value)
    if len(text) <= TAG_LENGTH and text.isprintable():
        return text
    clean = _CONTROL.sub("\ufffd", text)
    if len(clean) <= TAG_LENGTH and clean == text:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{clean[: TAG_LENGTH - 17]}~{digest}"


def _plain_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


class _WireMetric(msgspec.Struct, tag_field="type", tag="metric", omit_defaults=True):
    name: str
    time: float
    value: float
    tags: msgspec.Raw
    repeat: bool = False


class _WireAlert(msgspec.Struct, tag_field="type", tag="alert", omit_defaults=True):
    name: str
    time: float
    state: Literal["firing", "resolved"]
    severity: str
    value: float | None
    summary: str
    runbook: str
    tags: msgspec.Raw
    evidence: Any = msgspec.field(default_factory=dict)
    repeat: bool = False


_encode: Final = msgspec.json.Encoder().encode
_encode_lines: Final = msgspec.json.Encoder().encode_lines
_decode: Final = msgspec.json.Decoder(list[_WireMetric | _WireAlert]).decode
_decode_tags: Final = msgspec.json.Decoder(dict[str, Any]).decode


def encode(emission: Emission) -> bytes:
    """Write one emission as the JSON object of the archive topic.

    >>> encode(Metric("records_total", 1_500_000, 3.0, Tags({"slot": 0})))
    b'{"type":"metric","name":"records_total","time":1.5,"value":3.0,"tags":{"slot":"0"}}'
    """
    return _encode(_wired(emission))


def _wired(emission: Emission) -> _WireMetric | _WireAlert:
    if type(emission) is Metric:
        tags = emission.tags
        wire = tags.wire if type(tags) is Tags else _wire(tags)
        return _WireMetric(emission.name, emission.time / 1e6, emission.value, wire, emission.repeat)
    return _wired_alert(emission)  # type: ignore[arg-type]  # the other member of the union


def _wired_alert(alert: Alert) -> _WireAlert:
    return _WireAlert(
        name=alert.name,
        time=alert.time / 1e6,
        state="firing" if alert.firing else "resolved",
        severity=alert.severity,
        value=alert.value,
        summary=alert.summary,
        runbook=alert.runbook,
        tags=_wire(alert.tags),
        evidence=bounded_evidence(alert.evidence),
        repeat=alert.repeat,
    )


def _wire(tags: Any) -> Any:
    return tags.wire if type(tags) is Tags else (tags or {})


def bounded_evidence(evidence: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Give evidence that fits: whole, or a note of its size where its JSON is over 16 KB."""
    if not evidence:
        return {}
    size = len(_encode(evidence))
    return evidence if size <= EVIDENCE_BYTES else {"omitted": f"{size} bytes, over the limit of {EVIDENCE_BYTES}"}


def encode_lines(emissions: Iterable[Emission]) -> bytes:
    """Write emissions one a line, each like `encode`."""
    return _encode_lines(_all_wired(emissions))


def encode_array(emissions: Iterable[Emission]) -> bytes:
    """Write emissions as one JSON array, the value of a message on the archive topic."""
    return _encode(_all_wired(emissions))


def _all_wired(emissions: Iterable[Emission]) -> list[_WireMetric | _WireAlert]:
    metric, tags, wire = Metric, Tags, _WireMetric
    return [
        wire(item.name, item.time / 1e6, item.value, item.tags.wire)
        if type(item) is metric and type(item.tags) is tags and not item.repeat
        else _wired(item)
        for item in emissions
    ]


def decode_emissions(data: bytes, known: dict[bytes, Tags] | None = None) -> list[Emission]:
    """Read a JSON array of emissions, or one emission.

    Args:
        data: as `encode_array` or `encode` wrote it.
        known: tags by their JSON, which are shared by all emissions that have them; those that are new are added.

    Raises:
        msgspec.DecodeError: it is neither.
    """
    wire = _decode(data if data[:1] == b"[" else b"[" + data + b"]")
    known = {} if known is None else known
    found: list[Emission] = []
    for item in wire:
        written = bytes(item.tags)
        tags = known.get(written)
        if tags is None:
            tags = known[written] = Tags(_decode_tags(written))
        if type(item) is _WireMetric:
            found.append(Metric(item.name, round(item.time * 1e6), item.value, tags, item.repeat))
        else:
            found.append(_alert_from_wire(item, tags))  # type: ignore[arg-type]  # the other member of the union
    return found


def _alert_from_wire(item: _WireAlert, tags: Tags) -> Alert:
    return Alert(
        name=item.name,
        time=round(item.time * 1e6),
        firing=item.state == "firing",
        severity=item.severity,
        value=item.value,
        summary=item.summary,
        runbook=item.runbook,
        tags=tags,
        evidence=dict(item.evidence) or None,
        repeat=item.repeat,
    )
