"""Taps of the system: processor and memory of this process or of its host."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Literal

import psutil

from sensors.sensor import Readable, Reader

Scope = Literal["process", "host"]

CPU: Final = "sys.cpu.utilization"
MEMORY: Final = "sys.memory"


class Processor:
    """The share of the host's processors, all together, that was used since the last reading: 0 to 1.

    `process`: by this process, its finished child processes left out. `host`: by all processes.
    """

    name = CPU
    counts = False

    def __init__(self, scope: Scope) -> None:
        """Read the process or the host."""
        self._scope = scope

    def reader(self) -> Reader:
        """Begin with the use from now on."""
        used = _process_use() if self._scope == "process" else _host_use
        last_used, last_all = used()

        def read() -> float | None:
            nonlocal last_used, last_all
            now_used, now_all = used()
            busy, passed = now_used - last_used, now_all - last_all
            if passed <= 0:
                return None
            last_used, last_all = now_used, now_all
            return min(max(busy / passed, 0.0), 1.0)

        return read


class Memory:
    """Bytes of memory. `process`: resident set of this process. `host`: what is not available to new programs."""

    name = MEMORY
    counts = False

    def __init__(self, scope: Scope) -> None:
        """Read the process or the host."""
        self._scope = scope

    def reader(self) -> Reader:
        """Read what is used now."""
        return _resident() if self._scope == "process" else _unavailable


def system_taps(scope: Scope) -> tuple[Readable, ...]:
    """Make the taps of the system."""
    return (Processor(scope), Memory(scope))


def _process_use() -> Callable[[], tuple[float, float]]:
    """Read the seconds of processor that this process used, and those that all processors of the host had."""
    processors = psutil.cpu_count() or 1
    # Finer than psutil's ticks, and no file to be read in the midst of the model's work.
    return lambda: (time.process_time(), time.perf_counter() * processors)


def _host_use() -> tuple[float, float]:
    """Read the seconds that processors worked, and those that passed; waiting for a disk is not work."""
    times = psutil.cpu_times()._asdict()
    # On Linux the time of guests is in user and nice already.
    passed = sum(times.values()) - times.get("guest", 0.0) - times.get("guest_nice", 0.0)
    return passed - times["idle"] - times.get("iowait", 0.0), passed


def _resident() -> Reader:
    process = psutil.Process()
    return lambda: process.memory_info().rss


def _unavailable() -> float:
    memory = psutil.virtual_memory()
    return memory.total - memory.available
