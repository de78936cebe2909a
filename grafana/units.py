"""Units of the catalogue as Grafana names them."""

from __future__ import annotations

from typing import Final

UNITS: Final = {
    "": "short",
    "alerts": "short",
    "bytes": "bytes",
    "calls": "short",
    "checkpoints": "short",
    "code": "short",
    "emissions": "short",
    "findings": "short",
    "engines": "short",
    "inputs": "short",
    "messages": "short",
    "offsets": "short",
    "parts": "short",
    "points": "short",
    "predictions": "short",
    "ratio": "percentunit",
    "records": "short",
    "records per second": "short",
    "reports": "short",
    "score": "short",
    "seconds": "s",
    "seconds since 1970": "dateTimeAsIso",
    "series": "short",
    "square of the field's unit": "short",
    "tries": "short",
    "truths": "short",
    "unit of the field": "short",
    "values": "short",
}
"""Unit of the catalogue -> Grafana's id; counts are short (1.2 K), and the axis says of what."""
_PER_SECOND: Final = " per second"
_RATES: Final = {"seconds": "percentunit", "bytes": "Bps"}
"""Units whose rate has a unit of its own: seconds per second are a share of the time."""


def unit_id(unit: str) -> str:
    """Give Grafana's id of a unit; one of a plugin that is not known is a plain number.

    >>> unit_id("ratio"), unit_id("seconds per second"), unit_id("furlongs")
    ('percentunit', 'percentunit', 'short')
    """
    counted = unit.removesuffix(_PER_SECOND)
    if counted != unit and counted in _RATES:
        return _RATES[counted]
    return UNITS.get(unit, "short")


def axis_text(unit: str) -> str:
    """Say beside an axis what a plain number counts; empty where the ticks show the unit already."""
    return unit if unit_id(unit) == "short" else ""
