"""Time, errors and series of each monitor: asked of a process that runs, or read from what it has written."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import msgspec

from archiver.sinks.sqlite import read_points
from engine.telemetry import MONITOR_ERRORS, MONITOR_SECONDS, SERIES
from manometer.cli.failure import CommandError, told, what_failed

_SECONDS = 10.0


class Stats(msgspec.Struct):
    """What one monitor took and did since its process started."""

    monitor: str
    seconds: float = 0.0
    """Estimated from samples."""
    errors: int = 0
    """Calls that raised."""
    series: int = 0


class _Told(msgspec.Struct):
    """One number of `/telemetry`."""

    name: str
    value: float
    tags: dict[str, str]


def of_process(url: str, token: str | None) -> list[Stats]:
    """Ask a process for the numbers of its monitors.

    Raises:
        CommandError: there is none, or it does not answer as one of ours.
    """
    if not url.startswith(("http://", "https://")):
        raise CommandError(f"--url {url}: expected http://HOST:PORT")
    request = Request(f"{url.rstrip('/')}/telemetry")  # noqa: S310 - the scheme was looked at
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urlopen(request, timeout=_SECONDS) as response:  # noqa: S310 - as above
            found = msgspec.json.decode(response.read(), type=list[_Told])
    except (URLError, OSError, msgspec.DecodeError) as error:
        reason = error.reason if isinstance(error, URLError) and isinstance(error.reason, OSError) else error
        raise CommandError(f"--url {url}: no answer of manometer run: {what_failed(reason)}") from error
    return _by_monitor((one.name, one.tags, one.value) for one in found)


def of_folder(data: Path) -> list[Stats]:
    """Read what a process told last in its archive.

    Raises:
        CommandError: there is no archive.
    """
    path = data / "archive.db"
    if not path.exists():
        raise CommandError(f"{path}: there is none; expected the folder of manometer run --data")
    last: dict[tuple[str, bytes], tuple[int, tuple[str, Any, float]]] = {}
    with told():
        for name in (MONITOR_SECONDS.name, MONITOR_ERRORS.name, SERIES.name):
            for point in read_points(path, name=name, tags={"workflow": "manometer"}):
                last[name, bytes(point.tags.wire)] = (point.time, (name, point.tags, point.value))
    newest = max((time for time, _ in last.values()), default=0)
    return _by_monitor(found for time, found in last.values() if time == newest)


def _by_monitor(found: Iterable[tuple[str, Any, float]]) -> list[Stats]:
    stats: dict[str, Stats] = {}
    for name, tags, value in found:
        if name not in (MONITOR_SECONDS.name, MONITOR_ERRORS.name, SERIES.name):
            continue
        one = stats.setdefault(tags["of"], Stats(tags["of"]))
        if name == MONITOR_SECONDS.name:
            one.seconds += value
        elif name == MONITOR_ERRORS.name:
            one.errors += int(value)
        else:
            one.series += int(value)
    return sorted(stats.values(), key=lambda one: (-one.seconds, one.monitor))
