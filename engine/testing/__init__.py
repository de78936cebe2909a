"""The public test kit: feed a table of (seconds, record), move time by hand, crash between any two lines.

>>> from engine.testing import At, feed, report
>>> from monitors.throughput import Throughput
>>> table = [(10, report("e1", "manifold.0.records.count", 30, delta_time=10.0)), At(60)]
>>> feed(Throughput(), table).metrics("records_per_second", slot="0")
[(10.0, 3.0)]
"""

from __future__ import annotations

from engine.testing.feeding import Different, Fed, feed, feed_every_way
from engine.testing.plans import plan_of
from engine.testing.table import CHECKPOINT, CRASH, END, At, Line, TableError
from engine.testing.values import config, message, metric, report, state

__all__ = [
    "CHECKPOINT",
    "CRASH",
    "END",
    "At",
    "Different",
    "Fed",
    "Line",
    "TableError",
    "config",
    "feed",
    "feed_every_way",
    "message",
    "metric",
    "plan_of",
    "report",
    "state",
]
