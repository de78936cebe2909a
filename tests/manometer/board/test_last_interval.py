from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from archiver.sinks.sqlite import SqliteSink
from engine.events import Metric, Tags
from engine.times import MINUTE, SECOND
from grafana.boards import boards
from manometer.board.asking import Watched
from manometer.board.sqlite_reader import SqliteReader
from manometer.board.view import View
from manometer.cli.catalogue import declared
from tests.manometer.board.serving import OVERVIEW, Case, milliseconds

TAGS = {"workflow": "steady", "model": "m", "engine": "e1", "slot": "0"}


def asked(board: Case, title: str, start: int, end: int) -> dict[str, Any]:
    """Ask for a panel between two times in microseconds."""
    span = f"from={start // 1_000}&to={end // 1_000}&width=1000&workflow=steady"
    return dict(board.ask(f"/api/query?board={OVERVIEW}&panel={board.panel(title)}&{span}").body)


@pytest.mark.parametrize("late", [0, 7, 29, 59])
def test_a_steady_rate_does_not_fall_at_the_end(board: Case, late: int) -> None:
    """A counter that grows by one a second has that rate in every interval, also where the last has hardly begun."""
    begin = milliseconds() * 1_000 // MINUTE * MINUTE - 30 * MINUTE
    end = begin + 20 * MINUTE + late * SECOND
    tags = Tags({**TAGS, "monitor": "rejected_records", "reason": "schema"})
    board.sink.write(
        [Metric("records_rejected_total", at, (at - begin) / SECOND, tags) for at in range(begin, end + 1, SECOND)]
    )

    (line,) = asked(board, "Records rejected, per second", begin, end)["lines"]

    values = [value for value in line["values"] if value is not None]
    assert len(values) >= 18
    assert values == pytest.approx([1.0] * len(values), abs=0.05)


def test_a_sum_waits_for_all_its_series(board: Case) -> None:
    """Where one of two engines has not reported in the last interval yet, their sum does not fall by half."""
    begin = milliseconds() * 1_000 // MINUTE * MINUTE - 30 * MINUTE
    end = begin + 20 * MINUTE + 2 * SECOND
    points = [
        Metric("records_per_second", at, 5.0, Tags({**TAGS, "monitor": "throughput", "engine": engine}))
        for engine, first in (("e1", 0), ("e2", 5 * SECOND))
        for at in range(begin + first, end + 1, 10 * SECOND)
    ]
    board.sink.write(points)

    answer = asked(board, "Records per second", begin, end)

    found = [one["value"] for one in answer.get("values", ())]
    found += [value for line in answer.get("lines", ()) for value in line["values"]]
    assert found == pytest.approx([10.0] * len(found))


def test_a_tick_brings_an_interval_once_it_is_over(tmp_path: Path) -> None:
    """Growth in a minute that goes on is not shown; with the first look after its end the whole of it is."""
    sink, minute = SqliteSink(tmp_path / "store.db"), 1_782_907_200_000 // 60_000
    tags = Tags({**TAGS, "monitor": "rejected_records", "reason": "schema"})
    (overview,) = (one for one in boards(declared()) if one.uid == OVERVIEW)
    (number,) = (at for at, panel in enumerate(overview.panels) if panel.title == "Records rejected, per second")
    view = View(Watched(OVERVIEW, 900, 240, ()), overview, SqliteReader(tmp_path / "store.db"))
    found = {}
    for second in range(0, 200, 5):
        now = minute * 60_000 + second * 1_000
        sink.write([Metric("records_rejected_total", now * 1_000, float(second), tags)])
        piece = view.compute(now).get(number)
        if piece is not None:
            answer = json.loads(piece)
            found[second] = [(time // 60_000 - minute, answer["lines"][0]["values"]) for time in answer["times"]]
    sink.close()

    assert found == {120: [(1, [1.0])], 180: [(2, [1.0])]}
