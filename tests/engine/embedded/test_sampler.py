from __future__ import annotations

from pathlib import Path

from engine.embedded.sampler import Sampler
from engine.telemetry import MONITOR_ERRORS, MONITOR_SECONDS
from tests.engine.embedded.running import clock_at, plan_of, report, running, send

SLOW = '''
from engine.catalogue import MetricSpec
from engine.monitor import Monitor, MonitorOptions, MonitorState
from engine.reports import SensorReport


class Slow(Monitor):
    """Takes its time, and fails now and then."""

    class Options(MonitorOptions):
        """None."""

    class State(MonitorState):
        """None."""

    scope = "key"
    reads = SensorReport
    series = ("engine",)
    emits = ()
    key_fields = frozenset({"src"})

    def key(self, record):
        return (record.value.src,)

    def on_record(self, record, state):
        total = 0
        for number in range(300_000):
            total += number
        if record.value.data == 13:
            raise ValueError("thirteen")
        return ()
'''
WORKFLOW = """
workflow: test
plugins: [./plugins]
streams: {notify: {topic: notify, decode: sensors}}
monitors:
  - {use: slow, name: crawls, from: notify}
  - {use: record_count, from: notify}
archive: {topic: archive}
"""


def test_time_and_errors_are_told_by_monitor(tmp_path: Path) -> None:
    """The one that takes the time is the one that is named, and so is the one that fails."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "slow.py").write_text(SLOW, encoding="utf-8")
    with running(plan_of(tmp_path, WORKFLOW), tmp_path / "data") as (embedded, _):
        for start in range(0, 40, 10):
            send(embedded, *(report(n, data=n) for n in range(start, start + 10)))
        found = {(one.spec.name, one.tags.get("of")): one.value for one in embedded.readings()}

    assert found[MONITOR_SECONDS.name, "crawls"] > 10 * found[MONITOR_SECONDS.name, "record_count"]
    assert found[MONITOR_ERRORS.name, "crawls"] == 1
    assert found[MONITOR_ERRORS.name, "record_count"] == 0


def test_a_thread_that_waits_costs_no_monitor_anything(tmp_path: Path) -> None:
    """Without a frame of a monitor there is nobody to count for."""
    sampler = Sampler(plan_of(tmp_path).monitors, clock_at())

    assert sampler._monitor(None) is None
    assert set(sampler.seconds.values()) == {0.0}
