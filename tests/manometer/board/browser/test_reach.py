from __future__ import annotations

from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from tests.grafana.shown import all_boards
from tests.house.source import listed
from tests.manometer.board.browser.looking import Looks
from tests.manometer.board.browser.serving import Board
from tests.manometer.board.browser.shown import complete, panel, seen, unfolded
from tests.services.browser import axe as axe_script
from tests.services.running import Missing, absent

PHONE: Final[dict[str, Any]] = {
    "viewport": {"width": 360, "height": 740},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
GRAVE: Final = frozenset({"serious", "critical"})
WIDER: Final = """() => [...document.querySelectorAll("body *")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
  .filter((one) => !one.closest(".scroller, .plot-scroller, .boards"))
  .map((one) => `${one.tagName.toLowerCase()}.${one.className} ${Math.round(one.getBoundingClientRect().right)}`)"""

each_board = pytest.mark.parametrize("uid", [board.uid for board in all_boards()])


@pytest.fixture(scope="module")
def axe() -> str:
    """Bring axe-core; without npm the tests skip, and in CI they fail."""
    try:
        return axe_script()
    except Missing as missing:
        absent(missing)


def grave(page: Page, axe: str) -> list[str]:
    """Find what shuts people out."""
    page.evaluate(f"() => {{ {axe} }}")
    found: dict[str, Any] = page.evaluate("axe.run({ resultTypes: ['violations'] })")
    return [
        f"{one['impact']}: {one['id']}: {one['help']}: {node['html'][:160]}: {node.get('failureSummary', '')[:300]}"
        for one in found["violations"]
        if one["impact"] in GRAVE
        for node in one["nodes"][:3]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@each_board
def test_no_board_shuts_anybody_out(uid: str, scheme: str, board: Board, look: Looks, axe: str) -> None:
    """axe-core finds no serious or critical fault on a board, light or dark."""
    page = look.open(board.at(uid, since="now-30d", until="now"), color_scheme=scheme, reduced_motion="reduce")
    complete(page)
    unfolded(page)
    for one in page.locator("article.panel").all():
        seen(one)

    assert not (found := grave(page, axe)), listed(found)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_window_shuts_anybody_out(scheme: str, board: Board, look: Looks, axe: str) -> None:
    """Nor does the detail of an alert, the help, a filter, the range, the menu of a panel, or a runbook."""
    page = look.open(board.at("manometer-alerts"), color_scheme=scheme, reduced_motion="reduce")
    complete(page)
    found = []

    seen(panel(page, "Alerts that fire", "alerts")).get_by_role("button", name="InputDrifted").click()
    expect(page.locator("#detail h3").first).to_be_visible()
    found += grave(page, axe)
    page.keyboard.press("Escape")
    page.locator("#help").click()
    found += grave(page, axe)
    page.keyboard.press("Escape")
    for opener in ("button.filter >> nth=0", "#range", "button.more >> nth=0"):
        page.locator(opener).click()
        expect(page.locator(".popover")).to_be_visible()
        found += grave(page, axe)
        page.keyboard.press("Escape")
    page.goto(f"{board.url}/runbooks/engine-silent")
    found += grave(page, axe)

    assert not found, listed(found)


@each_board
def test_a_phone_needs_no_scrolling_sideways(uid: str, board: Board, look: Looks) -> None:
    """At a width of 360 points everything is within the screen; wide tables scroll inside their panel."""
    page = look.open(board.at(uid, since="now-30d", until="now"), **PHONE)
    complete(page)
    for one in page.locator("article.panel").all():
        seen(one)

    assert page.evaluate("document.documentElement.scrollWidth") <= 360, listed(page.evaluate(WIDER))


def test_windows_fit_a_phone(board: Board, look: Looks) -> None:
    """The detail of an alert, a filter and the range fit a phone, too."""
    page = look.open(board.at("manometer-alerts"), **PHONE)
    complete(page)
    seen(panel(page, "Alerts that fire", "alerts"))
    wide = []
    for opener, window in (
        ("article.alerts tbody button >> nth=0", "#detail"),
        ("button.filter >> nth=0", ".popover"),
        ("#range", ".popover"),
    ):
        page.locator(opener).tap()
        box = page.locator(window).bounding_box()
        assert box is not None
        if box["x"] < 0 or box["x"] + box["width"] > 360:
            wide.append(f"{window} is from {box['x']} to {box['x'] + box['width']}")
        page.keyboard.press("Escape")
        expect(page.locator(window)).not_to_be_visible()

    assert not wide, listed(wide)


def test_who_wants_no_motion_gets_none(board: Board, look: Looks) -> None:
    """With reduced motion nothing on the page is animated."""
    page = look.open(board.at(), reduced_motion="reduce")
    complete(page)

    assert page.evaluate("document.getAnimations().length") == 0
