"""The live demo as plain lines, for a pipe, a file or a log: what happens, when it happens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from engine.events import Alert
from manometer.demo.half_year import half_year_lines
from manometer.demo.live import Moment
from manometer.demo.words import number, some
from manometer.view.picture import whose

EVERY: Final = 10.0
"""Seconds between two lines that tell how things are."""


class Plain:
    """Turns moments into lines; nothing is told twice."""

    def __init__(self) -> None:
        """Begin with nothing told."""
        self._greeted = self._first = self._half_year = False
        self._told = 0.0
        self._known: frozenset[tuple[str, int, str]] = frozenset()

    def lines(self, moment: Moment) -> Iterator[str]:
        """Give what is new."""
        if not self._greeted:
            self._greeted = True
            yield f"       POST {moment.address}/topics/TOPIC takes messages: {_streams(moment)}"
        before = f"{max(0.0, moment.passed):5.1f} s"
        if not self._first and (told := _first_number(moment)):
            self._first = True
            yield f"{before} first numbers: {told}"
        for event in moment.events:
            yield f"{before} {event.told}"
        for alert in self._new(moment):
            state = f"{alert.severity} fired" if alert.firing else "resolved"
            yield f"{before} {alert.name} of {whose(alert.tags)} {state}: {alert.summary}"
        if moment.half_year is not None and not self._half_year:
            self._half_year = True
            first, *rest = half_year_lines(moment.half_year)
            yield f"{before} {first}"
            yield from (f"        {line}" for line in rest)
        if moment.passed >= self._told + EVERY:
            self._told = moment.passed // EVERY * EVERY
            yield f"{before} {_summary(moment)}"

    def _new(self, moment: Moment) -> list[Alert]:
        changes = {(alert.name, alert.time, whose(alert.tags)): alert for alert in moment.picture.changes[::-1]}
        known, self._known = self._known, frozenset(changes)
        return [alert for key, alert in changes.items() if key not in known]


def _streams(moment: Moment) -> str:
    return ", ".join(stream.name for stream in moment.picture.streams)


def _first_number(moment: Moment) -> str | None:
    found = [engine for engine in moment.picture.engines if engine.rate is not None]
    return f"{found[0].name} reads {number(found[0].rate or 0.0)} records a second" if found else None


def _summary(moment: Moment) -> str:
    picture = moment.picture
    running = sum(engine.state == "running" for engine in picture.engines)
    return (
        f"{running} of {some(len(picture.engines), 'engine')} running, {number(picture.telemetry.rate)} messages a "
        f"second, {some(picture.rejects, 'reject')}, {some(len(picture.firing), 'alert')} firing"
    )
