"""Stores for the board: what recorded days emit, moved so that it has just happened."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Final

from archiver.sinks.sqlite import SqliteSink
from engine.clock import SystemClock
from engine.events import Alert, Emission, Metric, Tags
from engine.times import MINUTE, SECOND
from tests.grafana.filled import at_its_worst, made_up, moved, replayed

_NAME: Final = "archive.db"
_DRIFTED: Final = {
    "score": "js",
    "p_value": 1.3e-12,
    "limit": 0.035,
    "window": {"since": 1419465600.0, "until": 1419552000.0, "first_offset": 8_600, "last_offset": 8_647},
    "moved": [
        {"bin": "below 4e+03", "before": 0.05, "after": 0.4},
        {"bin": "above 2e+04", "before": 0.3, "after": 0.0},
    ],
    "quantiles": {"before": [1e3, 1.5e4, 3e4], "after": [5e2, 5e3, 1.1e4]},
}
"""Evidence as `input_drift` gives it; no alert that has any fires at the worst time of the recorded days."""


def written(path: Path, emissions: Iterable[Emission]) -> Path:
    """Write emissions to a store as the archiver does."""
    with closing(SqliteSink(path)) as sink:
        assert not sink.write(list(emissions))
    return path


def recorded_days(folder: Path) -> Path:
    """Write what the recorded days emit, and what none of them does; the newest is of now."""
    end = SystemClock().now() // SECOND * SECOND
    real = [*moved(at_its_worst(replayed("day", folder)), end), *moved(replayed("forecast", folder), end)]
    emitted = {emission.name for emission in real if isinstance(emission, Metric)}
    tags = Tags({"workflow": "forecast", "monitor": "drift", "model": "taxi-demand", "field": "passengers"})
    drifted = Alert(
        name="InputDrifted",
        time=end - 20 * MINUTE,
        firing=True,
        severity="critical",
        value=0.731,
        summary="passengers: js is 0.731, p-value 1.3e-12 below the limit 0.035",
        runbook="input-drifted",
        tags=tags,
        evidence=_DRIFTED,
    )
    return written(folder / _NAME, [*real, *made_up(end, emitted), drifted])


HURTS: Final = "<img src=x onerror=\"document.title='hurt'\">"
"""A text that does something where it is taken for markup."""
_LINK: Final = "javascript:document.title='hurt'"


def hurting(path: Path, now: int) -> Path:
    """Write a store in which every text that comes from data would like to be markup."""
    tags = Tags({**dict.fromkeys(("workflow", "monitor", "model", "engine", "slot", "reason", "stream"), HURTS)})
    own = Tags({"workflow": "manometer", **dict.fromkeys(("process", "group", "topic", "of", "outcome"), HURTS)})
    names = ("cpu_utilization", "engine_state", "records_per_second", "records_total", "input_drift_score")
    numbers = [Metric(name, now - ago * SECOND, float(ago), tags) for name in names for ago in range(0, 600, 10)]
    told = [Metric(name, now, 1.0, own) for name in ("messages_total", "monitor_errors_total", "messages_behind")]
    firing = [
        Alert(
            name=name,
            time=now - 60 * SECOND,
            firing=True,
            severity="critical",
            value=1.0,
            summary=HURTS,
            runbook=runbook,
            tags=tags,
            evidence={HURTS: HURTS, "list": [HURTS, {HURTS: [HURTS]}]},
        )
        for name, runbook in (("EngineError", "engine-error"), (HURTS, HURTS), ("Linked", _LINK))
    ]
    return written(path, [*numbers, *told, *firing])
