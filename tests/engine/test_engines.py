"""What a pipeline knows of engines: reports that came before are found again, also after a restart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.engines import WINDOW, Engine, TapRoute

IDENTS = st.none() | st.integers(-(2**80), 2**80) | st.floats(allow_nan=False, allow_infinity=False) | st.text()


def filled(reports: list[tuple[int, int | float | str | None]]) -> TapRoute:
    """Make a window in which these reports were accepted."""
    route = TapRoute()
    for time, ident in reports:
        if route.ids is not None or ident != route.ident:
            route.differ(route.position, ident)
        route.times[route.position] = time
        route.position = (route.position + 1) % WINDOW
        route.newest = max(route.newest, time)
    return route


@given(st.lists(st.tuples(st.integers(0, 2**53), IDENTS), max_size=40))
def test_a_window_knows_the_last_reports_after_a_restart(reports: list[tuple[int, int | float | str | None]]) -> None:
    """The last 16 reports are known by time and id, whatever the id is, before and after they were saved."""
    engine = Engine("e", None)
    engine.taps["t"] = filled(reports)
    restored = Engine("e", None)
    restored.load(engine.save())

    for window in (engine.taps["t"], restored.taps["t"]):
        assert all(window.knows(*report) for report in reports[-WINDOW:])
        assert window.newest == engine.taps["t"].newest
        assert window.position == len(reports) % WINDOW


@pytest.mark.parametrize("ident", [None, 1, "1", 2**64, 1.5])
def test_an_id_is_part_of_what_is_known(ident: float | str | None) -> None:
    """A report of the same time with another id, or with none, is another report; no id is an id too."""
    window = filled([(10, ident)])

    assert window.knows(10, ident)
    assert not window.knows(10, "other")
    assert not window.knows(11, ident)
    assert window.knows(10, None) == (ident is None)


def test_the_seventeenth_report_pushes_out_the_first() -> None:
    """A window has 16 places."""
    window = filled([(time, None) for time in range(17)])

    assert not window.knows(0, None)
    assert all(window.knows(time, None) for time in range(1, 17))


def test_the_model_is_named_by_the_last_who_knows() -> None:
    """engine-config goes before the workflow file, and that before the id; the first is saved."""
    engine = Engine("e", "listed")
    engine.named = "named"
    restored, alone = Engine("e", "listed"), Engine("e", None)
    restored.load(engine.save())

    assert (restored.model, Engine("e", "listed").model, alone.model) == ("named", "listed", "e")
