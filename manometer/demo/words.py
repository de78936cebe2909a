"""Numbers, times and shares as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.times import HOUR, MINUTE, SECOND, time_text

_PREFIXES: Final = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def number(value: float) -> str:
    """Write three digits, or all before the point.

    >>> number(0.24542), number(2.5), number(575.23), number(36229888.0)
    ('0.245', '2.50', '575', '36,229,888')
    """
    if value >= 100:  # noqa: PLR2004 - three digits
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3g}"  # noqa: PLR2004 - as above


def quantity(value: float, unit: str) -> str:
    """Write a value in its unit.

    >>> quantity(0.349, "ratio"), quantity(10158154166.6, "bytes"), quantity(2.5, "records a second")
    ('35%', '10.2 GB', '2.50')
    """
    if unit == "ratio":
        return f"{value:.0%}"
    if unit == "bytes":
        return next((f"{value / size:.1f} {text}" for size, text in _PREFIXES if value >= size), f"{value:.0f} B")
    return number(value)


def percent(share: float) -> str:
    """Write a share of time; only what is whole is 100%.

    >>> percent(0.9993), percent(1.0), percent(0.9999)
    ('99.9%', '100%', '99.9%')
    """
    return "100%" if share >= 1 else f"{min(share, 0.999):.1%}"


def clock(time: int) -> str:
    """Write the time of the day."""
    return time_text(time)[11:19]


def lasted(micros: int) -> str:
    """Write how long something was, in its two largest units.

    >>> lasted(13_740 * SECOND), lasted(635 * SECOND), lasted(14 * SECOND)
    ('3h 49m', '10m 35s', '14s')
    """
    hours, minutes, seconds = micros // HOUR, micros % HOUR // MINUTE, micros % MINUTE // SECOND
    if hours:
        return f"{hours}h {minutes:02}m"
    return f"{minutes}m {seconds:02}s" if minutes else f"{seconds}s"


def some(count: float, word: str) -> str:
    """Write a count with its word.

    >>> some(1, "engine"), some(2000, "message")
    ('1 engine', '2,000 messages')
    """
    return f"{count:,.0f} {word}" if count == 1 else f"{count:,.0f} {word}s"


def listed(counts: Mapping[str, float], form: str) -> str:
    """Write counts by name.

    >>> listed({"0": 12.0, "1": 3.0}, "{count} in slot {name}")
    '12 in slot 0, 3 in slot 1'
    """
    return ", ".join(form.format(name=name, count=f"{count:,.0f}") for name, count in counts.items())
