"""A store as a day of engines leaves it: the made one is what the sink writes, and summaries answer as points do."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec.structs import replace

from archiver.sinks.sqlite import SqliteSink, read_alerts, read_points
from benchmarks._made_store import REPORTS, make
from engine.events import Emission
from engine.times import HOUR, MINUTE, SECOND
from grafana.filling import Blanks
from grafana.queries import Counted, Query
from manometer.board.asking import Watched
from manometer.board.sqlite_reader import SqliteReader
from manometer.board.view import View
from tests.grafana.answers import answer, difference, parts
from tests.grafana.shown import all_boards
from tests.house.source import listed

END: Final = 1_782_907_200 * SECOND + 170 * SECOND
ENGINES: Final = 40
SPANS: Final = (
    (12 * HOUR, 300, 0),
    (12 * HOUR - 77 * SECOND, 1_800, 3),
    (7 * MINUTE, 300, 400_000),
    (2 * MINUTE, 600, 0),
)
"""Times before the end, intervals, and how long ago it ended, in milliseconds."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a store of 40 engines and twelve hours: 1.4 million points."""
    file = tmp_path_factory.mktemp("made") / "store.db"
    assert make(file, END, engines=ENGINES) > 1_000_000
    return file


def tables(file: Path) -> list[list[tuple[Any, ...]]]:
    """Read all tables, with names and tags in place of the numbers of series."""
    queries = ["SELECT name, sql FROM sqlite_master ORDER BY name", "PRAGMA user_version"]
    joined = "SELECT name, tags, {0}.* FROM {0} JOIN series ON id = series_id ORDER BY 1, 2, 4"
    queries += [joined.format(table) for table in ("points", "summaries", "alerts")]
    with closing(sqlite3.connect(file)) as opened:
        return [
            [line[:2] + line[3:] for line in opened.execute(query)]
            if "JOIN" in query
            else opened.execute(query).fetchall()
            for query in queries
        ]


def test_the_made_store_is_what_the_sink_writes(tmp_path: Path) -> None:
    """Table for table a made store equals one that the sink fills, report by report, with the same emissions."""
    make(tmp_path / "made.db", END, engines=2, hours=1)
    emissions: list[Emission] = [*read_points(tmp_path / "made.db"), *read_alerts(tmp_path / "made.db")]
    sink = SqliteSink(tmp_path / "written.db")
    for since in range(END - 2 * HOUR, END + 1, REPORTS):
        assert not sink.write([one for one in emissions if since <= one.time < since + REPORTS])
    sink.close()

    assert tables(tmp_path / "made.db") == tables(tmp_path / "written.db")


@pytest.mark.parametrize("span", SPANS)
def test_summaries_answer_as_points_do(store: Path, span: tuple[int, int, int]) -> None:
    """Whatever a board asks, with whole five minutes at the ends of a time or parts of them: both answer the same."""
    length, interval, ago = span
    blanks = Blanks(start=(END - length) // 1_000 - ago, end=END // 1_000 - ago, interval=interval)
    found, asked_for = [], 0
    with closing(sqlite3.connect(store)) as opened:
        for board in all_boards():
            for place, asked in parts(board):
                if isinstance(asked, (Query, Counted)):
                    one, other = (
                        opened.execute(asked.sql(summaries=summaries), blanks.parameters()).fetchall()
                        for summaries in (True, False)
                    )
                    asked_for += bool(one)
                    if differs := difference(one, other):
                        found.append(f"{place}: {differs}")

    assert not found, listed(found)
    assert asked_for > 15


def test_twelve_hours_are_answered_from_summaries(store: Path) -> None:
    """Each panel of the overview takes a small part of the time that it would take from points, and not much of any."""
    blanks = Blanks(start=END // 1_000 - 43_200_000, end=END // 1_000, interval=300)
    reader = SqliteReader(store)
    (board,) = (board for board in all_boards() if board.uid == "manometer-overview")
    spent = []
    for _ in range(3):
        begun = time.process_time()
        for _, asked in parts(board):
            answer(reader, asked, blanks, envelope=True)
        spent.append(time.process_time() - begun)
    reader.close()

    query = Query(metric="cpu_utilization", group_by=("engine",))
    with closing(sqlite3.connect(store)) as opened:
        ratio = _seconds(opened, query.sql(summaries=True), blanks) / _seconds(opened, query.sql(), blanks)

    assert min(spent) < 1
    assert ratio < 0.5


def test_a_tick_costs_little_of_what_the_board_costs(store: Path, tmp_path: Path) -> None:
    """With new points of all engines only what is new is read; with none, next to nothing."""
    file = tmp_path / "store.db"
    file.write_bytes(store.read_bytes())
    (board,) = (board for board in all_boards() if board.uid == "manometer-overview")
    view = View(Watched(board.uid, 43_200, 240, ()), board, SqliteReader(file))
    now, spent, told = END // 1_000, {}, {}
    newest = {(one.name, str(one.tags)): one for one in read_points(file, name="cpu_utilization")}.values()
    view.compute(now)
    sink = SqliteSink(file)
    for name in ("whole", "tick", "nothing"):
        now += 1_000
        if name != "nothing":
            sink.write([replace(one, time=now * 1_000, value=now % 7 / 7) for one in newest])
        told[name], spent[name] = view.compute(now, complete=name == "whole"), view.cost
    sink.close()

    assert spent["tick"] < spent["whole"] / 3
    assert spent["nothing"] < spent["whole"] / 3
    assert told["tick"]
    assert not told["nothing"]


def _seconds(opened: sqlite3.Connection, query: str, blanks: Blanks) -> float:
    begun = time.process_time()
    opened.execute(query, blanks.parameters()).fetchall()
    return time.process_time() - begun
