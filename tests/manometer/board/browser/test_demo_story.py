from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from tests.house.source import ROOT
from tests.manometer.board.browser.looking import Looks
from tests.manometer.board.browser.shown import complete, panel, seen

SPEED: Final = "3600"
"""A day in 24 seconds."""
SECONDS: Final = 60_000
"""Milliseconds that a turn of the story may take to be seen; the processes of the demo need some to start."""
STORY: Final = ("EngineError", "EngineSilent", "InputTooLarge", "ForecastsOff")
"""An engine fails, one falls silent, the input drifts, and so the forecasts are off."""
FAREWELL: Final = ("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET")
"""What the browser says of a server that has ended."""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Start the demo as a person does; gives what its first line says."""
    code = "from manometer.cli.main import main; main()"
    words = [sys.executable, "-c", code, "demo", "--plain", "--speed", SPEED, "--data", str(tmp_path / "data")]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+/\S*", process.stdout.readline())
        try:
            assert found is not None, "the first line of the demo tells no address"
            yield found[0]
        finally:
            process.terminate()
            process.communicate(timeout=30)


def test_the_story_can_be_followed_on_the_board(address: str, look: Looks) -> None:
    """The first line of the demo is an address; there each turn of its story is seen as an alert, while it happens."""
    page = look.open(address, harmless=FAREWELL)
    complete(page)

    for name in STORY:
        expect(page.locator("article.alerts").first).to_contain_text(name, timeout=SECONDS)
        expect(page.locator("#verdict h1")).to_contain_text(re.compile("critical alert|warning"))
    assert engines(page) == {f"taxi-{number}" for number in range(1, 6)}
    log = seen(panel(page, "Alert log", "alerts"))
    for name in STORY:
        expect(log).to_contain_text(name)


def engines(page: Page) -> set[str]:
    """Name the engines whose states are drawn."""
    said = seen(panel(page, "Engine state", "states")).locator(".body").get_attribute("aria-label") or ""
    return set(re.findall(r"taxi-\d", said))
