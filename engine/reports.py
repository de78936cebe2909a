"""The messages that engines send: sensor reports, engine states, and the kinds we know but do not use."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Text = Annotated[str, msgspec.Meta(min_length=1)]


class SensorMessage(msgspec.Struct, frozen=True, gc=False, tag_field="type"):
    """What every message of an engine has: when it was sent, and the engine's id."""

    timestamp: Moment
    src: Text


class SensorReport(SensorMessage, frozen=True, gc=False, tag="sensor-report"):
    """What one sensor read at its tap."""

    tap: Text
    data: float | Annotated[list[float], msgspec.Meta(min_length=1)]
    """A reading, or several since the last report; never an empty list."""
    delta_time: Annotated[float, msgspec.Meta(ge=0)] | None = None
    """Seconds since the previous report of the sensor; None where it does not say."""
    id: int | float | str | None = None
    """The sensor's id in its engine."""


class EngineState(SensorMessage, frozen=True, gc=False, tag="engine-state"):
    """The state an engine says it is in: init, running, error, or any other word."""

    state: Text


class EngineConfig(SensorMessage, frozen=True, gc=False, tag="engine-config"):
    """What an engine loaded or attached; `item` model with a text in `ref` names its model."""

    item: Any = None
    ref: Any = None

    @property
    def model(self) -> str | None:
        """The model it names, if it names one."""
        return self.ref if self.item == "model" and isinstance(self.ref, str) and self.ref else None


class Health(SensorMessage, frozen=True, gc=False, tag="health"):
    """Known and not used."""


class Log(SensorMessage, frozen=True, gc=False, tag="log"):
    """Known and not used."""


class ModelConsole(SensorMessage, frozen=True, gc=False, tag="model-console"):
    """Known and not used."""


class ModelError(SensorMessage, frozen=True, gc=False, tag="model-error"):
    """Known and not used."""


class MetadataEvent(SensorMessage, frozen=True, gc=False, tag="metadata-event"):
    """Known and not used."""


AnySensorMessage = SensorReport | EngineState | EngineConfig | Health | Log | ModelConsole | ModelError | MetadataEvent

CPU: Final = "sys.cpu.utilization"
MEMORY: Final = "sys.memory"
_COUNT_TAP: Final = re.compile(r"manifold\.(\d+)\.records\.(?:count|rejected\.by\.(schema|encoding))", re.ASCII)


def counted_slot(tap: str) -> str | None:
    """Name the slot of a tap that counts records.

    >>> counted_slot("manifold.0.records.count"), counted_slot("manifold.0.records.rejected.by.schema")
    ('0', None)
    """
    found = _COUNT_TAP.fullmatch(tap)
    return found[1] if found and found[2] is None else None


def rejected_slot(tap: str) -> tuple[str, str] | None:
    """Name slot and reason of a tap that counts rejected records.

    >>> rejected_slot("manifold.2.records.rejected.by.encoding")
    ('2', 'encoding')
    """
    found = _COUNT_TAP.fullmatch(tap)
    return (found[1], found[2]) if found and found[2] else None


def counts(tap: str) -> bool:
    """Say whether a tap counts, so that its readings are never negative."""
    return _COUNT_TAP.fullmatch(tap) is not None
