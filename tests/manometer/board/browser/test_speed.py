from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from benchmarks.board import LARGE, SMALL, Size, measured

Record = Callable[[str, object], None]


def reported(browser: Browser, size: Size, folder: Path, record: Record) -> dict[str, float]:
    """Measure the board over a store, and hand the figures to the report."""
    figures = measured(browser, size, folder)
    for name, value in figures.items():
        record(name, value)
    return figures


def test_a_board_opens_and_tells_how_long_it_took(browser: Browser, tmp_path: Path, record_property: Record) -> None:
    """The Overview of a small store paints, then is complete; how fast is reported, as machines differ."""
    figures = reported(browser, SMALL, tmp_path, record_property)

    assert figures["first_paint_seconds"] > 0
    assert figures["complete_seconds"] > 0


@pytest.mark.long
def test_a_large_board_opens_fast(browser: Browser, tmp_path: Path, record_property: Record) -> None:
    """Over twelve hours of 200 engines: first paint below 1 s, complete below 3 s, and the server stays small."""
    figures = reported(browser, LARGE, tmp_path, record_property)

    assert figures["points"] > 6_500_000
    assert figures["first_paint_seconds"] < 1
    assert figures["complete_seconds"] < 3
    assert figures["server_bytes_grown"] < 32 << 20
