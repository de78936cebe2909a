"""Makes a SQLite store as 200 engines with the five sensor monitors fill it in twelve hours, and asks it for a board.

That are 7 million points. They are put in at once, because tests wait for them; the tables are the same as those that
the sink would have filled in hours. The sink itself writes the alerts. Then each panel of the overview is read over
twelve hours, in processor time. The exit code is 1 where that takes longer than promised.

    python benchmarks/_made_store.py [FILE] [--long | --tiny]
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timezone
from typing import Final

from archiver.sinks.sqlite import SqliteSink
from archiver.sqlite_lines import series_line
from archiver.sqlite_schema import SUM_UP_SPAN, SUMMED
from benchmarks import _reports
from benchmarks.long import machine
from engine.events import Alert, Emission, Tags
from engine.times import HOUR, MINUTE, SECOND
from grafana.filling import Blanks
from manometer.board.sqlite_reader import SqliteReader
from tests.grafana.answers import answer, parts
from tests.grafana.shown import all_boards

REPORTS: Final = 10 * SECOND
"""Time between two reports of an engine."""
_INTERVAL: Final = 300
_PANEL, _OVERVIEW = 0.15, 1.0
"""Seconds of processor time that a panel, and all panels of the overview, may take."""
_REPEAT: Final = 5 * MINUTE
_MODELS: Final = ("recommender", "lstm")
_RARE: Final = 40
"""One engine of so many is in error for the last hour."""
_REPORTS_AN_HOUR: Final = HOUR // REPORTS
_FEW: Final = (
    ("stream_records_per_second", {"workflow": "made", "monitor": "arrival", "stream": "input"}, "700 + noise * 90"),
    ("stream_delay_seconds", {"workflow": "made", "monitor": "arrival", "stream": "input"}, "0.4 + noise"),
    ("input_drift_score", {"workflow": "made", "monitor": "drift", "field": "age"}, "noise * 0.3"),
    ("prediction_mae", {"workflow": "made", "monitor": "divergence", "model": "lstm"}, "0.02 + noise * 0.01"),
    ("prediction_match_ratio", {"workflow": "made", "monitor": "divergence", "model": "lstm"}, "0.98 + noise * 0.02"),
    ("prediction_latency_seconds", {"workflow": "made", "monitor": "latency", "model": "lstm"}, "0.03 + noise * 0.1"),
    ("monitor_errors_total", {"workflow": "manometer", "process": "worker", "of": "drift"}, "n / 100"),
    (
        "messages_total",
        {"workflow": "manometer", "process": "worker", "group": "notify", "outcome": "applied"},
        "n * 9",
    ),
    ("messages_behind", {"workflow": "manometer", "process": "worker", "topic": "notify"}, "n % 20"),
)
"""Series that are there once: metric, tags, and the value of report `n`."""
_OF_AN_ENGINE: Final = (
    ("cpu_utilization", "resources", None, None, "0.35 + 0.3 * (n % 2160) / 2160 + noise * 0.2"),
    ("memory_bytes", "resources", None, None, "4e8 + n * 3e4 + noise * 1e7"),
    ("engine_state", "health", None, None, f"CASE WHEN left < {_REPORTS_AN_HOUR} AND :bad THEN 2 ELSE 1 END"),
    ("records_per_second", "throughput", "0", None, "55 + noise * 8"),
    ("records_per_second", "throughput", "1", None, "11 + noise * 4"),
    ("records_total", "record_count", "0", None, "n * 550.0"),
    ("records_total", "record_count", "1", None, "n * 110.0"),
    ("records_rejected_total", "rejected_records", "0", "schema", "n / (3 + :id % 7)"),
)
"""Series that each engine has: metric, monitor, slot, reason, and the value of report `n`."""

_PUT: Final = """INSERT INTO points
    WITH RECURSIVE report(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM report WHERE n + 1 < :count)
    SELECT :id, :start + n * :every, {} FROM (
        SELECT n, :count - n AS left, (:id * 7919 + n * 104729) * 48271 % 1000003 / 1000003.0 AS noise FROM report
    )"""

_Series = tuple[str, Tags, str]


def make(path: str | os.PathLike[str], end: int, *, engines: int = 200, hours: int = 12) -> int:
    """Make the store, and give the number of points.

    Args:
        path: the file; there is none yet.
        end: the time of the last reports, in microseconds.
        engines: how many.
        hours: how much time before the end.
    """
    SqliteSink(path).close()
    end -= end % REPORTS
    count = hours * _REPORTS_AN_HOUR
    given = {"count": count, "start": end - (count - 1) * REPORTS, "every": REPORTS}
    made = list(_series(engines))
    with closing(sqlite3.connect(path, isolation_level=None)) as store:
        store.execute("PRAGMA synchronous = OFF")
        store.execute("BEGIN")
        for number, (name, tags, value) in enumerate(made, 1):
            line = series_line(name, bytes(tags.wire))
            store.execute("INSERT INTO series VALUES (?, ?, ?, ?, ?, ?, ?)", (number, *line))
            store.execute(_PUT.format(value), {**given, "id": number, "bad": _is_bad(tags)})
            store.execute(SUM_UP_SPAN, (number, 0, end - end % SUMMED))
        store.execute("COMMIT")
    sink = SqliteSink(path)
    refused = sink.write(list(_alerts(engines, end)))
    sink.close()
    if refused:
        raise ValueError(refused[0].reason)
    return len(made) * count


def _series(engines: int) -> Iterator[_Series]:
    for name, tags, value in _FEW:
        yield name, Tags(dict(tags)), value
    for number in range(engines):
        for name, monitor, slot, reason, value in _OF_AN_ENGINE:
            tags = {"workflow": "made", "monitor": monitor, "engine": f"engine-{number:03}", "model": _model(number)}
            more = {"slot": slot, "reason": reason}
            yield name, Tags({**tags, **{tag: text for tag, text in more.items() if text is not None}}), value


def _model(number: int) -> str:
    return _MODELS[number % len(_MODELS)]


def _is_bad(tags: Tags) -> bool:
    engine = str(tags.get("engine", ""))
    return bool(engine) and int(engine.removeprefix("engine-")) % _RARE == 0


def _alerts(engines: int, end: int) -> Iterator[Emission]:
    """Tell of the engines in error: when it began, and again every five minutes."""
    began = end - HOUR
    for number in range(0, engines, _RARE):
        tags = {"workflow": "made", "monitor": "health", "engine": f"engine-{number:03}", "model": _model(number)}
        for when in range(began, end + 1, _REPEAT):
            alert = Alert("EngineError", when, True, "critical", None, "state error", "engine-error", Tags(tags))
            alert.repeat = when > began
            yield alert


def reading(path: str | os.PathLike[str], end: int, hours: int) -> dict[str, float]:
    """Read each panel of the overview, and give the seconds of processor time that it takes, the best of three."""
    reader = SqliteReader(path)
    (board,) = (board for board in all_boards() if board.uid == "manometer-overview")
    blanks = Blanks(start=(end - hours * HOUR) // 1_000, end=end // 1_000, interval=_INTERVAL)
    named = [place.partition(": ")[2] for place, _ in parts(board)]
    best: dict[str, float] = {}
    for _ in range(3):
        for number, (_, asked) in enumerate(parts(board)):
            place = f"{number:2} {named[number]}"
            begun = time.process_time()
            answer(reader, asked, blanks, envelope=True)
            best[place] = min(best.get(place, 60.0), time.process_time() - begun)
    reader.close()
    return best


def main() -> int:
    """Make the store, read it, print a table and the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", help="keep the store in this file, which is not there yet")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--long", action="store_true", help="as without: 7 million points")
    size.add_argument("--tiny", action="store_true", help="two engines and an hour, to see that it works")
    asked = parser.parse_args()
    engines, hours = (2, 1) if asked.tiny else (200, 12)
    end = int(time.time()) * SECOND
    with tempfile.TemporaryDirectory() as folder:
        path = asked.file or f"{folder}/store.db"
        begun = time.perf_counter()
        points = make(path, end, engines=engines, hours=hours)
        making = time.perf_counter() - begun
        best = reading(path, end, hours)
        made = os.path.getsize(path)  # noqa: PTH202 - a text
    print(_reports.table([(place, f"{1_000 * spent:.1f} ms") for place, spent in best.items()]))
    figures = {"points": points, "bytes": made, "making_seconds": making}
    figures |= {"overview_seconds": sum(best.values()), "slowest_panel_seconds": max(best.values())}
    about = {"date": datetime.now(timezone.utc).strftime("%Y-%m-%d"), "machine": machine()}
    print(json.dumps({**figures, **about}))
    return int(sum(best.values()) > _OVERVIEW or max(best.values()) > _PANEL)


if __name__ == "__main__":
    sys.exit(main())
