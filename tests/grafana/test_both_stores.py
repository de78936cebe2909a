"""The same answers from SQLite and from a real InfluxDB, to everything that the boards ask."""

from __future__ import annotations

from typing import Final

import pytest

from engine.times import DAY, HOUR, MINUTE
from tests.grafana.answers import answer, difference, parts
from tests.grafana.filled import Filled
from tests.grafana.shown import all_boards
from tests.house.source import listed

SPANS: Final = (
    (30 * DAY, 21_600),
    (7 * DAY + 1_234_567, 3_600),
    (12 * HOUR, 300),
    (90 * MINUTE + 77_000, 60),
    (MINUTE, 10),
)
"""Times before the end, in microseconds, and the intervals in which they are shown."""
CHOSEN: Final[tuple[dict[str, list[str]], ...]] = (
    {},
    {"workflow": ["demo"], "model": ["recommender"], "engine": ["recommender-1", "recommender-2"]},
    {"workflow": ["day", "nobody"], "engine": ["recommender.1"], "process": ["worker"], "slot": ["0"]},
)
"""What is chosen on a board."""

each_board = pytest.mark.parametrize("uid", [board.uid for board in all_boards()])
each_span = pytest.mark.parametrize("span", SPANS, ids=[f"{interval} s" for _, interval in SPANS])


@each_board
@each_span
def test_both_stores_answer_the_same(uid: str, span: tuple[int, int], filled: Filled) -> None:
    """Each question of a board has one answer, wherever it is asked, for any range, interval and choice."""
    (board,) = (board for board in all_boards() if board.uid == uid)
    found, answered = [], 0
    for chosen in CHOSEN:
        blanks = filled.blanks(*span, chosen)
        for place, asked in parts(board):
            one = answer(filled.sqlite, asked, blanks, envelope=True)
            other = answer(filled.influxdb, asked, blanks, envelope=True)
            answered += len(one) > 1
            if differs := difference(one, other):
                found.append(f"{place}, {chosen}: {differs}")

    assert not found, listed(found)
    assert answered > len(board.panels) / 2 or span[0] < DAY


def test_the_newest_point_is_the_same(filled: Filled) -> None:
    """Both stores tell when the newest point came, leaving out what Manometer tells of itself."""
    assert filled.sqlite.newest() == filled.influxdb.newest() == filled.end // 1_000
