"""The replay of half a year of forecasts beside the live demo: as a process, and what is told of it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil
import pytest

from engine.events import Alert
from engine.times import parse_time
from manometer.demo.charts import UNICODE
from manometer.demo.half_year import FILE, HalfYear, Replayed, half_year_lines
from manometer.demo.live import Moment
from manometer.demo.plain import Plain
from manometer.demo.stage import Stage
from manometer.view.drawing import Sheet, draw
from manometer.view.picture import Picture, Telemetry


def wait(half_year: HalfYear) -> Replayed:
    """Wait until it is done."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if (replayed := half_year.look()) is not None:
            return replayed
        time.sleep(0.02)
    raise AssertionError("the replay is not done after a minute")


def alert(name: str, day: str, value: float) -> Alert:
    """Make an alert of a day's window, which tells at its end."""
    return Alert(name, parse_time(day), firing=True, severity="warning", value=value, summary=f"{value:g}.")


def test_nothing_is_told_before_it_is_done(tmp_path: Path) -> None:
    """Neither before it was started nor while it runs; it runs with a lower priority than the demo."""
    with HalfYear(tmp_path) as half_year:
        assert (half_year.begun, half_year.look()) == (False, None)
        half_year.begin()
        child = next(one for one in psutil.Process().children() if f"{tmp_path / FILE}.part" in one.cmdline()[-1])

        assert (half_year.begun, half_year.look()) == (True, None)
        assert child.nice() > os.nice(0)


def test_one_that_is_ended_leaves_nothing(tmp_path: Path) -> None:
    """Where the demo ends while it has a part of its file, both are gone, and nothing is told of it."""
    with HalfYear(tmp_path) as half_year:
        half_year.begin()
        child = next(one for one in psutil.Process().children() if f"{tmp_path / FILE}.part" in one.cmdline()[-1])
        until = time.monotonic() + 60
        while not list(tmp_path.iterdir()) and time.monotonic() < until:
            time.sleep(0.01)
        assert list(tmp_path.glob("*.part"))

    assert not child.is_running()
    assert list(tmp_path.iterdir()) == []


def test_a_replay_that_fails_is_told_with_its_reason(tmp_path: Path) -> None:
    """The demo goes on; the line says why there is nothing."""
    with HalfYear(tmp_path / "missing") as half_year:
        half_year.begin()
        (line,) = half_year_lines(wait(half_year))

    assert line.startswith("half a year of forecasts could not be replayed: ")
    assert "missing" in line


def test_the_strongest_alert_of_each_name_is_told_with_its_day() -> None:
    """A window of a day tells when the next begins, so the day is the one before; other alerts are only counted."""
    alerts = [
        alert("QualityDropped", "2014-09-02", 976),
        alert("QualityDropped", "2015-01-02", 2525),
        alert("InputDrifted", "2014-12-26", 0.7),
        alert("LabelsMissing", "2014-12-27", 9),
    ]

    assert list(half_year_lines(Replayed(seconds=6.04, alerts=alerts))) == [
        "half a year of forecasts, replayed in 6.0 s: 4 alerts",
        "2014-12-25 InputDrifted       0.7.",
        "2015-01-01 QualityDropped     2525.",
    ]


@pytest.mark.parametrize(("alerts", "told"), [(0, "0 alerts"), (1, "1 alert")])
def test_the_count_is_told_in_words(alerts: int, told: str) -> None:
    """Also where nothing fired."""
    replayed = Replayed(seconds=1, alerts=[alert("LabelsMissing", "2014-12-27", 9)] * alerts)

    assert list(half_year_lines(replayed)) == [f"half a year of forecasts, replayed in 1.0 s: {told}"]


def moment(replayed: Replayed | None) -> Moment:
    """Make a moment of a demo in which nothing else is to be seen."""
    own = Telemetry(rate=0, checkpoint_age=None, checkpoint_seconds=0, waiting=0, monitors=[])
    nothing = dict.fromkeys(("engines", "streams", "numbers", "firing", "changes"), ())
    picture = Picture(workflow="demo", time=0, emissions=0, rejects=0, telemetry=own, **nothing)
    return Moment(picture=picture, passed=9.0, day=0.0, events=(), pids={}, address="", half_year=replayed)


REPLAYED = Replayed(seconds=6, alerts=[alert("InputDrifted", "2014-12-26", 0.7)])


@pytest.mark.parametrize(("height", "lines"), [(24, 1), (30, 2)])
def test_the_view_tells_it_below_its_title(height: int, lines: int) -> None:
    """On a low terminal only the first line, so that the engines have room."""
    told = [f" {line}" for line in half_year_lines(REPLAYED)][:lines]

    def drawn(replayed: Replayed | None) -> list[str]:
        around = Stage().around(moment(replayed))
        return [line.plain.rstrip() for line in draw(moment(replayed).picture, Sheet(80, UNICODE), height, around)]

    assert drawn(REPLAYED)[1 : 1 + lines] == told
    assert not set(told) & set(drawn(None))


def test_plain_lines_tell_it_once() -> None:
    """When it is done, with the seconds."""
    plain = Plain()
    shown = [line for replayed in (None, REPLAYED, REPLAYED) for line in plain.lines(moment(replayed))]

    assert shown[1:] == [
        "  9.0 s half a year of forecasts, replayed in 6.0 s: 1 alert",
        "        2014-12-25 InputDrifted       0.7.",
    ]
