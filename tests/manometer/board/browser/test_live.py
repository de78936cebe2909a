from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import expect

from archiver.sinks.sqlite import SqliteSink
from engine.clock import SystemClock
from engine.events import Alert, Metric, Tags
from engine.times import HOUR, MINUTE, SECOND
from tests.manometer.board.browser.looking import Looks, until
from tests.manometer.board.browser.serving import Board, copied
from tests.manometer.board.browser.shown import cells, choose, complete, panel, seen, signed, tells
from tests.manometer.board.browser.stored import written

TITLE: Final = "Cpu utilization"
MODEL: Final = "written-just-now"
OFFLINE: Final = ("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET")
"""What the browser itself says on the console of a server that is not there."""

Write = Callable[..., None]


@pytest.fixture
def moving(store: Path, tmp_path: Path) -> Iterator[Board]:
    """Show a store that somebody writes to."""
    found = Board(copied(store, tmp_path), tmp_path)
    found.start()
    yield found
    found.stop()


@pytest.fixture
def write(moving: Board) -> Iterator[Write]:
    """Archive a point as the archiver does, of an engine with a model of its own."""
    tags = Tags({"workflow": "live", "monitor": "resources", "model": MODEL, "engine": "e1"})
    sink = SqliteSink(moving.store)

    def put(value: float, *, ago: int = 0) -> None:
        assert not sink.write([Metric("cpu_utilization", SystemClock().now() - ago, value, tags)])

    yield put
    sink.close()


def test_a_point_appears_when_it_is_archived(
    moving: Board, write: Write, look: Looks, record_property: Callable[[str, object], None]
) -> None:
    """A new point is drawn, and told in words, without anybody asking; how soon is reported."""
    write(0.11, ago=3 * MINUTE)
    page = look.open(moving.at(since="now-15m", until="now", model=MODEL))
    shown = seen(panel(page, TITLE))
    signed(page, "live", "quiet")
    tells(shown, "11 %")

    begun = time.perf_counter()
    write(0.42)
    tells(shown, "42 %")

    record_property("seconds_from_the_archive_to_the_screen", time.perf_counter() - begun)
    signed(page, "live")


@pytest.mark.long
def test_points_appear_within_a_second(
    moving: Board, look: Looks, record_property: Callable[[str, object], None]
) -> None:
    """Half of the engines that begin to run, one after the other, are counted on the screen within a second."""
    page = look.open(moving.at(since="now-15m", until="now", workflow="live"))
    shown = seen(panel(page, "Engines running", "stat"))
    signed(page, "live", "quiet")
    took = []

    with closing(SqliteSink(moving.store)) as sink:
        for number in range(1, 31):
            tags = Tags({"workflow": "live", "monitor": "health", "model": MODEL, "engine": f"e{number}"})
            begun = time.perf_counter()
            sink.write([Metric("engine_state", SystemClock().now(), 1.0, tags)])
            expect(shown.locator(".big")).to_have_text(str(number))
            took.append(time.perf_counter() - begun)

    record_property("median_seconds_from_the_archive_to_the_screen", statistics.median(took))
    record_property("slowest_seconds_from_the_archive_to_the_screen", max(took))
    assert statistics.median(took) < 1


def test_after_a_restart_the_gap_is_filled(moving: Board, write: Write, look: Looks) -> None:
    """The page says that it is disconnected; when the server is back it goes on, and shows what came meanwhile."""
    write(0.11, ago=5 * MINUTE)
    page = look.open(moving.at(since="now-15m", until="now", model=MODEL), harmless=OFFLINE)
    shown = seen(panel(page, TITLE))
    tells(shown, "11 %")

    moving.stop()
    signed(page, "lost")
    write(0.22, ago=2 * MINUTE)
    moving.start()
    signed(page, "live", "quiet")
    tells(shown, "22 %")
    write(0.33)
    tells(shown, "33 %")
    choose(page, TITLE, "Show as table")

    assert [row[1] for row in cells(shown) if row[1]] == ["33 %", "22 %", "11 %"]


