"""The first versions that `manometer new` writes; `{name}` and its kin are filled in."""

from __future__ import annotations

from typing import Final

MONITOR: Final = '''"""The largest value of a field, minute by minute."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from engine.catalogue import MetricSpec
from engine.events import Metric, Record
from engine.monitor import Key, Monitor, MonitorOptions, MonitorState
from engine.times import MINUTE

{spec} = MetricSpec(
    name="{metric}",
    kind="gauge",
    unit="as in the records",
    help="Largest value that {name} saw within a minute of stream time.",
    direction="lower is better",
)


class {cls}(Monitor):
    """Tells the largest value of a field of JSON records, once a minute of stream time."""

    class Options(MonitorOptions):
        """Which field is looked at."""

        field: str = Field("value", description="Field of the records that holds the number.")

    class State(MonitorState):
        """The minute that is open and the largest value in it."""

        until: int | None = None
        largest: float = 0.0

    scope = "stream"
    reads = dict
    series = ("stream",)
    emits = ({spec},)

    def key(self, record: Record) -> Key | None:
        """Take the records that have the number; all of a stream are one series."""
        value = record.value.get(self.options.field)
        return (record.stream,) if type(value) in (int, float) else None

    def on_record(self, record: Record, state: State) -> Iterable[Metric]:
        """Keep the largest value; the first record of a minute opens it."""
        value = float(record.value[self.options.field])
        state.largest = value if state.until is None else max(state.largest, value)
        state.until = state.until or record.time // MINUTE * MINUTE + MINUTE
        return ()

    def next_timer(self, state: State) -> int | None:
        """Ask to be called when the open minute ends."""
        return state.until

    def on_timer(self, now: int, state: State) -> Iterable[Metric]:
        """Tell the largest value of the minute that ended."""
        state.until = None
        return [{spec}.at(now, state.largest)]
'''

MONITOR_TEST: Final = '''"""What {name} promises."""

from __future__ import annotations

{imports}
RECORDS: list[Line] = [(1, {{"value": 2.0}}), (30, {{"value": 5.0}}), (61, {{"value": 1.0}}), At(120)]


def test_the_largest_value_of_each_minute_is_told() -> None:
    """At the end of a minute comes the largest value that it had."""
    fed = feed({cls}(), RECORDS)

    assert fed.metrics("{metric}") == [(60.0, 5.0), (120.0, 1.0)]


def test_it_keeps_the_contract() -> None:
    """It passes the suite that every monitor passes."""
    check_monitor({cls}, RECORDS)
'''

IMPORTS_IN_CHECKOUT: Final = """from engine.checks import check_monitor
from engine.testing import At, Line, feed
from monitors.{name} import {cls}
"""
IMPORTS_ELSEWHERE: Final = """from pathlib import Path

from engine.checks import check_monitor
from engine.plugins import find_monitor
from engine.testing import At, Line, feed

{cls} = find_monitor("{name}", [Path(__file__).parent]).cls
"""

MONITOR_PAGE: Final = """# {name}

Tells the largest value of a field of JSON records, once a minute of stream time.

## Sample

```yaml
workflow: {workflow}
{plugins}streams:
  records: {{topic: records, decode: json, time: time}}
monitors:
  - {{use: {name}, from: records, with: {{field: value}}}}
archive: {{topic: archive}}
```

## Options

<!-- generated: options -->
<!-- end -->

## Emits

<!-- generated: emits -->
<!-- end -->

## Meaning

Minutes begin at whole minutes since 1970. At the end of a minute in which records came, `{metric}` is the largest value
of the field; its time is that end. A minute without records gives nothing.

## Delivery

A late record counts in the minute that is open when it comes; where none is open it opens that of its own time. A
minute that has not ended when the input ends gives nothing.

## See also

{see}
"""

WORKFLOW: Final = """# What this workflow watches, in a sentence. Check it: manometer check {name}.yaml
workflow: {name}

streams:
  # What engines and their sensors send.
  notify: {{topic: notify, decode: sensors}}

# engine id -> model name; engine-config messages add to it.
engines:
  engine-1: my-model

monitors:
  - {{use: throughput, from: notify}}
  - {{use: record_count, from: notify}}
  - {{use: rejected_records, from: notify}}
  - {{use: resources, from: notify}}
  - {{use: health, from: notify, with: {{silent_after: 60s}}}}

alerts:
  - {{alert: CpuHigh, when: cpu_utilization > 0.9, for: 10m, severity: warning}}

archive: {{topic: archive}}
repeat: 5m
"""

WORKFLOW_TEST: Final = """# Run these: manometer test {name}.yaml
tests:
  - name: an engine from which nothing comes for a minute is silent
    given:
      - notify: {{type: engine-state, timestamp: "2026-01-01T00:00:00Z", src: engine-1, state: running}}
      - at: "2026-01-01T00:01:00Z"
    expect:
      - {{alert: EngineSilent, state: firing, time: "2026-01-01T00:01:00Z", tags: {{model: my-model}}}}
"""
