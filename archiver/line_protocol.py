"""Emissions as line protocol, the text that InfluxDB takes. Pure: emissions in, lines out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from math import isfinite
from typing import Any, Final

import msgspec

from archiver.sink import Refused
from engine.events import TAG_LENGTH, Alert, Emission, Metric, Tags, bounded_evidence

ALERTS: Final = "alerts"
"""The measurement that holds all alerts; each metric is a measurement of its own."""

_HEADS: Final = 100_000
"""Series remembered; beyond, they are forgotten and written anew."""
_NAME: Final = str.maketrans({",": "\\,", " ": "\\ "})
_TAG: Final = str.maketrans({",": "\\,", " ": "\\ ", "=": "\\="})
_TEXT: Final = str.maketrans({'"': '\\"', "\\": "\\\\"})
_NONE: Final = "null"
"""How no number is written, and one that is not finite."""

_encode: Final = msgspec.json.Encoder().encode


class Unwritable(ValueError):  # noqa: N818 - says what an emission is
    """An emission that no line can hold; the sentence says why."""


class Line(msgspec.Struct, frozen=True, gc=False):
    """One emission, and the line that writes it."""

    emission: Emission
    text: str


class LineProtocol:
    r"""Writes each metric as a point of its own measurement, and each alert as one of the measurement `alerts`.

    Numbers are always floats, times nanoseconds. Of two points with the same series and time InfluxDB keeps the later,
    and an alert may begin and end in one microsecond: *resolved* stands one nanosecond after it.

    >>> LineProtocol().text(Metric("cpu_utilization", 1_500_000, 0.5, Tags({"engine": "e 1", "slot": 0})))
    'cpu_utilization,engine=e\\ 1,slot=0 value=0.5 1500000000'
    """

    def __init__(self) -> None:
        """Begin with no series known."""
        self._heads: dict[tuple[str, bytes], str] = {}
        self._shared: dict[tuple[str, int], tuple[Tags, str]] = {}
        """The same by name and identity of the tags, which are kept so that nothing else can have it."""

    def lines(self, emissions: Sequence[Emission]) -> tuple[list[Line], list[Refused]]:
        """Write emissions in their order; what no line can hold is refused."""
        lines: list[Line] = []
        refused: list[Refused] = []
        shared, add = self._shared, lines.append
        for emission, number in zip(emissions, _numbers(emissions), strict=True):
            known = shared.get((emission.name, id(emission.tags)))
            if known is not None and number != _NONE and type(emission) is Metric:
                add(Line(emission, f"{known[1]} value={number} {emission.time}000"))
                continue
            try:
                add(Line(emission, self.text(emission)))
            except Unwritable as unwritable:
                refused.append(Refused(emission, str(unwritable)))
        return lines, refused

    def text(self, emission: Emission) -> str:
        """Write one emission.

        Raises:
            Unwritable: its value is no number, or a text cannot be written.
        """
        if type(emission) is not Metric:
            return self._alert(emission)  # type: ignore[arg-type]  # the other member of the union
        value = emission.value
        if not isfinite(value):
            raise Unwritable(f"expected a finite number, got {value}")
        return f"{self._head(emission.name, emission.tags)} value={_number(value)} {emission.time}000"

    def _head(self, name: str, tags: Any) -> str:
        """Write measurement and tags, which all points of a series have in common."""
        known = tags if type(tags) is Tags else Tags(tags or {})
        key = (name, bytes(known.wire))
        head = self._heads.get(key)
        if head is None:
            if len(self._heads) >= _HEADS:
                self._heads.clear()
            head = self._heads[key] = head_of(name, known)
        if known is tags:
            if len(self._shared) >= _HEADS:
                self._shared.clear()
            self._shared[name, id(tags)] = tags, head
        return head

    def _alert(self, alert: Alert) -> str:
        fields = [f"firing={int(alert.firing)}", f"state={_quoted('firing' if alert.firing else 'resolved')}"]
        fields += [f"summary={_quoted(alert.summary)}", f"runbook={_quoted(alert.runbook)}"]
        if alert.value is not None and isfinite(alert.value):
            fields.append(f"value={_number(alert.value)}")
        if alert.evidence:
            fields.append(f"evidence={_quoted(_evidence(alert))}")
        fields.append(f"repeat={int(alert.repeat)}")
        tags = Tags({**(alert.tags or {}), "alert": alert.name, "severity": alert.severity})
        return f"{head_of(ALERTS, tags)} {','.join(fields)} {alert.time}00{int(not alert.firing)}"


def _number(value: float) -> str:
    """Write a number that is finite, with no more digits than tell it apart from all others."""
    return _encode(float(value)).decode()


def _numbers(emissions: Sequence[Emission]) -> list[str]:
    """Write the values of many emissions, which for all at once takes a tenth of the time; `null` for none."""
    values = [one.value if type(one.value) is float else None for one in emissions]
    return _encode(values)[1:-1].decode().split(",") if values else []


def head_of(name: str, tags: Tags) -> str:
    """Write a measurement with its tags, in the order of their names.

    Raises:
        Unwritable: a name cannot be written.
    """
    found = [f",{_checked(key).translate(_TAG)}={_tag_value(tags[key])}" for key in sorted(tags)]
    if name.startswith("#"):
        raise Unwritable(f"expected a name that is no comment, got {name[:80]!r}")
    return _checked(name).translate(_NAME) + "".join(found)


def _checked(name: str) -> str:
    """Give a name of a metric or a tag, as far as a line can hold it."""
    if not name or not name.isprintable() or name.endswith("\\"):
        raise Unwritable(f"expected a name of printable characters that ends with no backslash, got {name[:80]!r}")
    return name


def _tag_value(text: str) -> str:
    """Write the value of a tag; a backslash at its end would take the sign after it, so a hash of the whole ends it."""
    if text.endswith("\\"):
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        text = f"{text[: TAG_LENGTH - 17]}~{digest}"
    return text.translate(_TAG)


def _evidence(alert: Alert) -> str:
    try:
        return msgspec.json.encode(bounded_evidence(alert.evidence)).decode()
    except (TypeError, ValueError, RecursionError, msgspec.EncodeError) as error:
        raise Unwritable(f"expected evidence that JSON can hold: {error}") from None


def _quoted(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Unwritable(f"expected a text that is Unicode: {error}") from None
    return f'"{text.translate(_TEXT)}"'
