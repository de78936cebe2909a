"""What the engine needs of a monitor's declarations, so that a plugin with a slip in them is a finding, not a crash."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Any

from engine.catalogue import AlertSpec, MetricSpec, Spec
from engine.monitor import Monitor, MonitorOptions, MonitorState

AnyMonitor = Monitor | type[Monitor]


def slips(monitor: AnyMonitor) -> Iterator[str]:
    """Name the declarations that are not of the form that the contract asks for.

    What a class leaves to its objects, as a property, is looked at when there is one.
    """
    if not _is_class(monitor.Options, MonitorOptions):
        yield "Options: expected a subclass of MonitorOptions"
    if not _is_class(monitor.State, MonitorState):
        yield "State: expected a subclass of MonitorState"
    if not _are_texts(monitor.series):
        yield 'series: expected a tuple of texts such as ("engine",)'
    inputs: Any = monitor.inputs
    if not _are_texts(inputs):
        yield "inputs: expected a tuple of texts"
    elif isinstance(inputs, tuple) and len(set(inputs)) not in {0, 2}:
        yield "inputs: expected the names of two inputs, or none"
    if not _are_specs(monitor.emits):
        yield "emits: expected a tuple of MetricSpec and AlertSpec such as (RECORDS,)"
    reads: Any = monitor.reads
    if not isinstance(reads, property) and not kinds(reads):
        yield "reads: expected a type or a tuple of types"


def specs(monitor: AnyMonitor) -> tuple[Spec, ...]:
    """Give what a monitor may emit, as far as it is declared."""
    emits: Any = monitor.emits
    return tuple(one for one in emits if isinstance(one, (MetricSpec, AlertSpec))) if isinstance(emits, tuple) else ()


def kinds(reads: Any) -> tuple[type, ...]:
    """Give the types that a monitor reads, as far as they are declared."""
    if isinstance(reads, UnionType):
        return kinds(reads.__args__)
    if isinstance(reads, tuple):
        found = [kinds(one) for one in reads]
        return tuple(kind for some in found for kind in some) if all(found) else ()
    return (reads,) if isinstance(reads, type) else ()


def can_read(monitor: AnyMonitor, given: type) -> bool:
    """Say whether a monitor reads any value of a type."""
    reads = kinds(monitor.reads)
    return not reads or any(issubclass(given, kind) or issubclass(kind, given) for kind in reads)


def _is_class(given: object, base: type) -> bool:
    return isinstance(given, type) and issubclass(given, base)


def _are_texts(given: object) -> bool:
    return isinstance(given, property) or (isinstance(given, tuple) and all(isinstance(one, str) for one in given))


def _are_specs(given: object) -> bool:
    if isinstance(given, property):
        return True
    return isinstance(given, tuple) and all(isinstance(one, (MetricSpec, AlertSpec)) for one in given)