def test_what_could_not_be_read_is_read_once_it_can(moving: Board, look: Looks) -> None:
    """Panels that were asked for while the store was away come by themselves when it is back."""
    page = look.open(moving.at(since="now-15m", until="now"), harmless=("503",))
    complete(page)
    away = moving.store.rename(moving.store.with_suffix(".away"))
    page.goto(moving.at(since="now-30d", until="now"))
    failed = page.locator('.panel[data-state="error"]')
    expect(failed.first).to_be_visible()

    away.rename(moving.store)

    expect(failed).to_have_count(0)
    signed(page, "live", "quiet")


def test_a_killed_server_is_noticed_and_found_again(moving: Board, look: Looks) -> None:
    """Also where it had no time to say farewell; the verdict does not go on saying what it said."""
    page = look.open(moving.at(), harmless=OFFLINE)
    complete(page)

    moving.kill()
    signed(page, "lost")
    expect(page.locator("#verdict h1")).to_contain_text("Not known")
    moving.start()

    signed(page, "live", "quiet")


def test_silence_is_shown(moving: Board, write: Write, look: Looks) -> None:
    """Where nothing new comes the sign says so; with the next point all is as before."""
    write(0.11, ago=SECOND)
    page = look.open("about:blank")
    page.clock.install()
    page.goto(moving.at(since="now-15m", until="now"))
    signed(page, "live")

    page.clock.fast_forward(60_000)
    expect(page.locator("#connection")).to_contain_text("Stale: nothing new for")
    signed(page, "quiet")
    write(0.22)

    signed(page, "live")


def test_a_list_that_grows_keeps_the_focus(moving: Board, look: Looks) -> None:
    """Who has gone to an alert by keys stays there when another one comes above it."""
    page = look.open(moving.at())
    complete(page)
    alerts = seen(panel(page, "Alerts that fire", "alerts"))
    link = alerts.get_by_role("button", name="MemoryHigh")
    link.focus()

    with closing(SqliteSink(moving.store)) as sink:
        tags = Tags({"workflow": "live", "monitor": "health", "model": MODEL, "engine": "e1"})
        sink.write([Alert("JustFired", SystemClock().now(), True, "critical", None, "now", "engine-error", tags)])

    expect(alerts.get_by_role("button", name="JustFired")).to_be_visible()
    expect(link).to_be_focused()


def test_who_pauses_sees_no_change(moving: Board, write: Write, look: Looks) -> None:
    """A paused page keeps what it shows and its address has two times; live again it shows what came."""
    write(0.11, ago=3 * MINUTE)
    page = look.open(moving.at(since="now-15m", until="now", model=MODEL))
    shown = seen(panel(page, TITLE))
    tells(shown, "11 %")

    page.get_by_role("button", name="Pause").click()
    signed(page, "paused")
    before = moving.ask("/api/health")["newest"]
    write(0.42)
    until(lambda: moving.ask("/api/health")["newest"] > before)
    tells(shown, "11 %")
    assert "to=now" not in page.url
    page.get_by_role("button", name="Go live").click()

    tells(shown, "42 %")
    assert "to=now" in page.url


def test_an_old_store_is_not_called_well(tmp_path: Path, look: Looks) -> None:
    """Where the newest data is an hour old the verdict is that nothing is known, and it leads to the data."""
    tags = Tags({"workflow": "old", "monitor": "resources", "model": "old", "engine": "e1"})
    now = SystemClock().now()
    old = Board(
        written(
            tmp_path / "old.db",
            [Metric("cpu_utilization", now - HOUR - n * MINUTE, 0.11, tags) for n in range(5)],
        ),
        tmp_path,
    )
    old.start()
    page = look.open(old.at(since="now-15m", until="now"))

    expect(page.locator("#verdict h1")).to_contain_text("Not known: nothing came for")
    page.locator("#verdict").get_by_role("button", name="Show it").click()

    tells(seen(panel(page, TITLE)), "11 %")
    old.stop()
