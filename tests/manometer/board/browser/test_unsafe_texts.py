from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from engine.clock import SystemClock
from tests.grafana.shown import all_boards
from tests.manometer.board.browser.looking import Looks
from tests.manometer.board.browser.serving import OVERVIEW, Board
from tests.manometer.board.browser.shown import choose, complete, panel, seen, unfolded
from tests.manometer.board.browser.stored import HURTS, hurting

PICTURES: Final = "img, script:not([src^='/static/']), iframe, object, embed, [onerror], [href^='javascript:']"
"""What a text from data would have to become to do something."""


@pytest.fixture(scope="module")
def unsafe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """Show a store in which every text that comes from data would like to be markup."""
    folder = tmp_path_factory.mktemp("unsafe")
    found = Board(hurting(folder / "unsafe.db", SystemClock().now()), folder)
    found.start()
    yield found
    found.stop()


def unhurt(page: Page) -> None:
    """Find the text as a text, and nothing that it could have become."""
    assert HURTS in page.locator("body").inner_text()
    assert page.locator(PICTURES).count() == 0
    assert page.title() != "hurt"


@pytest.mark.parametrize("uid", [board.uid for board in all_boards()])
def test_names_are_shown_as_texts(uid: str, unsafe: Board, look: Looks) -> None:
    """A model, engine, stream or process that is called like markup is shown by that name on each board."""
    page = look.open(unsafe.at(uid, since="now-15m", until="now"), viewport={"width": 1400, "height": 1000})
    complete(page)
    unfolded(page)
    for one in page.locator("article.panel").all():
        seen(one)

    unhurt(page)


def test_the_detail_of_an_alert_shows_texts(unsafe: Board, look: Looks) -> None:
    """Summary, tags, evidence and runbook of an alert are texts, whatever is in them."""
    page = look.open(unsafe.at("manometer-alerts", since="now-15m", until="now"))
    complete(page)
    links = seen(panel(page, "Alerts that fire", "alerts")).locator("tbody button")
    expect(links).to_have_count(3)

    for link in links.all():
        link.click()
        expect(page.locator("#detail")).to_contain_text(HURTS)
        expect(page.locator("#detail h3").first).to_be_visible()
        unhurt(page)
        page.keyboard.press("Escape")


def test_what_can_be_chosen_is_shown_as_text(unsafe: Board, look: Looks) -> None:
    """In the list of a filter, on its button, and in the address."""
    page = look.open(unsafe.at(since="now-15m", until="now"))
    complete(page)
    button = page.locator("button.filter[data-variable=model]")
    button.click()
    page.get_by_role("checkbox", name=HURTS, exact=True).check()
    unhurt(page)

    page.get_by_role("button", name="Apply").click()
    expect(button).to_contain_text(HURTS)
    page.reload()
    complete(page)

    expect(button).to_contain_text(HURTS)
    unhurt(page)


def test_tables_and_hints_show_texts(unsafe: Board, look: Looks) -> None:
    """In the table of a panel, and in the window beside the cursor."""
    page = look.open(unsafe.at(since="now-15m", until="now"))
    complete(page)
    over = seen(panel(page, "Cpu utilization")).locator(".u-over")
    over.hover()
    unhurt(page)

    choose(page, "Cpu utilization", "Show as table")

    expect(panel(page, "Cpu utilization").locator("th").nth(1)).to_contain_text(HURTS)
    unhurt(page)


def test_what_an_address_says_is_no_markup(unsafe: Board, look: Looks) -> None:
    """A board, a range or a filter that makes no sense in the address does nothing but be left out."""
    page = look.open(unsafe.at(HURTS, since=HURTS, until=HURTS, model=HURTS, onload=HURTS))
    complete(page)

    assert page.locator(PICTURES).count() == 0
    assert page.locator("nav [aria-current=page]").inner_text() == all_boards()[0].title
    assert all_boards()[0].uid == OVERVIEW


def test_a_runbook_that_is_called_like_markup_is_none(unsafe: Board, look: Looks) -> None:
    """The page of a runbook that is not there shows its name as text, if at all."""
    page = look.open(f"{unsafe.url}/runbooks/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", harmless=("404",))

    assert page.locator(PICTURES).count() == 0


def test_an_answer_is_never_taken_for_a_page(unsafe: Board) -> None:
    """The API says that it is JSON, and that nothing else may be made of it."""
    now = SystemClock().now() // 1_000
    told = unsafe.headers("/api/query", board=OVERVIEW, panel=0, **{"from": now - 60_000, "to": now})

    assert told["Content-Type"].startswith("application/json")
    assert told["X-Content-Type-Options"] == "nosniff"
