"""Tables for the contract suite, for monitors whose author gives none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from engine.monitor import Monitor
from engine.testing.plans import reads_metrics, reads_sensors
from engine.testing.table import END, At, Line
from engine.testing.values import config, metric, report, state
from engine.times import HOUR, SECOND

_ROUNDS: Final = 12
_STEP: Final = 10.0


def sample_table(monitor: Monitor) -> Sequence[Line]:
    """Give records of the kind that a monitor reads: on time, late, twice, silent for a while, and the end."""
    if reads_metrics(monitor):
        name = getattr(monitor.options, "metric", None) or "records_per_second"
        return [*((n * _STEP, metric(name, float(n % 5), slot="0")) for n in range(_ROUNDS)), At(900), END]
    if monitor.inputs:
        return [*_of_pairs(monitor), At(2 * getattr(monitor.options, "wait", HOUR) / SECOND + _ROUNDS * _STEP), END]
    return [*(_of_engines() if reads_sensors(monitor) else _of_json(monitor)), At(900), END]


def _of_engines() -> list[Line]:
    table: list[Line] = [(0, state("e1", "init")), (0, config("e1", "first")), (1, state("e2", "running"))]
    for n in range(1, _ROUNDS):
        now = n * _STEP
        table += [(now, report("e1", tap, 3 * n, delta_time=_STEP, id=1)) for tap in _TAPS]
        table += [(now + 1, report("e2", tap, [n, n + 2])) for tap in _TAPS]
    table += [
        (110, report("e1", _TAPS[0], 33, delta_time=_STEP, id=1)),
        (35, report("e1", _TAPS[0], 7, delta_time=5.0)),
        (36, report("e2", _TAPS[0], 7)),
        (130, state("e1", "error")),
        (131, config("e1", "second")),
        (400, report("e1", _TAPS[0], 1, delta_time=_STEP)),
        (401, state("e1", "running")),
        (402, state("e2", "stopped")),
    ]
    return table


_TAPS: Final = (
    "manifold.0.records.count",
    "manifold.1.records.count",
    "manifold.0.records.rejected.by.schema",
    "sys.cpu.utilization",
    "sys.memory",
    "some.other.tap",
)


def _of_pairs(monitor: Monitor) -> list[Line]:
    """Give two streams of such records: most meet, some are alone, late, or come twice."""
    first, second = monitor.inputs
    table: list[Line] = []
    for n, (now, record) in enumerate(_of_json(monitor)):
        one = {**record, "id": n}
        other = {name: value + 1 if isinstance(value, int) else value for name, value in record.items()}
        table += [(now, first, one)] if n % 4 != 1 else []
        table += [(now + n % 3, second, {**other, "id": n})] if n % 4 != 2 else []  # noqa: PLR2004 - others than above
        table += [(now, first, one), (now - 2 * _STEP, second, {**other, "id": "late"})] if n % 5 == 4 else []  # noqa: PLR2004 - as before
    return table


def _of_json(monitor: Monitor) -> list[tuple[float, dict[str, Any]]]:
    """Give records that have every field an option names, as a number and as a text."""
    texts = [value for value in monitor.options.model_dump().values() if isinstance(value, str)]
    names = sorted({"value", "id", *(text for text in texts if text.isidentifier())})
    return [
        (n * _STEP, {name: (n * 7) % 11 if name != "id" else f"k{n % 3}" for name in names}) for n in range(_ROUNDS)
    ]
