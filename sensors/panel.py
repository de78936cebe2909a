"""The taps and sensors of one engine, and the thread that reads them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from threading import Condition, Thread
from typing import Final

from engine.clock import Clock
from sensors.descriptor import Descriptor, Report, parse
from sensors.schedule import Chance
from sensors.sensor import Readable, Reported
from sensors.taps import Slot, Tap, counts_records, slot_taps
from sensors.watch import Installed, Watch

MOST_TAPS: Final = 1_000
LONGEST_SLEEP: Final = 3_600.0
"""Seconds after which the thread looks at the clock anyway."""


class Panel:
    """Makes taps, installs sensors on them, and hands on what they report; from any thread."""

    def __init__(
        self, taps: Iterable[Readable], *, report_every: float, clock: Clock, send: Callable[[list[Reported]], None]
    ) -> None:
        """Begin with the taps of the system, each with its default sensor."""
        self._clock = clock
        self._send = send
        self._report = Report(interval=report_every)
        self._watch = Watch()
        self._taps: dict[str, Readable] = {}
        self._changed = Condition()
        self._thread = Thread(target=self._run, name="sensors-reader", daemon=True)
        self._finished = False
        self._failures = 0
        with self._changed:
            for tap in taps:
                self._add(tap)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def tap(self, name: str) -> Tap:
        """Give the tap of this name, made at the first call, with its default sensor.

        Past 1,000 taps what a new one counts is reported nowhere; that is an error in `errors`.

        Raises:
            ValueError: the name is empty or that of a tap of the system.
        """
        with self._changed:
            known = self._taps.get(name)
            if isinstance(known, Tap):
                return known
            if known is not None or not name:
                raise ValueError(f"expected the name of a tap that counts, got {name!r}")
            tap = Tap(name)
            if len(self._taps) >= MOST_TAPS:
                self._failures += 1
            else:
                self._add(tap)
            return tap

    def slot(self, number: int) -> Slot:
        """Give a slot with its four taps."""
        return Slot(*(self.tap(name) for name in slot_taps(number)))

    def install(self, given: Mapping[str, object]) -> int:
        """Install a sensor in the place of the default sensor of its tap; gives its id.

        Raises:
            ValueError: the descriptor is none, there is no such tap, or it counts and has a sensor of yours.
        """
        descriptor = parse(given)
        with self._changed:
            tap = self._readable(descriptor.tap)
            now = self._now()
            left = self._watch.uninstall_default(tap.name, now)
            number = self._watch.install(descriptor, tap, now=now, chance=_chance(descriptor))
            self._changed.notify()
        self._hand_on([left])
        return number

    def uninstall(self, number: int) -> None:
        """Take a sensor out; what it collected is reported.

        Raises:
            ValueError: there is no sensor of this id.
        """
        with self._changed:
            left = self._watch.uninstall(number, self._now())
        self._hand_on([left])

    @property
    def sensors(self) -> tuple[Installed, ...]:
        """The sensors that are installed."""
        with self._changed:
            return tuple(self._watch)

    @property
    def errors(self) -> int:
        """What went wrong: taps that could not be read, numbers that were none, failures of our own."""
        taps = [tap for tap in list(self._taps.values()) if isinstance(tap, Tap)]
        return self._failures + self._watch.errors + sum(tap.misused for tap in taps)

    def finish(self) -> None:
        """End all sensors, and hand on what they collected."""
        with self._changed:
            self._finished = True
            self._changed.notify()
            left = self._watch.finish(self._now())
        self._hand_on(left)

    def _add(self, tap: Readable) -> None:
        self._taps[tap.name] = tap
        descriptor = Descriptor(tap=tap.name, report=self._report)
        self._watch.install_default(descriptor, tap, now=self._now(), chance=_chance(descriptor))
        self._changed.notify()

    def _readable(self, name: str) -> Readable:
        tap = self._taps.get(name)
        if tap is None and counts_records(name):
            return self.tap(name)
        if tap is None:
            raise ValueError(f"there is no tap {name!r}; there are {', '.join(self._taps)}; tap({name!r}) makes one")
        return tap

    def _run(self) -> None:
        while not self._finished:
            try:
                with self._changed:
                    if not self._finished:
                        self._changed.wait(self._pause())
                    reports = self._watch.move(self._now())
                self._hand_on(reports)
            except Exception:  # noqa: BLE001 - whatever it is, the thread goes on and the model notices nothing
                self._failures += 1

    def _pause(self) -> float:
        due = self._watch.next
        return LONGEST_SLEEP if due is None else min(max(due - self._now(), 1_000) / 1e6, LONGEST_SLEEP)

    def _hand_on(self, reports: Iterable[Reported | None]) -> None:
        found = [report for report in reports if report is not None]
        if found:
            self._send(found)

    def _now(self) -> int:
        return int(self._clock.monotonic() * 1_000_000)


def _chance(descriptor: Descriptor) -> Chance:
    return random.Random(descriptor.activate.seed).random  # noqa: S311 - spreads readings, guards nothing
