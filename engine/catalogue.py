"""What may be emitted: every metric and alert is declared once, and the code, the docs and the boards read it here."""

from __future__ import annotations

import re
from typing import Any, Final, Literal

import msgspec

from engine.events import Alert, Metric

Kind = Literal["counter", "gauge"]
Direction = Literal["higher is better", "lower is better", "neither"]
Severity = Literal["info", "warning", "critical"]

_METRIC_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_ALERT_NAME: Final = re.compile(r"([A-Z][a-z0-9]*)+")
_PAGE_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class MetricSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Declares a metric: its name, what it counts, and how a board should show it.

    >>> spec = MetricSpec(name="records_total", kind="counter", unit="records", help="Records read since the start.")
    >>> spec.at(1_500_000, 3).value
    3.0
    """

    name: str
    """Lower snake case, base units in the plural; counters end in `_total`, and nothing else does."""
    kind: Kind
    unit: str
    help: str
    direction: Direction = "neither"
    holds: bool = False
    """The last value holds until the next one (a state), so it never becomes stale and is repeated."""
    values: tuple[tuple[float, str], ...] = ()
    """Texts of the values where the number is a code."""
    zones: tuple[float, float] | None = None
    """From where on a number is worth a look, and from where on it is bad, where that holds everywhere: for boards."""
    tags: tuple[str, ...] = ()
    """Names of the tags it carries beside those of its monitor's key."""

    def __post_init__(self) -> None:
        """Refuse names that break the rules of the catalogue."""
        if not _METRIC_NAME.fullmatch(self.name):
            raise ValueError(f"metric {self.name!r}: expected lower snake case such as records_total")
        if (self.kind == "counter") != self.name.endswith("_total"):
            raise ValueError(f"metric {self.name!r}: counters end in _total, and nothing else does")

    def at(self, time: int, value: float, **tags: str) -> Metric:
        """Make the metric for an event time in microseconds; the engine adds the tags of the series."""
        return Metric(self.name, time, value + 0.0, tags or None)


class AlertSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Declares an alert: what is wrong, how bad it is, and the runbook that says what to do."""

    name: str
    """CamelCase, what is wrong: EngineSilent."""
    severity: Severity
    help: str
    runbook: str
    """Name of the page in docs/runbooks/ without its ending."""
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse names that break the rules of the catalogue."""
        if not _ALERT_NAME.fullmatch(self.name):
            raise ValueError(f"alert {self.name!r}: expected CamelCase such as EngineSilent")
        if not _PAGE_NAME.fullmatch(self.runbook):
            raise ValueError(f"alert {self.name!r}: expected a runbook such as engine-silent, got {self.runbook!r}")

    def set(
        self,
        time: int,
        firing: bool,  # noqa: FBT001 - reads as the state: set(time, True)
        value: float | None = None,
        summary: str = "",
        evidence: dict[str, Any] | None = None,
        **tags: str,
    ) -> Alert:
        """Say whether the condition holds at a time; the engine lets only changes through."""
        return Alert(
            self.name, time, firing, self.severity, value, summary or self.help, self.runbook, tags or None, evidence
        )


Spec = MetricSpec | AlertSpec
