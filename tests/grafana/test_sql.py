"""How SQLite goes about what the boards ask: by key, never through all points."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archiver.sinks.sqlite import SqliteSink
from grafana.filling import Blanks
from grafana.queries import Choices, Counted, Query, Where
from tests.grafana.answers import parts
from tests.grafana.shown import all_boards
from tests.house.source import listed

BLANKS = Blanks(start=0, end=43_200_000, interval=300)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Open a store without a point: nothing tells SQLite which table is the large one."""
    SqliteSink(tmp_path / "store.db").close()
    with closing(sqlite3.connect(tmp_path / "store.db")) as opened:
        yield opened


def plan(store: sqlite3.Connection, query: str) -> list[str]:
    """Give the steps in which SQLite answers."""
    return [step[3] for step in store.execute(f"EXPLAIN QUERY PLAN {query}", BLANKS.parameters())]


def test_no_question_of_a_board_goes_through_all_points(store: sqlite3.Connection) -> None:
    """Points, summaries and alerts are found by series and time, whatever a board asks; series by name."""
    found, looked = [], 0
    for board in all_boards():
        for place, asked in parts(board):
            texts = [asked.sql()]  # type: ignore[union-attr]  # no ratio, its parts
            if isinstance(asked, (Query, Counted)):
                texts.append(asked.sql(summaries=True))
            steps = [step for text in texts for step in plan(store, text)]
            looked += len(steps)
            bad = [
                step for step in steps if step.startswith(("SCAN points", "SCAN summaries", "SCAN alerts", "SCAN told"))
            ]
            if isinstance(asked, Query):
                bad += [step for step in steps if step.startswith("SCAN series")]
            found += [f"{place}: {step}" for step in bad]

    assert not found, listed(found)
    assert looked > 500


def test_points_are_found_by_series_and_time(store: sqlite3.Connection) -> None:
    """The key of a table is used to its end: a series, and within it a time."""
    query = Query(metric="m", where=(Where("slot"),), group_by=("slot",))

    steps = plan(store, query.sql(summaries=True))

    assert sum("SEARCH points USING PRIMARY KEY (series_id=? AND time>? AND time<?)" in step for step in steps) == 2
    assert any("SEARCH summaries USING PRIMARY KEY (series_id=? AND time>? AND time<?)" in step for step in steps)


def test_names_and_values_are_quoted(store: sqlite3.Connection) -> None:
    """A metric or tag may have any name, and a value any sign, that an emission may have."""
    odd = 'it\'s "odd" \\ ; -- $.a[0]'
    query = Query(metric=odd, where=(Where(odd, odd), Where(odd, odd, differs=True)), group_by=(odd,))

    for text in (query.sql(), query.sql(summaries=True), Choices(odd, (Where(odd, odd),)).sql()):
        cursor = store.execute(text, BLANKS.parameters())
        assert cursor.fetchall() == []
    assert [column[0] for column in store.execute(query.sql(), BLANKS.parameters()).description] == [
        odd,
        "time",
        "value",
    ]
