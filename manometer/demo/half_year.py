"""Half a year of a real model's forecasts: replayed by a process of its own while the live demo tells its story."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from archiver.sinks.sqlite import read_alerts
from engine.events import Alert
from engine.times import SECOND, time_text
from manometer.demo.crew import PATIENCE, environment
from manometer.demo.words import some
from manometer.replay import ReplayCounts
from manometer.resources import resource

WORKFLOW: Final = "workflows/forecast.yaml"
INPUTS: Final = {stream: f"data/forecast.{stream}.csv.gz" for stream in ("inputs", "predictions", "truth")}
"""Stream of the workflow -> what was recorded of it."""
FILE: Final = "forecast.db"
"""In the data folder: what the replay emits."""
TELLING: Final = ("InputDrifted", "PredictionDiverged", "QualityDropped")
"""Alerts of which the strongest is shown: the data, single forecasts, a whole day."""
_NICE: Final = 5
"""How much the replay stands back behind the demo."""


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What the replay said."""

    seconds: float = 0.0
    alerts: Sequence[Alert] = ()
    """Those that began, in the order of their times."""
    trouble: str = ""
    """Why there is nothing, if there is nothing."""


class HalfYear:
    """The replay as a process with a low priority; use it in a `with` block, at whose end it is gone."""

    def __init__(self, data: Path) -> None:
        """Begin with nothing started.

        Args:
            data: the folder that gets what it emits.
        """
        self._file = data / FILE
        self._part = data / f"{FILE}.part"
        self._process: subprocess.Popen[bytes] | None = None
        self._replayed: Replayed | None = None

    @property
    def begun(self) -> bool:
        """Whether it was started."""
        return self._process is not None

    def begin(self) -> None:
        """Start it; Ctrl-C in the terminal does not reach it, so that it is ended in order.

        Raises:
            OSError: the process cannot be started, or this installation lacks the recordings.
        """
        inputs = [f"--input={stream}={path}" for stream, path in recordings().items()]
        words = ["replay", str(resource(WORKFLOW)), *inputs, f"--store={self._part}"]
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-P", "-m", "manometer", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment(),
            start_new_session=True,
        )
        os.setpriority(os.PRIO_PROCESS, self._process.pid, _NICE)

    def look(self) -> Replayed | None:
        """Give what it said; None until it is done."""
        if self._replayed is None and self._process is not None and self._process.poll() is not None:
            _, told = self._process.communicate()
            if not self._process.returncode:
                self._part.rename(self._file)
            self._replayed = _read(self._process.returncode, told, self._file)
        return self._replayed

    def end(self) -> None:
        """End it, and wait until it is gone; half a result is no result, and is removed."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)  # nothing happens where it has ended already
        try:
            self._process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        for part in self._part.parent.glob(f"{self._part.name}*"):
            part.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.end()


def recordings() -> Mapping[str, Path]:
    """Find what is replayed: stream -> file.

    Raises:
        FileNotFoundError: this installation does not have it.
    """
    return {stream: resource(name) for stream, name in INPUTS.items()}


def _read(code: int, told: bytes, file: Path) -> Replayed:
    """Read what a process that has ended left; the last line that it told are its counts."""
    last = told.rstrip().rpartition(b"\n")[2]
    if code:
        return Replayed(trouble=last.decode(errors="replace") or f"exit code {code}")
    begun = [one for one in read_alerts(file) if one.firing and not one.repeat]
    begun.sort(key=attrgetter("time"))
    return Replayed(seconds=msgspec.json.decode(last, type=ReplayCounts).seconds, alerts=begun)


def half_year_lines(replayed: Replayed) -> Iterator[str]:
    """Tell what the replay said: how long it took, then the strongest alert of each name with its day."""
    if replayed.trouble:
        yield f"half a year of forecasts could not be replayed: {replayed.trouble}"
        return
    yield f"half a year of forecasts, replayed in {replayed.seconds:.1f} s: {some(len(replayed.alerts), 'alert')}"
    for name in TELLING:
        found = [alert for alert in replayed.alerts if alert.name == name]
        if found:
            strongest = max(found, key=lambda alert: alert.value or 0.0)
            yield f"{_day(strongest)} {name:{max(map(len, TELLING))}} {strongest.summary}"


def _day(alert: Alert) -> str:
    """Write the day that an alert tells of: a window of a day tells when the next one begins."""
    return time_text(alert.time - SECOND)[:10]
