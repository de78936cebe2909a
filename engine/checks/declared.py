"""What a monitor declares: options, state, emissions, names of tags."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from engine.catalogue import MetricSpec
from engine.monitor import Monitor
from engine.testing.plans import reads_metrics

RESERVED: Final = frozenset({"time", "value", "alert", "severity", "workflow", "monitor"})


def of_declarations(monitor: Monitor) -> Iterator[str]:
    """Look at what stands in the class."""
    for name, field in type(monitor).Options.model_fields.items():
        if not field.description:
            yield f"option {name}: expected a description"
    yield from _of_state(type(monitor))
    if not monitor.emits:
        yield "emits: expected at least one MetricSpec or AlertSpec"
    for spec in monitor.emits:
        if taken := RESERVED.union(monitor.series).intersection(spec.tags):
            yield f"{spec.name}: the tag {min(taken)} is taken; choose another name"
    if taken := RESERVED.intersection(monitor.series):
        yield f"series: {min(taken)} cannot become a tag; choose another name"
    if reads_metrics(monitor) and any(isinstance(spec, MetricSpec) for spec in monitor.emits):
        yield "emits: a monitor that reads metrics may emit only alerts"


def _of_state(cls: type[Monitor]) -> Iterator[str]:
    try:
        state = cls.State()
    except TypeError as error:
        yield f"State: expected a default for every field: {error}"
        return
    if lost := not_saved(state):
        yield f"State: {lost}"


def not_saved(state: Any) -> str | None:
    """Say why a state is not the same after it was saved and restored; None when it is."""
    try:
        again = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=type(state))
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError) as error:
        return f"cannot be saved and restored: {error}"
    return None if again == state else f"expected {state!r} after it was saved and restored, got {again!r}"
