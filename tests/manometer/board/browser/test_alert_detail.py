from __future__ import annotations

import re
from typing import Final

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.house.source import ROOT, listed
from tests.manometer.board.browser.looking import Looks
from tests.manometer.board.browser.serving import OVERVIEW, Board
from tests.manometer.board.browser.shown import asked_by, complete, panel, seen

ALERTS: Final = "manometer-alerts"
FIRING: Final = "Alerts that fire"
RUNBOOKS: Final = sorted(path.stem for path in (ROOT / "docs" / "runbooks").glob("*.md"))


def opened(page: Page, name: str = "EngineError") -> Locator:
    """Open an alert of the list of those that fire."""
    complete(page)
    seen(panel(page, FIRING, "alerts")).get_by_role("button", name=name, exact=True).click()
    dialog = page.locator("#detail")
    expect(dialog).to_be_visible()
    return dialog


@pytest.mark.parametrize("uid", [OVERVIEW, ALERTS])
def test_an_alert_opens_with_all_that_is_known(uid: str, board: Board, look: Looks) -> None:
    """Its name, since when, its tags, the evidence and the command that replays it, on any list of alerts."""
    page = look.open(board.at(uid))

    dialog = opened(page)

    expect(dialog.get_by_role("heading", level=2)).to_have_text("EngineError")
    expect(dialog).to_contain_text("critical, firing for")
    expect(dialog.locator("dl").first).to_contain_text("completion-2")
    expect(dialog.locator("pre code")).to_contain_text("manometer replay")


def test_the_evidence_of_an_alert_is_shown(board: Board, look: Looks) -> None:
    """Its numbers as pairs, what belongs together as a table, each by its name."""
    page = look.open(board.at(ALERTS))

    dialog = opened(page, "InputDrifted")

    expect(dialog.get_by_role("heading", name="Evidence")).to_be_visible()
    for text in ("p value", "1.3e-12", "first offset", "8600", "below 4e+03", "quantiles"):
        expect(dialog).to_contain_text(text)
    expect(dialog.locator("table")).not_to_have_count(0)


def test_the_runbook_of_an_alert_opens(board: Board, look: Looks) -> None:
    """It is a page of its own, rendered, without a script."""
    page = look.open(board.at(ALERTS))
    dialog = opened(page)

    with page.context.expect_page() as other:
        dialog.get_by_role("link", name="What to do").click()

    expect(other.value.get_by_role("heading", level=1)).to_be_visible()
    assert "/runbooks/" in other.value.url
    assert other.value.locator("script").count() == 0


def test_an_alert_leads_to_its_span(board: Board, look: Looks) -> None:
    """All panels show the time in which it fired, with a margin; the way back leads to what was before."""
    page = look.open(board.at(ALERTS, since="now-24h", until="now"))
    before = page.url
    dialog = opened(page)

    asked_by(page, dialog.get_by_role("button", name="Show this span").click)

    expect(dialog).to_be_hidden()
    found = re.search(r"from=(\d+)&to=(\d+)", page.url)
    assert found is not None
    start, end = map(int, found.groups())
    alerts = board.ask("/api/alerts", **{"from": start, "to": end, "state": "firing"})["alerts"]
    assert any(start < alert["began"] < end for alert in alerts)
    page.go_back()
    expect(page).to_have_url(before)


def test_an_alert_opens_by_keys(board: Board, look: Looks) -> None:
    """Enter opens it, the focus is inside, Escape closes it, and the focus is where it was."""
    page = look.open(board.at())
    complete(page)
    link = seen(panel(page, FIRING, "alerts")).locator("tbody button").first
    link.focus()

    page.keyboard.press("Enter")
    expect(page.locator("#detail")).to_be_visible()
    assert page.evaluate("document.getElementById('detail').contains(document.activeElement)")
    page.keyboard.press("Escape")

    expect(page.locator("#detail")).to_be_hidden()
    expect(link).to_be_focused()


def test_the_worst_alert_is_told_first(board: Board, look: Looks) -> None:
    """The verdict says how many are critical, and names one that opens."""
    page = look.open(board.at())
    complete(page)

    expect(page.locator("#verdict h1")).to_contain_text("critical alert")
    page.locator("#verdict button.link").first.click()

    expect(page.locator("#detail")).to_be_visible()
    expect(page.locator("#detail .severity")).to_contain_text("critical")


def test_every_runbook_is_rendered(board: Board, look: Looks) -> None:
    """Each has a title, and no sign of its markup is left in its text."""
    page = look.open("about:blank")
    wrong = []
    for name in RUNBOOKS:
        page.goto(f"{board.url}/runbooks/{name}")
        page.evaluate("document.querySelectorAll('pre, code').forEach((one) => one.remove())")
        text = page.locator("body").inner_text()
        title = page.locator("h1").count()
        left = re.search(r"\]\(|\*\*|^#+ |^\| ?-|`", text, re.MULTILINE)
        if title != 1 or left:
            wrong.append(f"{name}: {title} titles, {left and left[0]!r} left")

    assert RUNBOOKS
    assert not wrong, listed(wrong)


def test_a_runbook_that_is_not_there_is_told(board: Board, look: Looks) -> None:
    """With a sentence that says what there is, and nothing of where files lie."""
    page = look.open("about:blank")
    page = look.open(f"{board.url}/runbooks/..%2f..%2fREADME", harmless=("404",))

    text = page.locator("body").inner_text()

    assert "README" not in text or "no runbook" in text.lower()
    assert str(ROOT) not in text
