"""Every query of every board on a real InfluxDB: no mistake in it, and something to draw."""

from __future__ import annotations

from typing import Final

import pytest

from engine.catalogue import MetricSpec
from engine.times import DAY, HOUR
from grafana.queries import Query, Where
from tests.grafana.filled import Filled
from tests.grafana.shown import all_boards, asked, declared, rendered
from tests.house.source import listed

EMPTY: Final = {
    "manometer-alerts: Info alerts: A": "where the most alerts fire, none is of severity info: shown as 0",
}
"""What finds nothing, with the reason."""
NOT_EMITTED: Final = {
    "quality_": "measures of classes; the recorded model forecasts a number",
}
"""Metrics of monitors (or beginnings of their names) of which the recorded days have none, with the reason."""

each_board = pytest.mark.parametrize("uid", [board.uid for board in all_boards()])


@each_board
def test_each_query_finds_something(uid: str, filled: Filled) -> None:
    """Each statement of a board (panels, variables, alerts on time axes) runs, and finds what was archived."""
    blanks = filled.blanks(30 * DAY, 3_600)
    empty = {place for place, query in asked(rendered()[uid]) if not filled.ask(blanks.fill(query))}

    assert not (found := empty - EMPTY.keys()), listed(sorted(found))
    assert {place for place in EMPTY if place.startswith(uid)} <= empty


def test_the_recorded_days_emit_all_but_a_few(filled: Filled) -> None:
    """Metrics of monitors that are made up here are named with the reason; nothing is on that list for nothing."""
    names = {
        item.spec.name for item in declared() if isinstance(item.spec, MetricSpec) and item.monitors != ("engine",)
    }
    missing = names - filled.emitted
    unexplained = [name for name in sorted(missing) if not name.startswith(tuple(NOT_EMITTED))]

    assert not unexplained, listed(unexplained)
    assert all(any(name.startswith(start) for name in missing) for start in NOT_EMITTED)


def test_what_is_chosen_is_what_is_shown(filled: Filled) -> None:
    """A chosen engine leaves only its own series; signs that mean something in a pattern are taken as they are."""
    query = Query(metric="cpu_utilization", where=(Where("engine"),), group_by=("engine",))
    one = filled.blanks(DAY, 60, {"engine": ["recommender-1"]})
    two = filled.blanks(DAY, 60, {"engine": ["recommender-1", "recommender-2"]})
    none = filled.blanks(DAY, 60, {"engine": ["recommender.1"]})

    found = [
        {series["tags"]["engine"] for series in filled.ask(blanks.fill(query.influxql()))}
        for blanks in (one, two, none)
    ]

    assert found == [{"recommender-1"}, {"recommender-1", "recommender-2"}, set()]


def test_a_present_state_is_found_in_an_hour_without_one(filled: Filled) -> None:
    """Panels of a present state look back a day from the end of the chosen time, however short that is."""
    now = next(panel for panel in all_boards()[0].panels if panel.title == "Engines running")
    (ask,) = now.asks

    texts = [filled.blanks(span, 60).fill(ask.influxql()) for span in (DAY, HOUR, 1_000_000)]  # type: ignore[union-attr]  # Counted

    first, *others = [filled.ask(text) for text in texts]
    assert first
    assert others == [first, first]


def test_a_sum_over_series_takes_each_once(filled: Filled) -> None:
    """`across` adds the means of the series; pooled samples would give their mean instead."""
    each = Query(metric="records_per_second", group_by=("engine", "slot"), interval=None)
    total = Query(metric="records_per_second", across="sum", interval=None)
    blanks = filled.blanks(DAY, 60)

    parts = filled.ask(blanks.fill(each.influxql()))
    (whole,) = filled.ask(blanks.fill(total.influxql()))

    assert len(parts) > 5
    assert whole["values"][0][1] == pytest.approx(sum(series["values"][0][1] for series in parts))


def test_the_growth_of_a_counter_is_its_rate(filled: Filled) -> None:
    """A counter that grows by one in five minutes has the rate 1/300 a second, whatever the interval."""
    query = Query(metric="messages_total", group_by=("outcome",), aggregate="rate")
    (series,) = filled.ask(filled.blanks(HOUR, 300).fill(query.influxql()))

    assert [value for _, value in series["values"]] == pytest.approx([1 / 300] * len(series["values"]))
    assert len(series["values"]) >= 8
