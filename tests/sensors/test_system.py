from __future__ import annotations

import time

import psutil
import pytest

from sensors.system import Memory, Processor, system_taps


def burn(seconds: float) -> None:
    """Use the processor for some seconds of this process."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        sum(range(1000))


def test_cpu_of_the_process_is_what_psutil_says() -> None:
    """The share of all processors of the host that this process used between two readings."""
    process, processors = psutil.Process(), psutil.cpu_count() or 1
    read = Processor("process").reader()
    begun, before = time.perf_counter(), process.cpu_times()
    burn(0.3)
    found = read()
    passed, after = time.perf_counter() - begun, process.cpu_times()

    used = after.user + after.system - before.user - before.system
    # the system counts in ticks of 10 ms: two ends, two kinds of time
    assert found == pytest.approx(used / passed / processors, abs=0.04 / passed)
    assert found is not None
    assert 0 < found <= 1


def test_cpu_of_the_host_is_what_psutil_says() -> None:
    """The share of time that the processors were busy, as psutil's own percentage tells it over the same time."""
    psutil.cpu_percent()
    read = Processor("host").reader()
    burn(0.4)
    found, told = read(), psutil.cpu_percent() / 100

    assert found == pytest.approx(told, abs=0.1)
    assert found is not None
    assert 0 < found <= 1


def test_two_sensors_of_the_processor_do_not_disturb_each_other() -> None:
    """Each reader measures since its own last reading, so a second one changes nothing for the first."""
    first, second = Processor("process").reader(), Processor("process").reader()
    burn(0.2)
    found = first(), second()

    assert found[0] == pytest.approx(found[1], abs=0.15)
    assert min(share or 0 for share in found) > 0


def test_memory_of_the_process_is_what_psutil_says() -> None:
    """The resident set in bytes; 64 MB that are written to show in it, and are gone when they are freed."""
    read = Memory("process").reader()
    before = read()
    block = bytearray(b"x") * 64_000_000
    during, told = read(), psutil.Process().memory_info().rss
    del block

    assert before is not None
    assert during is not None
    assert during == pytest.approx(told, rel=0.02)
    assert during - before == pytest.approx(64_000_000, rel=0.2)


def test_memory_of_the_host_is_what_psutil_says() -> None:
    """What is not available to new programs, in bytes."""
    found, memory = Memory("host").reader()(), psutil.virtual_memory()

    assert found == pytest.approx(memory.total - memory.available, rel=0.2)


def test_the_taps_of_the_system_are_gauges() -> None:
    """They have the names of the vocabulary, and nothing is lost when one is not read."""
    assert [(tap.name, tap.counts) for tap in system_taps("host")] == [
        ("sys.cpu.utilization", False),
        ("sys.memory", False),
    ]
