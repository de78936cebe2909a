from __future__ import annotations

import csv
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Page, expect

from tests.grafana.shown import all_boards
from tests.manometer.board.browser.looking import Looks
from tests.manometer.board.browser.serving import Board
from tests.manometer.board.browser.shown import asked_by, choose, complete, panel, said, seen, signed, tells

MODEL: Final = "manometer-model"
TITLE: Final = "Cpu utilization"
ENGINE: Final = "recommender-1"


def asked(url: str, name: str) -> list[str]:
    """Give the values of a parameter of an address."""
    return parse_qs(urlparse(url).query).get(name, [])


def pick(page: Page, variable: str, value: str) -> None:
    """Choose a value of a filter."""
    page.locator(f"button.filter[data-variable={variable}]").click()
    page.get_by_role("checkbox", name=value, exact=True).check()
    page.get_by_role("button", name="Apply").click()


def test_filters_stand_in_the_address(board: Board, look: Looks) -> None:
    """A chosen engine is asked for by all panels, survives a reload, and the way back leads to all engines."""
    page = look.open(board.at(MODEL))
    complete(page)

    urls = asked_by(page, lambda: pick(page, "engine", ENGINE))

    assert asked(page.url, "engine") == [ENGINE]
    assert len(urls) > 2
    assert all(asked(url, "engine") == [ENGINE] for url in urls)
    assert said(seen(panel(page, TITLE))).count("%") == 1
    page.reload()
    complete(page)
    assert asked(page.url, "engine") == [ENGINE]
    expect(page.locator("button.filter[data-variable=engine]")).to_contain_text(ENGINE)
    page.go_back()
    expect(page.locator("button.filter[data-variable=engine]")).to_contain_text("all")
    assert not asked(page.url, "engine")


def test_a_filter_narrows_the_choices_of_the_others(board: Board, look: Looks) -> None:
    """Where a model is chosen only its engines can be, and typing narrows the list."""
    page = look.open(board.at(MODEL, model="recommender"))
    complete(page)
    page.locator("button.filter[data-variable=engine]").click()
    boxes = page.locator(".popover input[type=checkbox]")
    expect(boxes.first).to_be_visible()

    few = boxes.count()
    page.keyboard.type(ENGINE[-1])

    expect(boxes).to_have_count(1)
    assert few > 1
    assert boxes.first.get_attribute("value") == ENGINE


def test_a_drag_zooms_all_panels(board: Board, look: Looks) -> None:
    """What was marked on one time axis becomes the time of all; Escape and the way back undo it."""
    page = look.open(board.at(since="now-12h", until="now"))
    complete(page)
    over = seen(panel(page, TITLE)).locator(".u-over")
    place = over.bounding_box()
    assert place is not None
    row = place["y"] + place["height"] / 2
    before = page.url

    def drag() -> None:
        page.mouse.move(place["x"] + place["width"] * 0.25, row)
        page.mouse.down()
        page.mouse.move(place["x"] + place["width"] * 0.5, row, steps=4)
        page.mouse.up()

    urls = asked_by(page, drag)

    ranges = {(asked(url, "from")[0], asked(url, "to")[0]) for url in urls}
    assert len(urls) > 3
    assert len(ranges) == 1
    ((start, end),) = ranges
    assert (asked(page.url, "from"), asked(page.url, "to")) == ([start], [end])
    assert int(end) - int(start) == pytest.approx(3 * 3_600_000, rel=0.05)
    signed(page, "paused")
    page.keyboard.press("Escape")
    complete(page)
    assert page.url == before
    page.go_back()
    expect(page).not_to_have_url(before)
    page.go_back()
    expect(page).to_have_url(before)


def test_a_range_can_be_chosen(board: Board, look: Looks) -> None:
    """From the list, and as two times; the address has it."""
    page = look.open(board.at())
    complete(page)

    page.locator("#range").click()
    page.get_by_role("button", name="Last 3 hours").click()
    complete(page)
    assert (asked(page.url, "from"), asked(page.url, "to")) == (["now-3h"], ["now"])
    page.locator("#range").click()
    page.get_by_label("From", exact=True).fill("2024-01-02T03:04:05")
    page.get_by_label("To", exact=True).fill("2024-01-02T04:04:05")
    page.get_by_role("button", name="Show", exact=True).click()
    complete(page)

    assert (asked(page.url, "from"), asked(page.url, "to")) == (["1704164645000"], ["1704168245000"])
    expect(panel(page, TITLE)).to_contain_text("No data in this range")


def test_all_can_be_done_by_keys(board: Board, look: Looks) -> None:
    """Boards, range, filter, pause and help have keys; Escape closes what is open, and the focus goes back."""
    page = look.open(board.at())
    complete(page)
    current = page.locator("nav [aria-current=page]")

    for number, one in enumerate(all_boards(), 1):
        page.keyboard.press(str(number))
        expect(current).to_have_text(one.title)
    page.keyboard.press("t")
    expect(page.get_by_role("dialog", name="Time range")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Time range")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Space")
    signed(page, "paused")
    page.keyboard.press("Space")

    signed(page, "live", "quiet")


def test_the_first_stop_of_tab_leads_past_the_head(board: Board, look: Looks) -> None:
    """Who goes by Tab may skip what is the same on every board, sees where he is, and reaches every menu."""
    page = look.open(board.at())
    complete(page)

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the panels"
    page.keyboard.press("Enter")
    stops = []
    for _ in range(12):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.getAttribute('aria-label') || ''"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", stops[-1]

    assert any(stop.startswith("Menu of") for stop in stops)


def test_a_panel_comes_as_csv(board: Board, look: Looks, tmp_path: Path) -> None:
    """The file of a panel has its time axis and a column for each line, as numbers."""
    page = look.open(board.at(since="now-12h", until="now"))
    complete(page)

    with page.expect_download() as download:
        choose(page, TITLE, "CSV file")
    download.value.save_as(tmp_path / "panel.csv")

    head, *rows = csv.reader(StringIO((tmp_path / "panel.csv").read_text(encoding="utf-8")))
    assert download.value.suggested_filename.endswith(".csv")
    assert head[0] == "time"
    assert len(head) > 2
    assert len(rows) > 10
    times = [datetime.fromisoformat(row[0]) for row in rows]
    assert times == sorted(times)
    assert all(0 <= float(cell) <= 1 for row in rows for cell in row[1:] if cell)


def test_a_picture_can_be_read_as_a_table(board: Board, look: Looks) -> None:
    """Each panel shows its numbers as a table where a person asks for it, and as a picture again."""
    page = look.open(board.at(since="now-12h", until="now"))
    complete(page)

    choose(page, TITLE, "Show as table")
    found = panel(page, TITLE)

    expect(found.locator("th").first).to_have_text("Time")
    assert found.locator("tbody tr").count() > 10
    choose(page, TITLE, "Show as picture")
    expect(found.locator("canvas")).to_have_count(1)
    tells(found, TITLE)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_is_that_of_the_system(scheme: str, board: Board, look: Looks) -> None:
    """Until a person chooses: then it is theirs, also after a reload."""
    page = look.open(board.at(), color_scheme=scheme)
    dark = scheme == "dark"
    complete(page)

    assert is_dark(page) is dark
    page.locator("#theme").click()
    assert is_dark(page) is not dark
    page.reload()
    complete(page)

    assert is_dark(page) is not dark


def is_dark(page: Page) -> bool:
    """Say whether the page is darker than grey."""
    numbers = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).map(Number)")
    return bool(sum(numbers[:3]) < 3 * 128)
