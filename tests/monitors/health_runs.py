"""The health monitor over messages, and what came out in short."""

from __future__ import annotations

from typing import Any

from engine.events import Alert
from engine.times import SECOND
from monitors.health import Health
from tests.monitors.sensor_messages import Item, Ran, run

MICRO = 1e-6


def health(**options: Any) -> Health:
    """Make the monitor with options as a workflow file gives them."""
    return Health(Health.Options.model_validate(options))


def followed(*items: Item, **options: Any) -> Ran:
    """Run the monitor over messages."""
    return run(health(**options), items)


def brief(ran: Ran) -> list[tuple[float, str]]:
    """Write all emissions in their order: a state as its number, an alert with a plus or a minus."""
    return [
        (
            item.time / SECOND,
            f"{'+' if item.firing else '-'}{item.name}" if isinstance(item, Alert) else f"{item.value:g}",
        )
        for item in ran.emissions
    ]
