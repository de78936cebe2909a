"""The story of the live demo: who is there, and at what hour of the recorded day something happens to whom."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

Turn = Literal["fails", "recovers", "leaves", "is killed", "drifts"]

HOUR: Final = 3_600.0
DAY: Final = 24 * HOUR
MODEL: Final = "taxi-demand"
NOTIFY: Final = "notify"
"""The topic of what engines and their sensors report."""


class Event(msgspec.Struct, frozen=True):
    """Something that happens to an engine, at a second of the recorded day."""

    at: float
    engine: str
    turn: Turn
    told: str
    """For a person."""


ENGINES: Final = ("taxi-1", "taxi-2", "taxi-3", "taxi-4", "taxi-5")
STORY: Final = (
    Event(3 * HOUR, "taxi-2", "fails", "taxi-2 cannot reach its feature store and reports an error"),
    Event(6 * HOUR, "taxi-2", "recovers", "taxi-2 is back and works off what waited"),
    Event(7 * HOUR, "taxi-4", "leaves", "taxi-4 is shut down in order: that is no alert"),
    Event(9 * HOUR, "taxi-5", "is killed", "taxi-5 is killed: nothing more is heard of it"),
    Event(12 * HOUR, "taxi-3", "drifts", "the feed of taxi-3 begins to count some passengers twice"),
)
"""In the order of time."""


def of(engine: str) -> tuple[Event, ...]:
    """Give what happens to one engine.

    >>> [event.turn for event in of("taxi-2")]
    ['fails', 'recovers']
    """
    return tuple(event for event in STORY if event.engine == engine)


def between(after: float, until: float) -> tuple[Event, ...]:
    """Give what happens after a second of the day, up to and including another."""
    return tuple(event for event in STORY if after < event.at <= until)
