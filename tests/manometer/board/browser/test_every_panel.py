from __future__ import annotations

from typing import Final

import pytest

from tests.grafana.shown import all_boards
from tests.house.source import listed
from tests.manometer.board.browser.looking import Looks
from tests.manometer.board.browser.serving import Board
from tests.manometer.board.browser.shown import complete, drawn, unfolded

RANGES: Final = ("now-30d", "now-2h")
EMPTY: Final[dict[str, str]] = {}
"""Panels that draw nothing of the recorded days, with the reason."""

each_board = pytest.mark.parametrize("uid", [board.uid for board in all_boards()])


@each_board
def test_each_panel_draws_something(uid: str, board: Board, look: Looks) -> None:
    """Every panel of a board draws what the recorded days emit, and tells it in words to who cannot see it.

    Over a month, or over two hours: intervals of a month are longer than some of what there is to draw.
    """
    wrong = faults(look, board, uid, RANGES[0])
    if wrong:
        again = faults(look, board, uid, RANGES[1])
        wrong = {title: text for title, text in again.items() if title in wrong}

    assert not (found := {title: text for title, text in wrong.items() if title not in EMPTY}), listed(
        f"{title}: {text}" for title, text in found.items()
    )
    assert {title for title in EMPTY if title.startswith(uid)} <= wrong.keys()


def faults(look: Looks, board: Board, uid: str, since: str) -> dict[str, str]:
    """Look at all panels of a board; gives those that draw nothing, with what they say."""
    page = look.open(board.at(uid, since=since, until="now"), viewport={"width": 1400, "height": 1000})
    complete(page)
    unfolded(page)
    (shown,) = [one for one in all_boards() if one.uid == uid]
    assert page.locator("article.panel").count() == len(shown.panels)
    return {
        f"{uid}: {one.title}": text
        for number, one in enumerate(shown.panels)
        if (text := drawn(page.locator(f'[data-panel="{number}"]')))
    }


@each_board
def test_a_board_says_what_it_is(uid: str, board: Board, look: Looks) -> None:
    """Its name is marked among the boards, each panel has its title as a heading, each section one too."""
    page = look.open(board.at(uid))
    complete(page)
    (shown,) = [one for one in all_boards() if one.uid == uid]

    assert page.locator("nav [aria-current=page]").inner_text() == shown.title
    assert page.locator("h3").all_text_contents() == [panel.title for panel in shown.panels]
    assert page.locator("main h2").all_text_contents() == [section.title for section in shown.sections]
