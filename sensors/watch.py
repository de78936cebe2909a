"""All sensors of one engine: installed, moved through time, uninstalled; no clock here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from sensors.descriptor import Descriptor
from sensors.schedule import Chance
from sensors.sensor import Readable, Reported, Sensor

MOST: Final = 1_000
"""Sensors that one engine may have."""


class Installed(NamedTuple):
    """One line of the list of sensors."""

    id: int
    tap: str
    active: bool


class Watch:
    """Sensors by their ids; what one of them raises is counted and keeps no other from its work."""

    def __init__(self) -> None:
        """Begin without sensors."""
        self._sensors: dict[int, Sensor] = {}
        self._defaults: dict[str, int] = {}
        self._last_id = 0
        self.errors = 0
        """Readings that raised."""

    def install(self, descriptor: Descriptor, tap: Readable, *, now: int, chance: Chance) -> int:
        """Install a sensor; gives its id.

        Raises:
            ValueError: the tap counts and has a sensor, so that monitors would count twice; or there are too many.
        """
        taken = next((sensor.id for sensor in self._sensors.values() if sensor.tap.name == tap.name), None)
        if tap.counts and taken is not None:
            raise ValueError(
                f"{tap.name} has sensor {taken}, and monitors would count its records twice; uninstall({taken}) first"
            )
        if len(self._sensors) >= MOST:
            raise ValueError(f"there are {MOST} sensors already; uninstall some")
        self._last_id += 1
        self._sensors[self._last_id] = Sensor(descriptor, tap, id=self._last_id, now=now, chance=chance)
        return self._last_id

    def install_default(self, descriptor: Descriptor, tap: Readable, *, now: int, chance: Chance) -> None:
        """Install a sensor that leaves when another one is installed on its tap."""
        self._defaults[tap.name] = self.install(descriptor, tap, now=now, chance=chance)

    def uninstall_default(self, tap: str, now: int) -> Reported | None:
        """Take out the default sensor of a tap, if it is still there; gives its last report."""
        number = self._defaults.pop(tap, None)
        return self.uninstall(number, now) if number in self._sensors else None

    def uninstall(self, number: int | None, now: int) -> Reported | None:
        """Take a sensor out; gives its last report, if it has something to say.

        Raises:
            ValueError: there is no sensor of this id.
        """
        sensor = None if number is None else self._sensors.pop(number, None)
        if sensor is None:
            raise ValueError(f"there is no sensor {number}; there are {', '.join(map(str, self._sensors)) or 'none'}")
        return self._tried(sensor.finish, now)

    @property
    def next(self) -> int | None:
        """When the first of them has something to do."""
        times = [sensor.schedule.next for sensor in self._sensors.values() if sensor.schedule.next is not None]
        return min(times, default=None)

    def move(self, now: int) -> list[Reported]:
        """Do what is due; gives the reports."""
        due = [s for s in self._sensors.values() if s.schedule.next is not None and s.schedule.next <= now]
        return [report for sensor in due if (report := self._tried(sensor.move, now)) is not None]

    def finish(self, now: int) -> list[Reported]:
        """End all of them; gives their last reports."""
        return [report for s in self._sensors.values() if (report := self._tried(s.finish, now)) is not None]

    def __iter__(self) -> Iterator[Installed]:
        """List the sensors."""
        for sensor in self._sensors.values():
            yield Installed(sensor.id, sensor.tap.name, sensor.schedule.next is not None)

    def _tried(self, step: Callable[[int], Reported | None], now: int) -> Reported | None:
        try:
            return step(now)
        except Exception:  # noqa: BLE001 - a tap that cannot be read must not end the others; it is counted
            self.errors += 1
            return None
